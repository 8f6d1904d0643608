"""The split: fair to every label, blind to nothing that looks alike, the same for the same data."""

import random
from collections import Counter
from dataclasses import dataclass, replace

import numpy as np
import pytest

from datasets.hashes import near_pairs
from training.grouping import groups_of
from training.splitting import HELD_BACK, TRAIN, VALIDATION, sizes_of, split_label


@dataclass(frozen=True)
class Fake:
    sha256: str
    difference_hash: int | None = None
    source_import: int | None = 1
    position: int = 0
    group: str = ""


def pictures(count: int, seed: int = 0, *, bits: int = 64) -> list[Fake]:
    chance = random.Random(seed)
    return [
        Fake(f"{chance.getrandbits(256):064x}", chance.getrandbits(bits) - (1 << (bits - 1)), 1, at * 10)
        for at in range(count)
    ]


@pytest.mark.parametrize(
    ("count", "sizes"),
    [
        (5, (3, 1, 1)),
        (10, (7, 1, 2)),
        (20, (14, 2, 4)),
        (100, (70, 10, 20)),
        (3, (1, 1, 1)),
        (2, (1, 0, 1)),
        (1, (1, 0, 0)),
    ],
)
def test_a_label_is_dealt_seventy_ten_twenty_with_minimums(count: int, sizes: tuple[int, int, int]) -> None:
    assert sizes_of(count) == sizes
    found = Counter(place.part for place in split_label("a", pictures(count)))
    assert (found[TRAIN], found[VALIDATION], found[HELD_BACK]) == sizes


def test_from_five_pictures_on_every_part_has_its_minimum_however_alike_they_are() -> None:
    for seed in range(60):
        chance = random.Random(seed)
        count = chance.randint(5, 80)
        rows = pictures(count, seed, bits=chance.choice([1, 4, 8, 64]))  # few bits: all look alike
        found = Counter(place.part for place in split_label("a", rows))
        assert found[TRAIN] >= 3 and found[VALIDATION] >= 1 and found[HELD_BACK] >= 1
        assert sum(found.values()) == count


def test_the_order_of_the_pictures_does_not_matter() -> None:
    rows = pictures(50)
    turned = rows[::-1]
    one = {row.sha256: place.part for row, place in zip(rows, split_label("a", rows), strict=True)}
    other = {row.sha256: place.part for row, place in zip(turned, split_label("a", turned), strict=True)}
    assert one == other


def test_groups_stay_on_one_side() -> None:
    rows = pictures(60)
    copies = [replace(row, sha256=f"{at:064x}", position=9999 + 10 * at) for at, row in enumerate(rows[:20])]
    places = split_label("a", rows + copies)
    for at in range(20):
        assert places[at] == places[60 + at], "a copy left its original"


def test_a_picture_added_later_hardly_moves_the_others() -> None:
    rows = pictures(101)
    before = split_label("a", rows[:100])
    after = split_label("a", rows)[:100]
    assert sum(one.part != other.part for one, other in zip(before, after, strict=True)) <= 3


def test_near_copies_are_one_group_and_others_are_not() -> None:
    base = 0x0F0F_3C3C_55AA_1234
    rows = [Fake("a", base), Fake("b", base ^ 0b111), Fake("c", base ^ (2**30 - 1))]
    rows += pictures(40, 5)
    numbers = groups_of(rows)
    assert numbers[0] == numbers[1] != numbers[2]


def test_a_burst_may_differ_more_than_pictures_from_anywhere() -> None:
    far = 0b1111_1111_1111  # twelve bits
    burst = [Fake("a", 0, 1, 7), Fake("b", far, 1, 8), *pictures(40, 5)]
    assert groups_of(burst)[0] == groups_of(burst)[1]
    apart = [Fake("a", 0, 1, 7), Fake("b", far, 1, 800), *pictures(40, 5)]
    assert groups_of(apart)[0] != groups_of(apart)[1]


def test_a_chain_of_look_alikes_cannot_swallow_a_label() -> None:
    chain = [Fake(f"{at:064x}", (1 << at) - 1, 1, 100 * at) for at in range(60)]
    sizes = Counter(groups_of(chain))
    assert max(sizes.values()) <= 6
    for number in sizes:
        members = [row for row, found in zip(chain, groups_of(chain), strict=True) if found == number]
        widest = max(
            (one.difference_hash ^ other.difference_hash).bit_count() for one in members for other in members
        )  # type: ignore[operator]
        assert widest <= 6, "complete linkage: all members are alike"


def test_a_picture_without_a_hash_stands_alone() -> None:
    numbers = groups_of([Fake(f"{at:064x}", None) for at in range(30)])
    assert len(set(numbers)) == 30


def test_a_burst_stays_together_whatever_its_pictures_look_like() -> None:
    rows = [replace(row, group=f"burst-{at // 12}") for at, row in enumerate(pictures(96))]
    places = split_label("a", rows)
    for start in range(0, 96, 12):
        assert len({place.part for place in places[start : start + 12]}) == 1
    assert {place.part for place in places} == {TRAIN, VALIDATION, HELD_BACK}


def test_three_large_bursts_still_leave_something_to_measure() -> None:
    rows = [replace(row, group=f"burst-{at // 20}") for at, row in enumerate(pictures(60))]
    places = split_label("a", rows)
    assert {place.part for place in places} == {TRAIN, VALIDATION, HELD_BACK}
    assert all(len({places[at].part for at in range(start, start + 20)}) == 1 for start in (0, 20, 40))


def test_a_label_of_one_burst_alone_is_cut_as_it_was_taken() -> None:
    rows = [replace(row, group="burst-1", position=at) for at, row in enumerate(pictures(50))]
    places = split_label("a", rows)
    assert {place.part for place in places} == {TRAIN, VALIDATION, HELD_BACK}
    for start in range(0, 50, 5):
        assert len({place.part for place in places[start : start + 5]}) == 1, "neighbours were parted"


def test_a_copy_of_a_bursts_picture_follows_the_burst() -> None:
    rows = [replace(row, group="burst-1") for row in pictures(6)] + pictures(60, 3)
    rows.append(replace(rows[2], sha256="f" * 64, group="", position=9999))
    numbers = groups_of(rows)
    assert numbers[-1] == numbers[0] == numbers[5]


def test_marks_alone_change_the_groups() -> None:
    rows = pictures(80)
    assert groups_of(rows) == groups_of([replace(row, group="") for row in rows])
    assert groups_of([replace(row, group="x" if at < 2 else "") for at, row in enumerate(rows)]) != groups_of(
        rows
    )


def test_near_pairs_are_all_found() -> None:
    chance = random.Random(4)
    hashes = [chance.getrandbits(64) for _ in range(300)]
    for each in hashes[:150]:
        for bit in chance.sample(range(64), chance.randint(0, 8)):
            each ^= 1 << bit  # noqa: PLW2901
        hashes.append(each)
    ones, others, bits = near_pairs(np.array(hashes, dtype=np.uint64), 6)
    found = set(zip(ones.tolist(), others.tolist(), bits.tolist(), strict=True))
    every = range(len(hashes))
    expected = {
        (one, other, (hashes[one] ^ hashes[other]).bit_count())
        for one in every
        for other in every
        if one < other and (hashes[one] ^ hashes[other]).bit_count() <= 6
    }
    assert found == expected and len(found) > 90


def test_a_crowd_of_equal_hashes_costs_no_square() -> None:
    ones, _, _ = near_pairs(np.zeros(20_000, dtype=np.uint64), 6)
    assert len(ones) <= 20_000 * 100
