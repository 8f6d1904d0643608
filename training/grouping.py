"""Finds pictures that show nearly the same thing, so that they end up on one side of the split."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Protocol

import numpy as np

from datasets.hashes import near_pairs, unsigned

NEAR = 6  # of 64 bits: the same picture, re-encoded, resized, slightly cropped
BURST = 12  # neighbours of one import may differ more and still be one scene
BURST_STEPS = 3
LARGEST_SHARE = 10  # a group holds at most a tenth of its label, so that a chain cannot swallow it
PARTS = 3  # fewer groups than parts of the split leave one empty


class Picture(Protocol):
    """What grouping and splitting need to know of a picture."""

    @property
    def sha256(self) -> str: ...

    @property
    def difference_hash(self) -> int | None: ...

    @property
    def source_import(self) -> int | None: ...

    @property
    def position(self) -> int: ...

    @property
    def group(self) -> str: ...


def groups_of(rows: Sequence[Picture]) -> list[int]:
    """One group number a row, for the rows of one label. Complete linkage: every two members are alike.

    Rows with the same mark (`row.group`, such as a burst) are one group whatever they look like, with what looks
    like one of them. The numbers depend on the rows and their order alone.
    """
    most = max(1, len(rows) // LARGEST_SHARE)
    numbers, members = _marked(rows, most)
    marked = [set(each) for each in members]
    if most == 1 and not members:
        return list(range(len(rows)))
    alike = neighbours(rows)
    for index in range(len(rows)):
        if numbers[index] >= 0:
            continue
        number = _group_to_join(index, alike[index], numbers, members, marked, most)
        if number is None:
            number = len(members)
            members.append(set())
        members[number].add(index)
        numbers[index] = number
    return numbers


def _marked(rows: Sequence[Picture], most: int) -> tuple[list[int], list[set[int]]]:
    """The groups that marks make, and each row's number among them (-1: no mark).

    Where they would leave a part of the split empty, the largest is cut into runs as its pictures were taken.
    """
    by_mark: dict[str, list[int]] = defaultdict(list)
    for index, row in enumerate(rows):
        if row.group:
            by_mark[row.group].append(index)
    groups = [by_mark[mark] for mark in sorted(by_mark)]
    loose = len(rows) - sum(map(len, groups))
    if groups and len(groups) + loose < PARTS:
        largest = max(groups, key=len)
        groups.remove(largest)
        largest.sort(key=lambda at: (rows[at].source_import or 0, rows[at].position))
        groups += [largest[start : start + most] for start in range(0, len(largest), most)]
    numbers = [-1] * len(rows)
    for number, group in enumerate(groups):
        for index in group:
            numbers[index] = number
    return numbers, [set(group) for group in groups]


def _group_to_join(  # noqa: PLR0917  what grouping has so far
    index: int,
    alike: set[int],
    numbers: list[int],
    members: list[set[int]],
    marked: list[set[int]],
    most: int,
) -> int | None:
    """The first group that has room and whose members are all alike this one; of marked ones, one is enough."""
    for number in sorted({numbers[other] for other in alike if numbers[other] >= 0}):
        if number < len(marked):
            if alike & marked[number] and len(members[number]) - len(marked[number]) < most:
                return number
        elif len(members[number]) < most and members[number] <= alike:
            return number
    return None


def neighbours(rows: Sequence[Picture]) -> list[set[int]]:
    """For each row, the others that look like it. A row without a hash has none."""
    known = np.array([at for at, row in enumerate(rows) if row.difference_hash is not None], dtype=np.int64)
    hashes = np.array([unsigned(rows[at].difference_hash) for at in known], dtype=np.uint64)
    found: list[set[int]] = [set() for _ in rows]
    ones, others, _ = near_pairs(hashes, NEAR)
    pairs = zip(known[ones].tolist(), known[others].tolist(), strict=True)
    for one, other in chain(pairs, burst_pairs(rows)):
        found[one].add(other)
        found[other].add(one)
    return found


def burst_pairs(rows: Sequence[Picture]) -> Iterator[tuple[int, int]]:
    """Neighbours in one import that differ a little more."""
    placed = [
        (row.source_import, row.position, at)
        for at, row in enumerate(rows)
        if row.source_import is not None and row.difference_hash is not None
    ]
    placed.sort()
    for start, (source, position, one) in enumerate(placed):
        for at in range(start + 1, len(placed)):
            other_source, other_position, other = placed[at]
            if other_source != source or other_position - position > BURST_STEPS:
                break
            bits = unsigned(rows[one].difference_hash) ^ unsigned(rows[other].difference_hash)
            if bits.bit_count() <= BURST:
                yield one, other
