"""Temperature scaling (Guo et al. 2017, "On Calibration of Modern Neural Networks"): one number, fitted on
validation logits, after which a score of 0.8 is right about eight times in ten. The order never changes."""

from __future__ import annotations

import math

import torch

LOWEST, HIGHEST = 0.25, 10.0
_GOLDEN = (math.sqrt(5) - 1) / 2


def fitted_temperature(logits: torch.Tensor, targets: torch.Tensor) -> float:
    """`logits` [n, k], `targets` [n] -> the T with the least cross-entropy of softmax(logits / T).

    The loss has one minimum in log T, so golden-section search finds it and cannot run away. With few
    pictures a fit can claim more certainty than they show (all right: T towards 0), so the answer is drawn
    towards 1 as if ten more pictures had asked for that, and kept within LOWEST..HIGHEST.
    """
    logits, targets = logits.double(), targets.long()

    def loss(log_t: float) -> float:
        nll = torch.nn.functional.cross_entropy(logits / math.exp(log_t), targets, reduction="sum")
        return float(nll) + 10 * log_t**2

    low, high = math.log(LOWEST), math.log(HIGHEST)
    while high - low > 1e-4:
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        if loss(left) <= loss(right):
            high = right
        else:
            low = left
    return math.exp((low + high) / 2)
