"""What stands in for a feature extractor where there are no weights: colours, edges and a miniature. Weak."""

import numpy as np

from datasets.pixels import PixelSpec, spec_for

SPEC: PixelSpec = spec_for(64)
CELLS, ANGLES, COLOURS, MINIATURE = 4, 9, 4, 8
DIMENSIONS = COLOURS**3 + 2 * CELLS * CELLS * 3 + CELLS * CELLS * ANGLES + MINIATURE * MINIATURE


def simple_features(pixels: np.ndarray) -> np.ndarray:
    """uint8 [n, 64, 64, 3] → float32 [n, DIMENSIONS]; each part has length 1, so none drowns the others."""
    values = pixels.astype(np.float32) / 255
    parts = (_colours(pixels), _cells(values), _edges(values), _miniature(values))
    return np.concatenate([_unit(part) for part in parts], axis=1)


def _unit(part: np.ndarray) -> np.ndarray:
    return np.asarray(part / (np.linalg.norm(part, axis=1, keepdims=True) + 1e-6))


def _colours(pixels: np.ndarray) -> np.ndarray:
    """How much of each of 64 colours there is."""
    steps = (pixels // (256 // COLOURS)).astype(np.int64)
    index = (steps[..., 0] * COLOURS + steps[..., 1]) * COLOURS + steps[..., 2]
    flat = index.reshape(len(pixels), -1)
    counts = np.stack([np.bincount(row, minlength=COLOURS**3) for row in flat])
    return np.sqrt(counts.astype(np.float32))


def _split(values: np.ndarray) -> np.ndarray:
    """[n, 64, 64, …] → [n, 4, 4, 256, …]: the picture in 16 cells."""
    n, side = values.shape[0], values.shape[1] // CELLS
    cells = values.reshape(n, CELLS, side, CELLS, side, *values.shape[3:]).swapaxes(2, 3)
    return np.asarray(cells.reshape(n, CELLS, CELLS, side * side, *values.shape[3:]))


def _cells(values: np.ndarray) -> np.ndarray:
    """Mean colour and its spread in each cell."""
    cells = _split(values)
    return np.concatenate([cells.mean(axis=3), cells.std(axis=3)], axis=3).reshape(len(values), -1)


def _edges(values: np.ndarray) -> np.ndarray:
    """How strongly edges run in each of nine directions in each cell (a small histogram of gradients)."""
    grey = values.mean(axis=3)
    down, right = np.gradient(grey, axis=(1, 2))
    strength = np.hypot(right, down)
    angle = (np.arctan2(down, right) % np.pi) * ANGLES / np.pi
    which = np.minimum(angle.astype(np.int64), ANGLES - 1)
    sums = [_split(np.where(which == each, strength, 0)).sum(axis=3) for each in range(ANGLES)]
    return np.asarray(np.sqrt(np.stack(sums, axis=3).reshape(len(values), -1)))


def _miniature(values: np.ndarray) -> np.ndarray:
    """The picture in 8 × 8 greys, without its mean brightness."""
    side = values.shape[1] // MINIATURE
    small = values.mean(axis=3).reshape(len(values), MINIATURE, side, MINIATURE, side).mean(axis=(2, 4))
    flat = small.reshape(len(values), -1)
    return np.asarray(flat - flat.mean(axis=1, keepdims=True))
