"""Confident learning: which of the given labels are probably wrong, by probabilities that did not see them.

Northcutt, Jiang, Chuang: Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70 (2021),
https://arxiv.org/abs/1911.00068. A picture is confidently of a class where its probability for that class is at
least what pictures given that class have on average (section 3.1). Where that is another class than the given
one, it is off the diagonal of the confident joint, and suspected. Numpy alone.
"""

from typing import NamedTuple

import numpy as np


class Suspect(NamedTuple):
    """A row whose label is doubted; `score`: by how much the proposed class is more probable, 0 to 1."""

    row: int
    proposed: int
    score: float


def suspects(probabilities: np.ndarray, given: np.ndarray) -> list[Suspect]:
    """The rows that are probably wrong, the most certain first.

    `probabilities` [n, k] as a model says that did not learn from the row itself; `given` [n] of 0..k-1.
    Classes without a row are never proposed.
    """
    n, k = probabilities.shape
    thresholds = class_thresholds(probabilities, given, k)
    confident = np.where(probabilities >= thresholds, probabilities, -1.0)
    likely = confident.argmax(axis=1)
    rows = np.arange(n)
    off = (confident[rows, likely] > 0) & (likely != given)
    margin = probabilities[rows, likely] - probabilities[rows, given]
    found = rows[off & (margin > 0)]
    order = found[np.argsort(-margin[found], kind="stable")]
    return [Suspect(int(row), int(likely[row]), float(margin[row])) for row in order]


def class_thresholds(probabilities: np.ndarray, given: np.ndarray, k: int) -> np.ndarray:
    """Mean self-confidence of each class [k]; infinite where no row has it."""
    sums = np.bincount(given, weights=probabilities[np.arange(len(given)), given], minlength=k)
    counts = np.bincount(given, minlength=k)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.inf)


def confident_joint(probabilities: np.ndarray, given: np.ndarray) -> np.ndarray:
    """How many rows given i are confidently j [k, k], each row of it scaled to the class's size."""
    k = probabilities.shape[1]
    confident = np.where(probabilities >= class_thresholds(probabilities, given, k), probabilities, -1.0)
    likely = confident.argmax(axis=1)
    sure = confident.max(axis=1) > 0
    joint = np.zeros((k, k))
    np.add.at(joint, (given[sure], likely[sure]), 1)
    counts = np.bincount(given, minlength=k)
    sums = joint.sum(axis=1)
    return np.asarray(joint * np.divide(counts, sums, out=np.zeros(k), where=sums > 0)[:, None])
