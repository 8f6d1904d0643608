"""Small pictures for people: the thumbnail made at import, and larger previews made when somebody looks."""

import io

from PIL import Image

from datasets import pixels
from web import storage

THUMBNAIL_SIDE, THUMBNAIL_QUALITY = 320, 82
PREVIEW_SIDE, PREVIEW_QUALITY = 1600, 88
MIDDLE_SIDE = 640  # in the grid, where thumbnails are shown larger than they are


def thumbnail_of(picture: Image.Image) -> Image.Image:
    """The upright RGB picture with its longer side at most 320 pixels; smaller ones stay as they are."""
    small = picture.copy() if max(picture.size) <= THUMBNAIL_SIDE else picture
    if small is picture:
        scale = THUMBNAIL_SIDE / max(picture.size)
        small = picture.resize(
            (max(1, round(picture.width * scale)), max(1, round(picture.height * scale))),
            Image.Resampling.BILINEAR,
            reducing_gap=2.0,
        )
    return small


def jpeg_bytes(picture: Image.Image, quality: int) -> bytes:
    """The picture as a JPEG without any metadata."""
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def preview(key: str, *, side: int = PREVIEW_SIDE) -> bytes:
    """A stored picture for the browser: an upright JPEG, re-encoded so that no stranger's bytes are served.

    Raises UnreadableImage, which a stored picture never gives unless the storage is damaged.
    """
    picture = pixels.decode_rgb(storage.read(key), draft_to=side)
    picture.thumbnail((side, side), Image.Resampling.BILINEAR)
    return jpeg_bytes(picture, PREVIEW_QUALITY)
