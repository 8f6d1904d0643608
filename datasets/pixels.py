"""The one pixel path: bytes of a picture in, the model's uint8 RGB input out, the same everywhere.

Imports, thumbnails, training, evaluation, prediction and the offline bundle all call this file, and the
bundle carries a copy of it: it needs Pillow and numpy and nothing else (pillow-heif adds HEIC where present).
"""

from __future__ import annotations

import io
import json
import struct
import zlib
from dataclasses import asdict, dataclass
from functools import cache
from typing import BinaryIO, Literal

import numpy as np
from PIL import Image

Source = bytes | bytearray | memoryview | BinaryIO
Fit = Literal["stretch", "pad"]
Filter = Literal["bilinear", "bicubic", "lanczos", "box", "hamming"]
Code = Literal["empty", "broken", "not-an-image", "type-not-taken", "too-many-pixels", "too-many-bytes"]

MAX_PIXELS = 50_000_000
WHITE = (255, 255, 255)
# ImageNet's mean colour: zero after the usual normalisation, so a padded border is as silent as can be.
PAD_COLOUR = (124, 116, 104)


# --- what can go wrong ------------------------------------------------------------------------------------


class UnreadableImage(ValueError):
    """A picture was refused. `code` is stable (clients and translations key on it), `str()` is a sentence."""

    def __init__(self, code: Code, sentence: str, **numbers: int | float | str) -> None:
        super().__init__(sentence)
        self.code: Code = code
        self.sentence = sentence
        self.numbers = numbers


def _broken() -> UnreadableImage:
    return UnreadableImage("broken", "The picture is damaged or cut short and cannot be decoded.")


def _too_many_pixels(width: int | None, height: int | None, limit: int) -> UnreadableImage:
    limit_mp = limit / 1e6
    if not width or not height:
        return UnreadableImage(
            "too-many-pixels", f"The picture has more than {limit_mp:g} megapixels.", limit_mp=limit_mp
        )
    megapixels = round(width * height / 1e6, 1)
    return UnreadableImage(
        "too-many-pixels",
        f"The picture is {width} × {height} pixels ({megapixels:g} megapixels); {limit_mp:g} are allowed.",
        width=width,
        height=height,
        megapixels=megapixels,
        limit_mp=limit_mp,
    )


def _type_not_taken(name: str) -> UnreadableImage:
    sentence = f"{name} is not taken. Use JPEG, PNG, BMP, WebP or HEIC."
    return UnreadableImage("type-not-taken", sentence, type=name)


# What a damaged file makes Pillow's decoders raise, beside OSError (which holds UnidentifiedImageError).
_DECODER_FAULTS = (
    OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, AttributeError,
    OverflowError, NotImplementedError, RuntimeError, struct.error, zlib.error,
)  # fmt: skip


# --- how a picture becomes an input -----------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PixelSpec:
    """How a picture becomes a model's input. Written into the model file and never reinterpreted.

    `size`: side of the square input in pixels. `fit`: `stretch` scales both sides to `size`, `pad` keeps the
    ratio and fills the border with PAD_COLOUR; either way the whole picture is seen. `filter`: Pillow's
    antialiasing resampling filter. `draft`: the decoder may shrink cheaply (JPEG's DCT scaling, averaging)
    as long as both sides stay at least `draft * size`; 0 forbids it.
    """

    version: int
    size: int
    fit: Fit
    filter: Filter = "bilinear"
    draft: int = 2

    @property
    def key(self) -> str:
        """A short stable name, such as `v1-224-stretch`, for file names and for looking up features."""
        return f"v{self.version}-{self.size}-{self.fit}"

    def to_json(self) -> str:
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> PixelSpec:
        """Read a spec as `to_json` wrote it; ValueError if it is not one that this file can carry out."""
        try:
            spec = cls(**json.loads(text))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"Not a pixel spec: {text!r}.") from error
        if not is_released(spec):
            raise ValueError(f"Pixel spec {text} is not one that this version of Taxon knows.")
        return spec


# version -> (filter, draft). Released rows are never changed or removed: a model file names its row for ever.
_RELEASED: dict[int, tuple[Filter, int]] = {1: ("bilinear", 2)}
_SIZES = range(16, 1025)


def is_released(spec: PixelSpec) -> bool:
    """Whether this file can carry out `spec` exactly as it was meant when it was written."""
    return (
        _RELEASED.get(spec.version) == (spec.filter, spec.draft)
        and spec.fit in ("stretch", "pad")
        and isinstance(spec.size, int)
        and spec.size in _SIZES
    )


