"""The one pixel path: what it takes, what it refuses and why, and that equal pictures give equal inputs."""

import io
import json
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from datasets import pixels
from datasets.pixels import DEFAULT_SPEC, PixelSpec, UnreadableImage, decode, decode_rgb, spec_for, to_pixels

SMALL = spec_for(64)


def photo(width: int = 160, height: int = 120) -> Image.Image:
    """A smooth picture whose four corners differ, so that a wrong turn shows."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / width, 255 * y / height
    blue = np.where((x < width / 3) & (y < height / 3), 230.0, 30.0)
    return Image.fromarray(np.stack([red, green, blue], axis=2).astype(np.uint8))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def refusal(data: bytes, **limits: int) -> UnreadableImage:
    with pytest.raises(UnreadableImage) as caught:
        to_pixels(data, SMALL, **limits)
    return caught.value


def difference(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one.astype(int) - other.astype(int)).mean())


# --- what comes out ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "HEIF"])
def test_every_type_that_is_taken_gives_the_same_input(kind: str) -> None:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    options = {} if kind in ("PNG", "BMP") else {"quality": 95}
    found = to_pixels(saved(photo(), kind, **options), SMALL)
    assert found.shape == (64, 64, 3)
    assert found.dtype == np.uint8
    assert difference(found, to_pixels(saved(photo(), "PNG"), SMALL)) < 2


@pytest.mark.parametrize("turn", range(1, 9))
def test_every_exif_turn_gives_the_upright_picture(turn: int) -> None:
    undo = {2: 0, 3: 3, 4: 1, 5: 5, 6: 2, 7: 6, 8: 4}  # Image.Transpose values that lay the picture down
    stored = photo() if turn == 1 else photo().transpose(Image.Transpose(undo[turn]))
    exif = Image.Exif()
    exif[0x0112] = turn
    data = saved(stored, "JPEG", quality=95, exif=exif)
    assert difference(to_pixels(data, SMALL), to_pixels(saved(photo(), "PNG"), SMALL)) < 2
    found = decode(data)
    assert (found.width, found.height) == found.image.size == (160, 120)


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # Pillow says so on opening; the pixels are whole
def test_damaged_exif_is_ignored() -> None:
    data = saved(photo(), "JPEG", quality=95, exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\x01\x12" * 20)
    assert difference(to_pixels(data, SMALL), to_pixels(saved(photo(), "PNG"), SMALL)) < 2


def test_sixteen_bit_grey_keeps_its_tones() -> None:
    ramp = np.tile(np.linspace(0, 65535, 64).astype(np.uint16), (64, 1))
    found = to_pixels(saved(Image.fromarray(ramp), "PNG"), SMALL)
    assert np.abs(found[0, :, 0].astype(int) - (ramp[0] >> 8)).max() <= 1
    assert (found[..., 0] == found[..., 1]).all()


@pytest.mark.parametrize("mode", ["1", "L", "P", "CMYK"])
def test_modes_without_alpha_keep_their_look(mode: str) -> None:
    kind = "JPEG" if mode == "CMYK" else "PNG"
    image = photo().convert(mode)
    found = to_pixels(saved(image, kind), SMALL)
    assert difference(found, np.asarray(image.convert("RGB").resize((64, 64), Image.Resampling.BILINEAR))) < 3


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_what_is_transparent_is_seen_on_white_whatever_hides_beneath(mode: str) -> None:
    image = Image.new(mode, (40, 40), (0, 0, 0, 0) if mode == "RGBA" else (0, 0))
    assert (to_pixels(saved(image, "PNG"), SMALL) == 255).all()


def test_a_transparent_palette_colour_is_seen_on_white() -> None:
    image = Image.new("P", (40, 40), 0)
    image.putpalette([10, 20, 30] + [0] * 765)
    assert (to_pixels(saved(image, "PNG", transparency=0), SMALL) == 255).all()
    assert to_pixels(saved(image, "PNG"), SMALL)[0, 0].tolist() == [10, 20, 30]


def test_half_transparent_edges_do_not_darken_when_a_large_picture_shrinks() -> None:
    data = np.zeros((600, 600, 4), np.uint8)
    data[:, 300:] = (200, 100, 50, 255)
    found = to_pixels(saved(Image.fromarray(data), "PNG"), SMALL)
    assert found[:, :, 0].min() >= 199  # between white and 200, never towards the hidden black


@pytest.mark.parametrize("kind", ["WEBP", "PNG", "MPO"])
def test_several_pictures_in_a_file_count_as_their_first(kind: str) -> None:
    other = Image.new("RGB", (160, 120), "black")
    data = saved(photo(), kind, save_all=True, append_images=[other, other])
    assert difference(to_pixels(data, SMALL), to_pixels(saved(photo(), "PNG"), SMALL)) < 4


def test_stretch_and_pad_both_show_the_whole_picture() -> None:
    image = Image.new("RGB", (200, 100), "red")
    data = saved(image, "PNG")
    assert (to_pixels(data, SMALL) == (255, 0, 0)).all()
    padded = to_pixels(data, spec_for(64, "pad"))
    assert (padded[16:48] == (255, 0, 0)).all()
    assert (padded[:15] == pixels.PAD_COLOUR).all() and (padded[49:] == pixels.PAD_COLOUR).all()


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_large_picture_may_be_decoded_smaller_but_not_below_what_was_asked(kind: str) -> None:
    data = saved(photo(1600, 1200), kind)
    found = decode(data, draft_to=256)
    assert (found.width, found.height, found.type) == (1600, 1200, kind)
    assert 256 <= min(found.image.size) < 600
    assert decode_rgb(data).size == (1600, 1200)
    full = np.asarray(decode_rgb(data).resize((64, 64), Image.Resampling.BILINEAR))
    assert difference(to_pixels(data, SMALL), full) < 1.5


def test_a_file_gives_the_same_as_its_bytes(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(saved(photo(), "JPEG"))
    with path.open("rb") as file:
        assert (to_pixels(file, SMALL) == to_pixels(path.read_bytes(), SMALL)).all()


def test_one_pixel_and_very_long_pictures_are_fitted_too() -> None:
    for size in ((1, 1), (3000, 1), (1, 3000)):
        for fit in ("stretch", "pad"):
            data = saved(Image.new("RGB", size, "blue"), "PNG")
            assert to_pixels(data, spec_for(64, fit)).shape == (64, 64, 3)  # type: ignore[arg-type]


# --- what is refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP"])
@pytest.mark.parametrize("percent", [1, 5, 25, 50, 75, 90, 97])
def test_a_file_cut_short_is_refused(kind: str, percent: int) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (90, 120, 3), dtype=np.uint8)
    data = saved(Image.fromarray(noise), kind)
    assert refusal(data[: len(data) * percent // 100]).code in ("broken", "not-an-image")


def test_a_progressive_jpeg_cut_short_is_refused() -> None:
    data = saved(photo(), "JPEG", progressive=True)
    assert refusal(data[: len(data) * 2 // 3]).code == "broken"


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (saved(photo(), "GIF"), "GIF"),
        (saved(photo(), "TIFF"), "TIFF"),
        (b'<?xml version="1.0"?>\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"%PDF-1.7\n%...", "PDF"),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1miaf", "AVIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf", "AVIF"),
    ],
    ids=["gif", "tiff", "svg", "pdf", "avif", "mif1-avif"],
)
def test_other_types_are_refused_by_name(data: bytes, kind: str) -> None:
    found = refusal(data)
    assert (found.code, found.numbers["type"]) == ("type-not-taken", kind)
    assert kind in str(found)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty"),
        (b"just some text", "not-an-image"),
        (b"BMW is a car, not a bitmap picture", "not-an-image"),
        (b"<html><body>no</body></html>", "not-an-image"),
        (b"\0" * 4096, "not-an-image"),
        (b"MZ" + b"\x90" * 500, "not-an-image"),
        (b"\xff\xd8\xff" + b"\0" * 100, "broken"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 100, "broken"),
        (b"RIFF\x10\0\0\0WEBPVP8 " + b"\0" * 50, "broken"),
    ],
)
def test_what_is_no_picture_is_refused_with_its_reason(data: bytes, code: str) -> None:
    assert refusal(data).code == code


def test_the_name_says_nothing_the_content_all() -> None:
    assert pixels.image_type(saved(photo(), "JPEG")[:64]) == "JPEG"
    assert pixels.image_type(b"hello") is None


@pytest.mark.parametrize("size", [(9000, 7000), (16000, 12000), (40000, 40000)])
def test_a_pixel_flood_is_refused_before_it_is_decoded(size: tuple[int, int]) -> None:
    data = _png_header(*size)
    began = time.perf_counter()
    found = refusal(data)
    assert found.code == "too-many-pixels"
    assert time.perf_counter() - began < 0.1
    assert "50" in str(found)


def _png_header(width: int, height: int) -> bytes:
    import struct
    import zlib

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 999))


def test_limits_can_be_set_and_are_said() -> None:
    data = saved(photo(), "PNG")
    found = refusal(data, max_pixels=100 * 100)
    assert (found.code, found.numbers["width"], found.numbers["height"]) == ("too-many-pixels", 160, 120)
    found = refusal(data, max_bytes=100)
    assert (found.code, found.numbers["limit"]) == ("too-many-bytes", 100)
    assert to_pixels(data, SMALL, max_pixels=160 * 120, max_bytes=len(data)).any()


def test_damaged_bytes_never_raise_anything_else() -> None:
    random_ = random.Random(7)
    seeds = [saved(photo(), kind) for kind in ("JPEG", "PNG", "BMP", "WEBP")]
    seeds += [saved(photo().convert(mode), "PNG") for mode in ("P", "1", "LA", "L")]
    for turn in range(400):
        data = bytearray(seeds[turn % len(seeds)])
        for _ in range(random_.randint(1, 12)):
            place = random_.randrange(min(len(data), 400) if random_.random() < 0.7 else len(data))
            data[place] = random_.randrange(256)
        try:
            assert to_pixels(bytes(data), SMALL, max_pixels=1_000_000).shape == (64, 64, 3)
        except UnreadableImage as found:
            assert found.sentence.endswith(".")


# --- the specs --------------------------------------------------------------------------------------------


def test_a_spec_survives_json_and_names_itself() -> None:
    assert PixelSpec.from_json(DEFAULT_SPEC.to_json()) == DEFAULT_SPEC
    assert spec_for(224, "pad").key == "v1-224-pad"
    assert spec_for(64).key != spec_for(96).key


def test_a_released_spec_never_changes() -> None:
    """These inputs were fixed when version 1 was released: if this fails, add a version, do not mend this."""
    assert json.loads(spec_for(224).to_json()) == {
        "version": 1, "size": 224, "fit": "stretch", "filter": "bilinear", "draft": 2,
    }  # fmt: skip
    found = to_pixels(saved(photo(), "PNG"), spec_for(16))
    assert found[0, 0].tolist() == [8, 8, 230]
    assert found[15, 15].tolist() == [247, 244, 30]
    assert found[3, 4].tolist() == [71, 54, 229]


@pytest.mark.parametrize(
    "text",
    [
        "{}", "[]", "no", '{"version": 9, "size": 224, "fit": "pad", "filter": "bilinear", "draft": 2}',
        '{"version": 1, "size": 224, "fit": "crop", "filter": "bilinear", "draft": 2}',
        '{"version": 1, "size": 224, "fit": "pad", "filter": "lanczos", "draft": 2}',
        '{"version": 1, "size": 9999, "fit": "pad", "filter": "bilinear", "draft": 2}',
    ],
)  # fmt: skip
def test_a_spec_that_cannot_be_carried_out_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[Pp]ixel spec"):
        PixelSpec.from_json(text)


def test_there_is_no_spec_for_nonsense() -> None:
    for size, fit, version in ((0, "pad", 1), (224, "crop", 1), (224, "pad", 2)):
        with pytest.raises(ValueError, match="no pixel spec"):
            spec_for(size, fit, version)  # type: ignore[arg-type]


def test_the_pixel_path_stands_alone(tmp_path: Path) -> None:
    """The offline bundle carries a copy of the file: it must not need anything of ours, or Django."""
    copy = tmp_path / "pixels.py"
    copy.write_bytes(Path(pixels.__file__).read_bytes())
    picture = tmp_path / "a.png"
    picture.write_bytes(saved(photo(), "PNG"))
    code = (
        "import sys, pixels; print(pixels.to_pixels(open('a.png', 'rb')).shape); "
        "print([m for m in ('django', 'torch', 'datasets') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert found.stdout.split("\n")[:2] == ["(224, 224, 3)", "[]"]


# --- files from life --------------------------------------------------------------------------------------

REFUSED = {
    "16bit.cropped.tif": "type-not-taken",
    "broken.png": "broken",
    "chi.gif": "type-not-taken",
    "decompression_bomb.gif": "type-not-taken",
    "hopper.avif": "type-not-taken",
    "made_empty.jpg": "empty",
    "made_huge_16000x12000.png": "too-many-pixels",
    "made_large_9000x7000.png": "too-many-pixels",
    "made_text.jpg": "not-an-image",
    "made_truncated_daisy.jpg": "broken",
    "truncated_image.png": "broken",
    "truncated_jpeg.jpg": "broken",
}


def test_every_awkward_file_is_taken_or_refused_for_its_own_reason(shared_data: Path) -> None:
    found = {}
    for path in sorted((shared_data / "awkward").iterdir()):
        try:
            assert to_pixels(path.read_bytes()).shape == (224, 224, 3)
        except UnreadableImage as error:
            found[path.name] = error.code
    assert found == REFUSED


@pytest.mark.parametrize("name", ["3.jpg", "6.jpg", "8.jpg", "6.webp"])
def test_a_turned_photograph_is_seen_upright(shared_data: Path, name: str) -> None:
    upright = to_pixels((shared_data / "awkward" / "hopper.bmp").read_bytes())
    turned = shared_data / "awkward" / f"hopper_orientation_{name}"
    assert difference(to_pixels(turned.read_bytes()), upright) < 8
