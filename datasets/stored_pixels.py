"""Stored pictures as a model's input."""

import numpy as np

from datasets import pixels
from datasets.pixels import PixelSpec
from web import storage


def pixels_of(key: str, spec: PixelSpec) -> np.ndarray:
    """The picture stored under `key`, through the one pixel path: uint8 [size, size, 3]."""
    return pixels.to_pixels(storage.read(key), spec)