def spec_for(size: int, fit: Fit = "stretch", version: int = 1) -> PixelSpec:
    """The released spec with this side length; ValueError when there is none."""
    if version not in _RELEASED:
        raise ValueError(f"There is no pixel spec version {version}.")
    spec = PixelSpec(version, size, fit, *_RELEASED[version])
    if not is_released(spec):
        raise ValueError(f"There is no pixel spec for {size} pixels with fit {fit!r}.")
    return spec


# Chosen by measurement: docs/pixel-fit.md.
DEFAULT_SPEC = spec_for(224)


# --- which type it is, by content -------------------------------------------------------------------------

_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"}
_BMP_HEADERS = {12, 16, 40, 52, 56, 64, 108, 124}
_REFUSED_STARTS = (
    (b"GIF8", "GIF"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"II+\0", "TIFF"), (b"MM\0+", "TIFF"),
    (b"%PDF", "PDF"), (b"8BPS", "PSD"), (b"\0\0\1\0", "ICO"), (b"\0\0\0\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"), (b"\xff\x0a", "JPEG XL"), (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"%!PS", "PostScript"),
)  # fmt: skip


def image_type(head: bytes) -> str | None:
    """`JPEG`, `PNG`, `BMP`, `WEBP` or `HEIF` by the first bytes (64 are enough), None if it is no picture.

    Raises UnreadableImage(`type-not-taken`) for pictures of a type that is refused.
    """
    if head.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WEBP"
    if head[:2] == b"BM" and len(head) >= 18 and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "BMP"
    if head[4:8] == b"ftyp":
        return _isobmff_type(head)
    for start, name in _REFUSED_STARTS:
        if head.startswith(start):
            raise _type_not_taken(name)
    if b"<svg" in head.lower():
        raise _type_not_taken("SVG")
    return None


def _isobmff_type(head: bytes) -> str | None:
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[i : i + 4] for i in (8, *range(16, end - 3, 4))}
    if brands & {b"avif", b"avis"}:
        raise _type_not_taken("AVIF")
    if brands & _HEIF_BRANDS:
        if not _heif_ready():
            raise _type_not_taken("HEIC (without the pillow-heif package)")
        return "HEIF"
    if brands & {b"mif1", b"msf1"}:
        raise _type_not_taken("This kind of HEIF")
    return None


@cache
def _heif_ready() -> bool:
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener(thumbnails=False)
    return True


# --- bytes to a picture -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Decoded:
    """An upright RGB picture. `width` and `height` are those of the whole picture, also when `image` is
    smaller because the decoder was allowed to shrink. `type` is JPEG, PNG, BMP, WEBP or HEIF."""

    image: Image.Image
    width: int
    height: int
    type: str


