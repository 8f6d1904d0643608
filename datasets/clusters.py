"""Groups of points that lie close together: mini-batch k-means, the same for the same points. Pure numpy.

D. Sculley, “Web-Scale K-Means Clustering” (2010); first centres as in k-means++ (Arthur, Vassilvitskii 2007).
"""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float32]  # [n, dimensions]
Check = Callable[[], None]
IN_A_GROUP, MOST_GROUPS = 40, 400
BATCH, ROUNDS, SAMPLE = 2048, 60, 8192
CHUNK = 16_384


def how_many(points: int) -> int:
    """Groups for so many points: about IN_A_GROUP in each while that is not too many groups."""
    return max(1, min(MOST_GROUPS, points // IN_A_GROUP))


def centres_of(points: Points, groups: int, *, check: Check = lambda: None) -> Points:
    """The centres [groups, dimensions], neighbours following one another. Not more than there are points."""
    if min(groups, len(points)) == 1:
        return np.asarray(points.mean(axis=0, keepdims=True), dtype=np.float32)
    chance = np.random.default_rng(0)
    centres = first_centres(points, min(groups, len(points)), chance)
    seen = np.zeros(len(centres), dtype=np.float32)
    for _ in range(ROUNDS):
        check()
        batch = points[chance.integers(0, len(points), BATCH)]
        nearest = groups_of(batch, centres)
        counts = np.bincount(nearest, minlength=len(centres)).astype(np.float32)
        met = counts > 0  # each centre moves by the share of what it has seen that is new
        sums = summed(batch, nearest)
        seen += counts
        centres[met] += (sums - counts[met, None] * centres[met]) / seen[met, None]
    ordered: Points = centres[walk(centres)]
    return ordered


def summed(points: Points, groups: NDArray[np.int64]) -> Points:
    """The sum of the points of each group that has some, by rising group."""
    order = np.argsort(groups, kind="stable")
    starts = np.flatnonzero(np.diff(groups[order], prepend=-1))
    found: Points = np.add.reduceat(points[order], starts, axis=0)
    return found


def first_centres(points: Points, groups: int, chance: np.random.Generator) -> Points:
    """Points that lie far from one another, of a sample."""
    some = points[np.sort(chance.permutation(len(points))[:SAMPLE])]
    chosen = [int(chance.integers(0, len(some)))]
    left = squared(some, some[chosen])[:, 0]
    for _ in range(1, groups):
        sum_left = float(left.sum())
        share = left / sum_left if sum_left > 0 else np.full(len(some), 1 / len(some), dtype=np.float32)
        next_one = int(np.searchsorted(np.cumsum(share), chance.random()).clip(0, len(some) - 1))
        chosen.append(next_one)
        left = np.minimum(left, squared(some, some[[next_one]])[:, 0])
    return np.array(some[chosen], dtype=np.float32)


def squared(points: Points, centres: Points) -> Points:
    """Squared distances [n, groups]."""
    found = (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)
    far: Points = np.maximum(found, np.float32(0))
    return far


def groups_of(points: "Points | NDArray[np.int8]", centres: Points) -> NDArray[np.int64]:
    """For each point the number of its nearest centre."""
    found = [squared(part.astype(np.float32), centres).argmin(axis=1) for part in in_chunks(points)]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int64)


def in_chunks(points: "Points | NDArray[np.int8]") -> Iterator[Any]:
    """So that a million points never need a million rows of distances."""
    for start in range(0, len(points), CHUNK):
        yield points[start : start + CHUNK]


def walk(centres: Points) -> list[int]:
    """An order in which each centre follows the one that it is nearest to, from the outermost on."""
    here = int(squared(centres, centres.mean(axis=0, keepdims=True))[:, 0].argmax())
    order, far = [here], squared(centres, centres)
    far[:, here] = np.inf
    while len(order) < len(centres):
        here = int(far[here].argmin())
        far[:, here] = np.inf
        order.append(here)
    return order
