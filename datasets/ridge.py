"""A linear head in closed form (numpy only): fitted in a second, with left-out scores that calibrate it.

Ridge regression on one-hot labels; what each picture would score had it not been in the fit follows without
refitting (Allen's PRESS, 1974), and on those scores strength and temperature are chosen. Against a logistic
head on the same embeddings it is as right and as well calibrated, at a tenth of the time.
See docs/suggestions.md.
"""

from dataclasses import dataclass

import numpy as np

STRENGTHS = np.geomspace(0.003, 300.0, 11)
TEMPERATURES = np.geomspace(0.5, 40.0, 23)
FLOOR = 1e-9


@dataclass(frozen=True)
class Head:
    """What was learnt. `left_out` [n, k]: each fitted picture's probabilities by the others alone."""

    mean: np.ndarray  # [d]
    weights: np.ndarray  # [d, k]
    bias: np.ndarray  # [k]
    temperature: float
    left_out: np.ndarray

    def probabilities(self, vectors: np.ndarray) -> np.ndarray:
        """[m, d] → float32 [m, k], each row adding up to 1."""
        scores = (unit(vectors) - self.mean) @ self.weights + self.bias
        return softmax(scores * self.temperature).astype(np.float32)


def fit(vectors: np.ndarray, classes: np.ndarray, count: int) -> Head:
    """Learn from [n, d] vectors and their classes 0..count-1 [n]."""
    known = unit(vectors)
    mean = known.mean(axis=0)
    left, values = directions(known - mean)
    wanted = np.eye(count, dtype=np.float32)[classes]
    bias = wanted.mean(axis=0)
    along = left.T @ (wanted - bias)
    best = (np.inf, 0.0, 0.0, wanted)
    for strength in STRENGTHS:
        outside = left_out_scores(left, values / (values + strength), along, wanted)
        for temperature in TEMPERATURES:
            loss = surprise(outside * temperature, classes)
            if loss < best[0]:
                best = (loss, float(strength), float(temperature), outside)
    _, strength, temperature, outside = best
    weights = (known - mean).T @ (left @ (along / (values + strength)[:, None]))
    return Head(mean, weights, bias, temperature, softmax(outside * temperature))


def directions(centred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Left singular vectors [n, r] and squared singular values [r], by way of the smaller Gram matrix."""
    n, d = centred.shape
    if n <= d:
        values, left = np.linalg.eigh(centred @ centred.T)
        keep = values > FLOOR * max(float(values[-1]), 1.0) * n
        return left[:, keep], values[keep]
    values, right = np.linalg.eigh(centred.T @ centred)
    keep = values > FLOOR * max(float(values[-1]), 1.0) * n
    return centred @ right[:, keep] / np.sqrt(values[keep]), values[keep]


def left_out_scores(
    left: np.ndarray, shrink: np.ndarray, along: np.ndarray, wanted: np.ndarray
) -> np.ndarray:
    """What each picture scores [n, k] where all but itself were fitted."""
    own = np.minimum((left * left) @ shrink + 1 / len(left), 1 - 1e-4)[:, None]
    fitted = (left * shrink) @ along + wanted.mean(axis=0)
    return np.asarray((fitted - own * wanted) / (1 - own))


def surprise(scores: np.ndarray, classes: np.ndarray) -> float:
    """Mean cross-entropy, as if one more picture had a random label: a few lucky ones prove little."""
    found = np.log(np.maximum(softmax(scores), FLOOR))
    doubt = 1 / (len(classes) + 2)
    right = found[np.arange(len(classes)), classes].mean()
    return float(-(1 - doubt) * right - doubt * found.mean())


def softmax(scores: np.ndarray) -> np.ndarray:
    """Each row to probabilities."""
    raised = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def unit(vectors: np.ndarray) -> np.ndarray:
    """Rows of length 1, float32."""
    wide = vectors.astype(np.float32)
    return np.asarray(wide / (np.linalg.norm(wide, axis=1, keepdims=True) + 1e-6))
