"""Finds pictures that show nearly the same thing, so that they end up on one side of the split."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

NEAR = 6  # of 64 bits: the same picture, re-encoded, resized, slightly cropped
BURST = 12  # neighbours of one import may differ more and still be one scene
BURST_STEPS = 3
LARGEST_SHARE = 10  # a group holds at most a tenth of its label, so that a chain cannot swallow it
BRUTE_FORCE = 20_000
BANDS = 4


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


def groups_of(rows: Sequence[Picture]) -> list[int]:
    """One group number a row, for the rows of one label. Complete linkage: every two members are alike.

    The numbers depend on the rows and their order alone.
    """
    most = max(1, len(rows) // LARGEST_SHARE)
    if most == 1:
        return list(range(len(rows)))
    alike = neighbours(rows)
    numbers: list[int] = [-1] * len(rows)
    members: list[set[int]] = []
    for index in range(len(rows)):
        number = _group_to_join(index, alike[index], numbers, members, most)
        if number is None:
            number = len(members)
            members.append(set())
        members[number].add(index)
        numbers[index] = number
    return numbers


def _group_to_join(
    index: int, alike: set[int], numbers: list[int], members: list[set[int]], most: int
) -> int | None:
    """The first group that has room and whose members are all alike this one."""
    for number in sorted({numbers[other] for other in alike if other < index}):
        if len(members[number]) < most and members[number] <= alike:
            return number
    return None


def neighbours(rows: Sequence[Picture]) -> list[set[int]]:
    """For each row, the others that look like it. A row without a hash has none."""
    hashes = np.array([(row.difference_hash or 0) & (2**64 - 1) for row in rows], dtype=np.uint64)
    known = np.array([row.difference_hash is not None for row in rows])
    found: list[set[int]] = [set() for _ in rows]
    pairs = _pairs_by_force if len(rows) <= BRUTE_FORCE else _pairs_by_bands
    for one, other, distance in pairs(hashes, known):
        if distance <= NEAR or _one_burst(rows[one], rows[other]):
            found[one].add(other)
            found[other].add(one)
    return found


def _one_burst(one: Picture, other: Picture) -> bool:
    same = one.source_import is not None and one.source_import == other.source_import
    return same and abs(one.position - other.position) <= BURST_STEPS


def _pairs_by_force(hashes: NDArray[np.uint64], known: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Every pair within BURST bits."""
    pairs: list[tuple[int, int, int]] = []
    for index in np.flatnonzero(known):
        distance = np.bitwise_count(hashes[index + 1 :] ^ hashes[index])
        near = np.flatnonzero((distance <= BURST) & known[index + 1 :])
        pairs.extend((int(index), int(index + 1 + at), int(distance[at])) for at in near)
    return pairs


def _pairs_by_bands(hashes: NDArray[np.uint64], known: NDArray[np.bool_]) -> list[tuple[int, int, int]]:
    """Pairs that agree in a quarter of their bits: all within 3 bits, most within 6; for large labels."""
    buckets: dict[tuple[int, int], list[int]] = defaultdict(list)
    seen: dict[tuple[int, int], int] = {}
    for index in np.flatnonzero(known):
        for band in range(BANDS):
            bucket = buckets[band, int(hashes[index] >> np.uint64(16 * band)) & 0xFFFF]
            for other in bucket[-100:]:  # a bucket of plain skies must not cost the square of its size
                distance = int(np.bitwise_count(hashes[index] ^ hashes[other]))
                if distance <= BURST:
                    seen[other, int(index)] = distance
            bucket.append(int(index))
    return [(one, other, distance) for (one, other), distance in sorted(seen.items())]
