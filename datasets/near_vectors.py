"""Pairs of embeddings that are nearly the same, found within cells instead of among all."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 96  # enough to find candidates by; the whole vectors decide
SAMPLE = 4_000
CELLS_EACH = 3  # so that near ones on both sides of a border meet
LARGEST_CELL = 3_000
SLACK = 0.06  # by which the short vectors may understate a likeness
Vectors: TypeAlias = NDArray[np.float32]
Whole = Callable[[NDArray[np.int64]], Vectors]


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """With length 1."""
    values = vectors.astype(np.float32)
    return np.asarray(values / (np.linalg.norm(values, axis=1, keepdims=True) + 1e-6))


def basis_of(sample: Vectors) -> Vectors:
    """The directions [d, DIMENSIONS] in which unit vectors differ most, none taken away: cosines stay."""
    _, _, directions = np.linalg.svd(sample, full_matrices=False)
    return np.ascontiguousarray(directions[:DIMENSIONS].T)


def near_vectors(
    short: Vectors, whole: Whole, least: float, *, check: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, int, float]]:
    """Pairs (first < second) with a cosine of at least `least`; cost grows with n^1.5, a few may be missed.

    `short`: unit vectors [n, DIMENSIONS] on `basis_of`; `whole(indices)` gives the unit vectors themselves.
    """
    seen: set[tuple[int, int]] = set()
    for members in cells_of(short):
        check()
        found = np.argwhere(np.triu(short[members] @ short[members].T, 1) >= least - SLACK)
        ones, others = members[found[:, 0]], members[found[:, 1]]
        fresh = [
            pair
            for pair in zip(np.minimum(ones, others).tolist(), np.maximum(ones, others).tolist(), strict=True)
            if pair not in seen
        ]
        seen.update(fresh)
        for start in range(0, len(fresh), 2_000):
            pairs = np.array(fresh[start : start + 2_000], dtype=np.int64)
            cosines = (whole(pairs[:, 0]) * whole(pairs[:, 1])).sum(axis=1)
            for (one, other), cosine in zip(pairs.tolist(), cosines.tolist(), strict=True):
                if cosine >= least:
                    yield one, other, cosine


def cells_of(short: Vectors) -> Iterator[NDArray[np.int64]]:
    """Overlapping sets of pictures that are near one another: each is in those of its nearest pivots."""
    count = len(short)
    cells = max(1, round(count**0.5 / 2))
    if cells <= CELLS_EACH:
        yield np.arange(count)
        return
    pivots = short[np.linspace(0, count - 1, cells).astype(np.int64)]
    nearest = np.empty((count, CELLS_EACH), dtype=np.int64)
    for start in range(0, count, 10_000):
        likeness = short[start : start + 10_000] @ pivots.T
        nearest[start : start + 10_000] = np.argpartition(-likeness, CELLS_EACH, axis=1)[:, :CELLS_EACH]
    order = np.argsort(nearest.ravel(), kind="stable")
    ends = np.searchsorted(nearest.ravel()[order], np.arange(cells + 1))
    for low, high in pairwise(ends.tolist()):
        members = np.unique(order[low:high] // CELLS_EACH)
        for start in range(0, len(members), LARGEST_CELL):
            part = members[start : start + LARGEST_CELL]
            if len(part) > 1:
                yield part