def open_image(source: Source, *, max_pixels: int = MAX_PIXELS, max_bytes: int | None = None) -> Image.Image:
    """Open a picture without decoding it: only its header has been read and its limits checked.

    The first still of a file with several (MPO, WebP, PNG) is what `load()` will give. Raises
    UnreadableImage. The picture reads on from `source`, so a file must stay open until `load()`.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes | bytearray | memoryview) else source
    _check_bytes(stream, max_bytes)
    head = stream.read(512)
    stream.seek(0)
    kind = image_type(head)
    if kind is None:
        raise UnreadableImage("not-an-image", "The file is not a picture.")
    formats = ["JPEG", "MPO"] if kind == "JPEG" else [kind]
    try:
        image = Image.open(stream, formats=formats)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        # Pillow's own limit lies above ours; it is left as it is, since it belongs to the whole process.
        raise _too_many_pixels(None, None, max_pixels) from error
    except _DECODER_FAULTS as error:
        raise _broken() from error
    _check_pixels(image, max_pixels)
    return image


def _check_bytes(stream: BinaryIO, max_bytes: int | None) -> None:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    if size == 0:
        raise UnreadableImage("empty", "The file is empty.")
    if max_bytes is not None and size > max_bytes:
        sentence = f"The file has {size / 1024**2:.1f} MB; {max_bytes / 1024**2:g} are allowed."
        raise UnreadableImage("too-many-bytes", sentence, bytes=size, limit=max_bytes)


def _check_pixels(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise _broken()
    if width * height > max_pixels:
        raise _too_many_pixels(width, height, max_pixels)


def decode(
    source: Source,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int | None = None,
    draft_to: int | None = None,
) -> Decoded:
    """Decode wholly (a file cut short is refused), turn upright, make RGB.

    `draft_to`: the shorter side may come out smaller than in the file, but not below this many pixels; a
    12-megapixel JPEG then decodes about five times faster. None keeps every pixel. Raises UnreadableImage.
    """
    image = open_image(source, max_pixels=max_pixels, max_bytes=max_bytes)
    kind = "JPEG" if image.format == "MPO" else str(image.format)
    width, height = image.size
    try:
        if draft_to:
            image.draft("RGB", (draft_to, draft_to))  # acts on JPEG alone, and only before anything is read
        image.load()
        _check_pixels(image, max_pixels)  # a header that lied
        turn = _turn_of(image)
        image = _without_alpha(_shrunk(_eight_bit(image), draft_to))
        image = image if turn is None else image.transpose(turn)
    except UnreadableImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _too_many_pixels(None, None, max_pixels) from error
    except _DECODER_FAULTS as error:
        raise _broken() from error
    if turn in _SIDEWAYS:
        width, height = height, width
    return Decoded(image, width, height, kind)


def decode_rgb(
    source: Source,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int | None = None,
    draft_to: int | None = None,
) -> Image.Image:
    """`decode`, for callers that want the picture alone."""
    return decode(source, max_pixels=max_pixels, max_bytes=max_bytes, draft_to=draft_to).image


_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = {_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8]}


def _turn_of(image: Image.Image) -> Image.Transpose | None:
    """The turn that EXIF (or XMP) asks for. Damaged EXIF says nothing about the pixels, so it is ignored."""
    try:
        return _TURNS.get(image.getexif().get(0x0112, 1))
    except (*_DECODER_FAULTS, Warning):  # Pillow warns of damage, and a process may turn warnings into errors
        return None


def _eight_bit(image: Image.Image) -> Image.Image:
    """L, LA, RGB or RGBA with the same look: palettes, bits, 16-bit grey, CMYK and transparent colours.

    Pillow's own conversion of 16-bit grey clips at 255, which turns nearly all of it white; dividing by 256
    keeps the tones.
    """
    if image.mode.startswith("I"):
        return _from_sixteen_bit(image)
    if image.mode in ("LA", "RGBA"):
        return image
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _from_sixteen_bit(image: Image.Image) -> Image.Image:
    values = np.asarray(image).astype(np.int64).clip(0, 65535).astype(np.uint16)
    grey = Image.fromarray((values >> 8).astype(np.uint8))
    clear = image.info.get("transparency")
    if not isinstance(clear, int):
        return grey
    grey.putalpha(Image.fromarray(np.where(values == clear, 0, 255).astype(np.uint8)))
    return grey


def _shrunk(image: Image.Image, draft_to: int | None) -> Image.Image:
    """What `draft` does for JPEG, for the others: average whole blocks, so that a 50-megapixel PNG costs
    little memory from here on."""
    factor = min(image.size) // draft_to if draft_to else 1
    return image.reduce(factor) if factor >= 2 else image


def _without_alpha(image: Image.Image) -> Image.Image:
    """RGB, with what is transparent shown on white.

    White is what such pictures (cut-outs, logos, screenshots) were made to be seen on; dropping the alpha
    channel instead would show whatever colour hides underneath, mostly black.
    """
    if image.mode not in ("LA", "RGBA"):
        return image if image.mode == "RGB" else image.convert("RGB")  # which would copy it
    image = image.convert("RGBA")
    ground = Image.new("RGBA", image.size, (*WHITE, 255))
    return Image.alpha_composite(ground, image).convert("RGB")


# --- a picture to the model's input -----------------------------------------------------------------------


def to_pixels(
    source: Source,
    spec: PixelSpec = DEFAULT_SPEC,
    *,
    max_pixels: int = MAX_PIXELS,
    max_bytes: int | None = None,
) -> np.ndarray:
    """The model's input for one picture: uint8 [size, size, 3], RGB, 0..255. Raises UnreadableImage."""
    draft_to = spec.draft * spec.size or None
    return fit_image(decode_rgb(source, max_pixels=max_pixels, max_bytes=max_bytes, draft_to=draft_to), spec)


def fit_image(image: Image.Image, spec: PixelSpec) -> np.ndarray:
    """An upright RGB picture brought to `spec`: uint8 [size, size, 3]."""
    resample = Image.Resampling[spec.filter.upper()]
    if spec.fit == "stretch":
        return np.array(image.resize((spec.size, spec.size), resample), dtype=np.uint8)
    scale = spec.size / max(image.size)
    width, height = (max(1, round(side * scale)) for side in image.size)
    square = Image.new("RGB", (spec.size, spec.size), PAD_COLOUR)
    square.paste(
        image.resize((width, height), resample), ((spec.size - width) // 2, (spec.size - height) // 2)
    )
    return np.array(square, dtype=np.uint8)
