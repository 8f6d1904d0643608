"""What a picture may look like in training without becoming another thing: turned, cropped, mirrored, recoloured."""

from __future__ import annotations

import math

import torch
from torch.nn import functional

TURN = math.radians(15)
LEAST_AREA = 0.75  # of the picture, that a crop shows
STRETCH = 0.2  # log of the ratio by which a crop may be wider or higher
JITTER = 0.2  # of brightness, contrast and colour


def varied(images: torch.Tensor, size: int, random: torch.Generator) -> torch.Tensor:
    """uint8 [n, s, s, 3] with s >= size -> float32 0..255 [n, size, size, 3], each in its own way.

    Turn, crop and mirror are one resampling, so a picture is blurred once; its edge is mirrored outwards.
    """
    x = images.permute(0, 3, 1, 2).float()
    grid = functional.affine_grid(
        _views(len(x), random).to(x.device), [len(x), 3, size, size], align_corners=False
    )
    x = functional.grid_sample(x, grid, padding_mode="reflection", align_corners=False)
    return _recoloured(x, random).clamp(0, 255).permute(0, 2, 3, 1)


def plain(images: torch.Tensor, size: int) -> torch.Tensor:
    """uint8 [n, s, s, 3] -> float32 0..255 [n, size, size, 3], the whole picture as prediction sees it."""
    x = images.permute(0, 3, 1, 2).float()
    if x.shape[-1] != size:
        x = functional.interpolate(x, (size, size), mode="bilinear", antialias=True)
    return x.permute(0, 2, 3, 1)


def _views(count: int, random: torch.Generator) -> torch.Tensor:
    """[n, 2, 3]: where each corner of the new picture looks in the old one, in -1..1."""
    between = _between(random)
    area, turn = between(LEAST_AREA, 1.0, count), between(-TURN, TURN, count)
    ratio = between(-STRETCH, STRETCH, count).exp().sqrt()
    wide, high = (area.sqrt() * ratio).clamp(max=1), (area.sqrt() / ratio).clamp(max=1)
    mirror = torch.where(between(0, 1, count) < 0.5, -1.0, 1.0)
    cos, sin = turn.cos(), turn.sin()
    across = torch.stack([wide * cos * mirror, -high * sin, between(-1, 1, count) * (1 - wide)], 1)
    down = torch.stack([wide * sin * mirror, high * cos, between(-1, 1, count) * (1 - high)], 1)
    return torch.stack([across, down], 1)


def _recoloured(x: torch.Tensor, random: torch.Generator) -> torch.Tensor:
    """Brightness, contrast and saturation, each by up to JITTER. float32 [n, 3, h, w] in and out."""
    between = _between(random)
    gain, contrast, colour = (
        between(1 - JITTER, 1 + JITTER, len(x)).view(-1, 1, 1, 1).to(x.device) for _ in range(3)
    )
    x = x * gain
    mean = x.mean((1, 2, 3), keepdim=True)
    x = (x - mean) * contrast + mean
    grey = x.mean(1, keepdim=True)
    return (x - grey) * colour + grey


def _between(random: torch.Generator):  # type: ignore[no-untyped-def]
    return lambda low, high, count: low + (high - low) * torch.rand(count, generator=random)
