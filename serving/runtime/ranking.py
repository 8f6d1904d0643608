"""Scores as dialect 1 writes them: highest first, ties in label order, three decimals."""

from collections.abc import Sequence
from typing import Any

import numpy as np

TOP = 5


def ranked(scores: np.ndarray, labels: Sequence[str], top: int = TOP) -> list[list[str]]:
    """The `top` highest of one picture's scores (float [k]) as [label, "0.840"] pairs.

    The order is that of the full values, so two labels may show the same figure and still not be a tie.
    """
    order = np.argsort(-np.asarray(scores, dtype=np.float64), kind="stable")[:top]
    return [[labels[i], format(float(scores[i]), ".3f")] for i in order]


def predicted_label(scores: np.ndarray, labels: Sequence[str], threshold: float | None = None) -> str | None:
    """The label with the highest score (the first of equals); None where that lies below the threshold."""
    best = int(np.argmax(scores))
    if threshold is not None and float(scores[best]) < threshold:
        return None
    return labels[best]


def answer(
    scores: np.ndarray, labels: Sequence[str], *, top: int = TOP, threshold: float | None = None
) -> dict[str, Any]:
    """Dialect 1's object for one picture."""
    return {
        "predicted_label": predicted_label(scores, labels, threshold),
        "scores": ranked(scores, labels, top),
    }
