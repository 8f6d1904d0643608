"""The five numbers a fit can be chosen by, from logits. Macro averages, zero where undefined."""

from __future__ import annotations

import torch


def scores_of(logits: torch.Tensor, targets: torch.Tensor) -> dict[str, float]:
    """`logits` [n, k], `targets` int64 [n] -> top1, top5, precision, recall and f1 in 0..1.

    top5 is 1 where there are at most five labels. Macro over the labels that occur as truth or as answer, as
    scikit-learn counts them with zero_division=0.
    """
    labels = logits.shape[1]
    best = logits.argmax(1)
    top5 = logits.topk(min(5, labels), dim=1).indices.eq(targets[:, None]).any(1).float().mean()
    hits = torch.bincount(targets[best == targets], minlength=labels).double()
    true = torch.bincount(targets, minlength=labels).double()
    said = torch.bincount(best, minlength=labels).double()
    seen = (true + said) > 0

    def macro(top: torch.Tensor, bottom: torch.Tensor) -> float:
        return float((top / bottom.clamp(min=1))[seen].mean())

    return {
        "top1": float((best == targets).double().mean()),
        "top5": float(top5),
        "precision": macro(hits, said),
        "recall": macro(hits, true),
        "f1": macro(2 * hits, true + said),
    }


def calibration_error(logits: torch.Tensor, targets: torch.Tensor, bins: int = 10) -> float:
    """Expected calibration error, 0..1: how far the best score is, on average, from the truth."""
    scores, best = logits.double().softmax(1).max(1)
    right = (best == targets).double()
    of = (scores * bins).long().clamp(max=bins - 1)
    gaps = torch.zeros(bins, dtype=torch.float64).index_add_(0, of, right - scores)
    return float(gaps.abs().sum() / len(targets))
