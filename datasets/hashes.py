"""Pairs of 64-bit picture hashes that differ in few bits, found without comparing each with each."""

from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

BITS = 64
BLOCK = 2_000_000  # comparisons at once
WINDOW = 1_000  # neighbours in a band's order that a hash is compared with, where a band holds more than that
MOST_TWINS = 100  # of one and the same hash: plain skies must not cost the square of their number

Pairs = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint8]]  # first < second, and bits between
Check = Callable[[], None]


def unsigned(signed: int | None) -> int:
    """As databases keep a hash → as bits."""
    return (signed or 0) & (2**64 - 1)


def near_pairs(hashes: NDArray[np.uint64], most: int, *, check: Check = lambda: None) -> Pairs:
    """All pairs of the hashes [n] that differ in at most `most` bits; exact but for crowds.

    Of two such hashes one band of `most` + 1 must be the same (pigeonhole), so only those of equal bands are
    compared. A crowd is more than MOST_TWINS equal hashes or more than WINDOW in one band.
    """
    unique, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    del first
    found = [twins(inverse)]
    different = list(_of_unique(unique, most, check))
    if different:
        one, other, bits = (np.concatenate(part) for part in zip(*different, strict=True))
        keys, at = np.unique(one.astype(np.int64) * len(unique) + other, return_index=True)
        del keys
        found.append(_spread(inverse, len(unique), one[at], other[at], bits[at]))
    one, other, bits = (np.concatenate(part) for part in zip(*found, strict=True))
    order = np.lexsort((other, one))
    return one[order], other[order], bits[order]


def twins(inverse: NDArray[np.int64]) -> Pairs:
    """Pairs of equal hashes; each with the next MOST_TWINS of its kind."""
    order = np.argsort(inverse, kind="stable")
    sorted_ids = inverse[order]
    ones, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for step in range(1, MOST_TWINS + 1):
        same = np.flatnonzero(sorted_ids[step:] == sorted_ids[:-step])
        if not len(same):
            break
        ones.append(order[same])
        others.append(order[same + step])
    one, other = np.concatenate(ones), np.concatenate(others)
    return one, other, np.zeros(len(one), np.uint8)


def _of_unique(unique: NDArray[np.uint64], most: int, check: Check) -> Iterator[Pairs]:
    bands = most + 1
    edges = [round(band * BITS / bands) for band in range(bands + 1)]
    for low, high in pairwise(edges):
        values = (unique >> np.uint64(low)) & np.uint64((1 << (high - low)) - 1)
        order = np.argsort(values, kind="stable")
        ordered, sought = values[order], unique[order]
        ends = np.searchsorted(ordered, ordered, side="right")
        reach = min(WINDOW, int((ends - np.arange(len(ends))).max(initial=1)) - 1)
        alive = np.arange(len(ordered))
        for step in range(1, reach + 1):
            check()
            alive = alive[alive + step < ends[alive]]
            if not len(alive):
                break
            bits = np.bitwise_count(sought[alive] ^ sought[alive + step])
            near = bits <= most
            one, other = order[alive[near]], order[alive[near] + step]
            yield np.minimum(one, other), np.maximum(one, other), bits[near]


def _spread(
    inverse: NDArray[np.int64],
    count: int,
    one: NDArray[np.int64],
    other: NDArray[np.int64],
    bits: NDArray[np.uint8],
) -> Pairs:
    """From pairs of hashes to pairs of the pictures that have them."""
    sizes = np.bincount(inverse, minlength=count)
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    # Most hashes have one picture: those at once, the others by hand, each side bounded as twins are.
    single = (sizes[one] == 1) & (sizes[other] == 1)
    firsts, seconds, between = [order[starts[one[single]]]], [order[starts[other[single]]]], [bits[single]]
    for left, right, distance in zip(one[~single], other[~single], bits[~single], strict=True):
        mine = order[starts[left] : starts[left] + min(sizes[left], MOST_TWINS)]
        theirs = order[starts[right] : starts[right] + min(sizes[right], MOST_TWINS)]
        firsts.append(np.repeat(mine, len(theirs)))
        seconds.append(np.tile(theirs, len(mine)))
        between.append(np.full(len(mine) * len(theirs), distance, np.uint8))
    first, second = np.concatenate(firsts), np.concatenate(seconds)
    return np.minimum(first, second), np.maximum(first, second), np.concatenate(between)
