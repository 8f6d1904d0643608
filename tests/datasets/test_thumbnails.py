"""Thumbnails of JPEGs that shrink while they are decoded: as good as before, and damage is found all the same."""

import io
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from datasets import pixels
from datasets.preparing import prepare
from datasets.thumbnails import THUMBNAIL_SIDE, shrinks_evenly, thumbnail_of
from web import storage


@pytest.fixture
def flower(shared_data: Path) -> Callable[..., bytes]:
    """`flower(size, …)`: a photograph as a JPEG of this size."""
    with Image.open(shared_data / "awkward" / "flower.jpg") as opened:
        picture = opened.convert("RGB")

    def saved(size: tuple[int, int], **options: object) -> bytes:
        out = io.BytesIO()
        ImageOps.fit(picture, size).save(out, "JPEG", **{"quality": 88} | options)
        return out.getvalue()

    return saved


def code_of(content: bytes, draft_to: int | None) -> str:
    try:
        pixels.decode(content, draft_to=draft_to)
    except pixels.UnreadableImage as refused:
        return refused.code
    return "taken"


def far_from(picture: Image.Image, wanted: Image.Image) -> float:
    """Mean square difference."""
    return float(np.square(np.asarray(picture, np.float64) - np.asarray(wanted, np.float64)).mean())


@pytest.mark.parametrize(
    ("size", "factor"),
    [((640, 480), 2), ((639, 480), 1), ((638, 478), 1), ((1280, 962), 2), ((4032, 3024), 8), ((320, 960), 2)],
)
def test_only_what_divides_evenly_shrinks_and_never_below_a_thumbnail(
    size: tuple[int, int], factor: int
) -> None:
    assert shrinks_evenly(size) == factor
    assert max(size) / factor >= THUMBNAIL_SIDE or factor == 1


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 4}], ids=str)
def test_a_damaged_jpeg_is_refused_exactly_where_decoding_every_pixel_refuses_it(
    flower: Callable[..., bytes], options: dict[str, object]
) -> None:
    whole, chance = flower((640, 480), **options), random.Random(7)
    codes = []
    for number in range(60):
        damaged = bytearray(whole)
        if number % 3 == 0:
            del damaged[chance.randrange(20, len(whole)) :]
        else:
            for _ in range(chance.choice((1, 3, 20))):
                damaged[chance.randrange(2, len(whole))] = chance.randrange(256)
        codes.append(code_of(bytes(damaged), None))
        assert code_of(bytes(damaged), 240) == codes[-1], number
    assert {"broken", "taken"} <= set(codes)


@pytest.mark.parametrize("size", [(640, 480), (800, 600), (480, 640), (1920, 1080), (4032, 3024)])
def test_a_thumbnail_is_nearer_to_the_finest_reduction_than_one_of_the_whole_picture(
    flower: Callable[..., bytes], size: tuple[int, int]
) -> None:
    content = flower(size)
    whole = pixels.decode_rgb(content)
    shrunk = pixels.decode_rgb(content, draft_to=min(size) // shrinks_evenly(size))
    assert shrunk.width * shrinks_evenly(size) == size[0]
    thumbnail = thumbnail_of(shrunk, shrunk=True)
    finest = whole.resize(thumbnail.size, Image.Resampling.LANCZOS)
    assert max(thumbnail.size) == THUMBNAIL_SIDE
    assert far_from(thumbnail, finest) < far_from(thumbnail_of(whole), finest)


def test_a_turned_jpeg_is_upright_in_its_thumbnail(flower: Callable[..., bytes], db: None) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    found = prepare(flower((640, 480), exif=exif))
    with Image.open(io.BytesIO(storage.read(found.thumbnail_key))) as opened:
        assert opened.size == (240, 320) and (found.width, found.height) == (480, 640)


def test_a_small_picture_stays_as_it_is() -> None:
    picture = Image.new("RGB", (320, 200))
    assert thumbnail_of(picture) is picture
