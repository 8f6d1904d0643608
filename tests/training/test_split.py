"""The split: fair to every label, blind to nothing that looks alike, the same for the same data."""

import random
from collections import Counter
from dataclasses import dataclass, replace

import pytest

from training.grouping import groups_of
from training.splitting import HELD_BACK, TRAIN, VALIDATION, sizes_of, split_label


@dataclass(frozen=True)
class Fake:
    sha256: str
    difference_hash: int | None = None
    source_import: int | None = 1
    position: int = 0


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


def test_many_pictures_are_grouped_by_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.grouping.BRUTE_FORCE", 10)
    rows = pictures(50)
    copies = [
        replace(row, sha256=f"{at:064x}", difference_hash=row.difference_hash ^ 0b11)
        for at, row in enumerate(rows)
    ]  # type: ignore[operator]
    numbers = groups_of(rows + copies)
    assert all(numbers[at] == numbers[50 + at] for at in range(50))
