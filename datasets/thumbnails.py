"""Small pictures for people: the thumbnail made at import, and larger previews made when somebody looks."""

import io

from PIL import Image

from datasets import pixels
from web import storage

THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 320, 82
PREVIEW_SIDE, PREVIEW_QUALITY = 1600, 88
MIDDLE_SIDE = 640  # in the grid, where thumbnails are shown larger than they are


def shrinks_evenly(size: tuple[int, int]) -> int:
    """By how much a JPEG of this size may shrink while it is decoded, for a thumbnail: 8, 4, 2, or 1: not at all.

    All its data is read and checked all the same. A side that does not divide would come out a little askew.
    """
    for factor in (8, 4, 2):
        if max(size) >= factor * THUMBNAIL_SIDE and not (size[0] % factor or size[1] % factor):
            return factor
    return 1


def thumbnail_of(picture: Image.Image, *, shrunk: bool = False) -> Image.Image:
    """The upright RGB picture with its longer side at most 320 pixels; smaller ones are returned as they are.

    `shrunk`: the decoder has shrunk it to less than twice that; what is left to do is done with the finer filter.
    """
    if max(picture.size) <= THUMBNAIL_SIDE:
        return picture
    scale = THUMBNAIL_SIDE / max(picture.size)
    return picture.resize(
        (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))),
        Image.Resampling.BICUBIC if shrunk else Image.Resampling.BILINEAR,
        reducing_gap=2.0,
    )


def jpeg_bytes(picture: Image.Image, quality: int, *, optimize: bool = True) -> bytes:
    """The picture as a JPEG without any metadata. `optimize`: three per cent smaller, in twice the time."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=optimize)
    return out.getvalue()


def preview(key: str, *, side: int = PREVIEW_SIDE) -> bytes:
    """A stored picture for the browser: an upright JPEG, re-encoded so that no stranger's bytes are served.

    Raises UnreadableImage, which a stored picture never gives unless the storage is damaged.
    """
    picture = pixels.decode_rgb(storage.read(key), draft_to=side)
    picture.thumbnail((side, side), Image.Resampling.BILINEAR)
    return jpeg_bytes(picture, PREVIEW_QUALITY)
