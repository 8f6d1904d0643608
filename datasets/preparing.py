"""One file's way from bytes to a picture in the storage: decoded wholly, checked, perhaps scaled down."""

import hashlib
import threading
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from PIL import Image

from datasets import pixels
from datasets.reasons import NotAccepted
from datasets.thumbnails import (
    THUMBNAIL_QUALITY,
    THUMBNAIL_SIDE,
    jpeg_bytes,
    shrinks_evenly,
    thumbnail_of,
)
from web import storage

# AutoCV's rule: what is larger is scaled down (or refused where the limits are strict), the rest refused.
MOST_BYTES, MOST_SIDE, LEAST_SIDE, MOST_RATIO = 4 * 1024**2, 4096, 30, 3
SCALED_QUALITY = 92
GREY_SPREAD = 8  # how far the channels of a picture without colour may differ, after JPEG
SUFFIX = {"JPEG": ".jpg", "PNG": ".png", "BMP": ".bmp", "WEBP": ".webp", "HEIF": ".heic"}
# A 50-megapixel picture takes 300 MB while it is turned upright: large ones go one after another.
LARGE_PIXELS = 12_000_000
_large = threading.Lock()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A picture that lies in the storage and waits for its row. Sides are those of the upright picture."""

    key: str
    thumbnail_key: str
    format: str
    bytes: int
    width: int
    height: int
    difference_hash: int
    grey: bool


def sha256_of(content: bytes) -> str:
    """By which the same file is known again."""
    return hashlib.sha256(content).hexdigest()


def prepare(content: bytes, sha256: str = "") -> Prepared:
    """Decode, check, scale down if need be, store the picture and its thumbnail. Raises NotAccepted.

    `sha256`: the content's, where it is known. Touches no database, so that several threads may do it.
    """
    try:
        header = pixels.open_image(content, max_pixels=settings.MAX_PIXELS, max_bytes=settings.MAX_FILE_BYTES)
        if header.width * header.height < LARGE_PIXELS:
            return _prepared(content, header, sha256)
        with _large:
            return _prepared(content, header, sha256)
    except pixels.UnreadableImage as error:
        raise NotAccepted.because_of(error) from error


def check_header(content: bytes) -> None:
    """What can be told without decoding: type and sides. Raises NotAccepted."""
    try:
        header = pixels.open_image(content, max_pixels=settings.MAX_PIXELS, max_bytes=settings.MAX_FILE_BYTES)
    except pixels.UnreadableImage as error:
        raise NotAccepted.because_of(error) from error
    refuse_sides(header.size, len(content))


def _prepared(content: bytes, header: Image.Image, sha256: str) -> Prepared:
    size = header.size
    refuse_sides(size, len(content))
    target = size_within(size)
    scale_down = target != size or len(content) > MOST_BYTES
    factor = shrinks_evenly(size) if header.format in ("JPEG", "MPO") and not scale_down else 1
    # Whole blocks may be averaged away while decoding, but never below what is kept.
    draft_to = min(target) // factor if scale_down or factor > 1 else 2 * THUMBNAIL_SIDE
    decoded = pixels.decode(content, max_pixels=settings.MAX_PIXELS, draft_to=draft_to)
    upright = (decoded.width, decoded.height)
    kept, kind = content, decoded.type
    if scale_down:
        kept, upright = scaled(decoded.image, size_within(upright))
        kind, sha256 = "JPEG", ""
    small = thumbnail_of(decoded.image, shrunk=factor > 1)
    thumbnail = jpeg_bytes(small, THUMBNAIL_QUALITY, optimize=False)
    return Prepared(
        key=storage.put_bytes("images", kept, SUFFIX[kind], sha256=sha256),
        thumbnail_key=storage.put_bytes("thumbnails", thumbnail, ".jpg"),
        format=kind,
        bytes=len(kept),
        width=upright[0],
        height=upright[1],
        difference_hash=difference_hash(small),
        grey=is_grey(small),
    )


def refuse_sides(size: tuple[int, int], length: int) -> None:
    """Raises NotAccepted for what is too small or too long and, under strict limits, too large."""
    width, height = size
    sides = {"width": width, "height": height}
    if min(size) <= LEAST_SIDE:
        raise NotAccepted("too-small", **sides, least=LEAST_SIDE)
    if max(size) > MOST_RATIO * min(size):
        raise NotAccepted("too-long", **sides, ratio=MOST_RATIO)
    if settings.STRICT_IMAGE_LIMITS and (max(size) >= MOST_SIDE or length > MOST_BYTES):
        megabytes = f"{length / 1024**2:.1f}"
        raise NotAccepted("too-large", **sides, mb=megabytes, most=MOST_SIDE, limit_mb=MOST_BYTES // 1024**2)


def size_within(size: tuple[int, int]) -> tuple[int, int]:
    """The size with its longer side under the limit."""
    if max(size) < MOST_SIDE:
        return size
    scale = (MOST_SIDE - 1) / max(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def scaled(picture: Image.Image, target: tuple[int, int]) -> tuple[bytes, tuple[int, int]]:
    """The picture as a JPEG of at most the target size and the limit of bytes, and the size it got."""
    while True:
        if picture.size != target:
            picture = picture.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)
        content = jpeg_bytes(picture, SCALED_QUALITY)
        if len(content) <= MOST_BYTES:
            return content, target
        shrink = max(0.5, (MOST_BYTES / len(content)) ** 0.5 * 0.97)
        target = max(1, int(target[0] * shrink)), max(1, int(target[1] * shrink))


def difference_hash(picture: Image.Image) -> int:
    """64 bits saying where brightness rises from left to right in a 9 × 8 miniature; signed, for databases.

    Near copies differ in a few bits. Neal Krawetz, “Kind of like that” (2013).
    """
    small = np.asarray(picture.convert("L").resize((9, 8), Image.Resampling.BOX), dtype=np.int16)
    bits = np.packbits((small[:, 1:] > small[:, :-1]).ravel())
    return int.from_bytes(bits.tobytes(), "big", signed=True)


def is_grey(picture: Image.Image) -> bool:
    """Whether the picture has no colour to speak of."""
    values = np.asarray(picture.resize((32, 32), Image.Resampling.BOX, reducing_gap=1.0), dtype=np.int16)
    return bool((values.max(axis=2) - values.min(axis=2)).max() <= GREY_SPREAD)
