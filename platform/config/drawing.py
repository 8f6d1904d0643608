"""Draws the demo's pictures: shapes of random size, place, turn and colour; nothing need be downloaded."""

import io
import math
import random
import zipfile
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFilter

SHAPES = {"circle": 0, "star": 5, "triangle": 3}
SIDE = 160


def draw(shape: str, chance: random.Random) -> bytes:
    """One JPEG of one shape on a busy ground."""
    ground = Image.effect_noise((SIDE, SIDE), 40).convert("RGB")
    tint = Image.new("RGB", (SIDE, SIDE), colour(chance, 120, 255))
    picture = Image.blend(ground, tint, 0.75)
    pen = ImageDraw.Draw(picture)
    radius = chance.uniform(0.22, 0.42) * SIDE
    x, y = (chance.uniform(radius + 4, SIDE - radius - 4) for _ in range(2))
    fill = colour(chance, 0, 110)
    if shape == "circle":
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)
    else:
        pen.polygon(corners(shape, x, y, radius, chance.uniform(0, math.tau)), fill=fill)
    out = io.BytesIO()
    picture.filter(ImageFilter.GaussianBlur(chance.uniform(0, 1.2))).save(out, "JPEG", quality=88)
    return out.getvalue()


def corners(shape: str, x: float, y: float, radius: float, turn: float) -> list[tuple[float, float]]:
    """A triangle's corners, or a star's with every second one drawn in."""
    count = SHAPES[shape] * (2 if shape == "star" else 1)
    reach = [radius * (0.42 if shape == "star" and each % 2 else 1) for each in range(count)]
    angles = [turn + math.tau * each / count for each in range(count)]
    return [(x + far * math.cos(a), y + far * math.sin(a)) for far, a in zip(reach, angles, strict=True)]


def colour(chance: random.Random, low: int, high: int) -> tuple[int, int, int]:
    """A random colour between two brightnesses."""
    return (chance.randint(low, high), chance.randint(low, high), chance.randint(low, high))


def archive(shapes: Sequence[str], each: int, chance: random.Random) -> bytes:
    """A zip with one folder a shape, as a person would send it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for shape in shapes:
            for number in range(each):
                file.writestr(f"{shape}/{number:03}.jpg", draw(shape, chance))
    return out.getvalue()
