"""The numbers of a report from true labels and scores. Worker only: scikit-learn loads on the first call."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Z95 = 1.959963984540054
TOP = 5
BINS = 15
TINY = 1e-12

Truth = NDArray[np.int64]  # [n], index of the true label
Scores = NDArray[np.float32]  # [n, labels], each row sums to 1


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927): honest for small n and near 0 and 1."""
    if not n:
        return 0.0, 1.0
    share, z2 = right / n, Z95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # At 0 and 1 the exact bound is the share itself; rounding must not leave it outside its own interval.
    return max(0.0, min(middle - half, share)), min(1.0, max(middle + half, share))


def predicted_of(scores: Scores) -> Truth:
    """The label with the highest score, the first of equals."""
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)


def confusion(truth: Truth, predicted: Truth, labels: int) -> list[list[int]]:
    """counts[true][predicted]."""
    counts = np.zeros((labels, labels), dtype=np.int64)
    np.add.at(counts, (truth, predicted), 1)
    return [[int(value) for value in row] for row in counts]


def top_k(truth: Truth, scores: Scores, k: int) -> float:
    """How often the true label is among the k highest; ties in label order."""
    if k >= scores.shape[1]:
        return 1.0
    best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((best == truth[:, None]).any(axis=1).mean())


def auc(truth: Truth, scores: Scores) -> float | None:
    """Macro one-vs-rest area under the ROC curve, over the labels where it is defined; None for none."""
    from sklearn.metrics import roc_auc_score

    present = [label for label in range(scores.shape[1]) if 0 < int((truth == label).sum()) < len(truth)]
    if not present:
        return None
    return float(np.mean([roc_auc_score(truth == label, scores[:, label]) for label in present]))


def kappa(truth: Truth, predicted: Truth, labels: int) -> float | None:
    """Cohen's kappa; None where chance alone agrees always."""
    counts = np.asarray(confusion(truth, predicted, labels), dtype=float)
    n = counts.sum()
    chance = float(counts.sum(axis=0) @ counts.sum(axis=1)) / (n * n)
    return None if chance >= 1 else (float(np.trace(counts)) / n - chance) / (1 - chance)


def log_loss(truth: Truth, scores: Scores) -> float:
    """Mean negative log of the true label's score."""
    return float(-np.log(np.clip(scores[np.arange(len(truth)), truth], TINY, 1.0)).mean())


def calibration(truth: Truth, scores: Scores) -> dict[str, Any]:
    """Expected calibration error over 15 equal bins of confidence, and the bins that hold pictures."""
    confidence, right = scores.max(axis=1), predicted_of(scores) == truth
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    bins = []
    for place in range(BINS):
        inside = places == place
        if inside.any():
            bins.append(
                {
                    "low": place / BINS,
                    "high": (place + 1) / BINS,
                    "n": int(inside.sum()),
                    "confidence": float(confidence[inside].mean()),
                    "accuracy": float(right[inside].mean()),
                }
            )
    gaps = sum(each["n"] * abs(each["confidence"] - each["accuracy"]) for each in bins)
    return {"ece": gaps / len(truth), "bins": bins}


def by_label(truth: Truth, predicted: Truth, names: list[str]) -> list[dict[str, Any]]:
    """Precision, recall, f1 (zero division 0) and support of each label, with the interval of its recall."""
    from sklearn.metrics import precision_recall_fscore_support

    each = precision_recall_fscore_support(truth, predicted, labels=range(len(names)), zero_division=0)
    rows = []
    for index, (name, precision, recall, f1, support) in enumerate(zip(names, *each, strict=True)):
        low, high = wilson(int(((truth == index) & (predicted == index)).sum()), int(support))
        numbers = {
            "precision": float(precision),
            "recall": float(recall),
            "f1": float(f1),
            "support": int(support),
        }
        rows.append(
            {"name": name, **numbers, "predicted": int((predicted == index).sum()), "low": low, "high": high}
        )
    return rows


def overall(truth: Truth, scores: Scores, labels: list[dict[str, Any]]) -> dict[str, Any]:
    """The numbers over all held-back pictures; `labels` is what `by_label` gave."""
    predicted = predicted_of(scores)
    n, right = len(truth), int((predicted == truth).sum())
    low, high = wilson(right, n)
    macro = {name: float(np.mean([row[name] for row in labels])) for name in ("f1", "precision", "recall")}
    tops = {f"top{k}": top_k(truth, scores, k) for k in range(1, TOP + 1)}
    return {
        "n": n,
        "accuracy": {"value": right / n, "low": low, "high": high},
        **macro,
        "auc": auc(truth, scores),
        "kappa": kappa(truth, predicted, len(labels)),
        **tops,
        "log_loss": log_loss(truth, scores),
        "ece": calibration(truth, scores)["ece"],
    }
