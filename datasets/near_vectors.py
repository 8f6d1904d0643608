"""Pairs of embeddings that are nearly the same, found within cells instead of among all."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 96  # enough to find candidates by; the whole vectors decide
SAMPLE = 4_000
CELLS_EACH = 3  # so that near ones on both sides of a border meet
BLOCK = 3_000
SLACK = 0.06  # by which the short vectors may understate a likeness
Vectors: TypeAlias = NDArray[np.float32]
Indices: TypeAlias = NDArray[np.int64]
Whole = Callable[[Indices], Vectors]
Worth = Callable[[Indices, Indices, Vectors], NDArray[np.bool_]]


def unit(vectors: NDArray[np.floating]) -> Vectors:
    """With length 1."""
    values = vectors.astype(np.float32)
    return np.asarray(values / (np.linalg.norm(values, axis=1, keepdims=True) + 1e-6))


def basis_of(sample: Vectors) -> Vectors:
    """The directions [d, DIMENSIONS] in which unit vectors differ most, none taken away: cosines stay."""
    _, _, directions = np.linalg.svd(sample, full_matrices=False)
    return np.ascontiguousarray(directions[:DIMENSIONS].T)


def near_vectors(
    short: Vectors, whole: Whole, least: float, *, worth: Worth, check: Callable[[], None] = lambda: None
) -> Iterator[tuple[int, int, float]]:
    """Pairs (first < second) with a cosine of at least `least`; cost grows with n^1.5, a few may be missed.

    `short`: unit vectors [n, DIMENSIONS] on `basis_of`; `whole(indices)` gives the unit vectors themselves;
    `worth(ones, others, short cosines)` says cheaply which candidates these are to be read for.
    """
    seen: set[tuple[int, int]] = set()
    for left, right in blocks_of(short):
        check()
        likeness = short[left] @ short[right].T
        rows, columns = np.nonzero(likeness >= least - SLACK)
        ascending = left[rows] < right[columns]
        rows, columns = rows[ascending], columns[ascending]
        ones, others = left[rows], right[columns]
        keep = worth(ones, others, likeness[rows, columns])
        fresh = [
            pair for pair in zip(ones[keep].tolist(), others[keep].tolist(), strict=True) if pair not in seen
        ]
        seen.update(fresh)
        for start in range(0, len(fresh), 2_000):
            check()
            pairs = np.array(fresh[start : start + 2_000], dtype=np.int64)
            cosines = (whole(pairs[:, 0]) * whole(pairs[:, 1])).sum(axis=1)
            for (one, other), cosine in zip(pairs.tolist(), cosines.tolist(), strict=True):
                if cosine >= least:
                    yield one, other, cosine


def blocks_of(short: Vectors) -> Iterator[tuple[Indices, Indices]]:
    """Each cell with itself, in blocks small enough for memory."""
    for members in cells_of(short):
        parts = [members[start : start + BLOCK] for start in range(0, len(members), BLOCK)]
        for at, left in enumerate(parts):
            for right in parts[at:]:
                yield left, right


def cells_of(short: Vectors) -> Iterator[NDArray[np.int64]]:
    """Overlapping sets of pictures that are near one another: each is in those of its nearest pivots."""
    count = len(short)
    cells = max(1, round(count**0.5 / 2))
    if cells <= CELLS_EACH:
        yield np.arange(count)
        return
    centred = unit(short - short.mean(axis=0))  # else a few pivots in the middle draw most pictures
    pivots = centred[np.linspace(0, count - 1, cells).astype(np.int64)]
    nearest = np.empty((count, CELLS_EACH), dtype=np.int64)
    for start in range(0, count, 10_000):
        likeness = centred[start : start + 10_000] @ pivots.T
        nearest[start : start + 10_000] = np.argpartition(-likeness, CELLS_EACH, axis=1)[:, :CELLS_EACH]
    order = np.argsort(nearest.ravel(), kind="stable")
    ends = np.searchsorted(nearest.ravel()[order], np.arange(cells + 1))
    for low, high in pairwise(ends.tolist()):
        yield np.unique(order[low:high] // CELLS_EACH)
