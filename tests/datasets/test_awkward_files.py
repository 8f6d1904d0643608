"""Awkward files, by themselves and in a zip: each is taken, or refused with its own reason."""

import io
from pathlib import Path

import PIL.Image
import pytest
from pytest_django.fixtures import Settings

from datasets.models import Import, ImportState
from datasets.preparing import prepare
from datasets.reasons import NotAccepted
from tests.datasets.makers import Work, begin, make_dataset, outcomes, picture, taken, zip_of
from tests.factories import Team
from web import storage

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
    "tiny.png": "too-small",
    "truncated_image.png": "broken",
    "truncated_jpeg.jpg": "broken",
}
# The same photograph under two names.
REPEATED = {"made_名字 with spaces (1).JPG": "duplicate"}


def check(found: Import, sent: set[str]) -> None:
    found.refresh_from_db()
    refused = {name.rsplit("/", 1)[-1]: code for name, code in outcomes(found).items()}
    assert found.state == ImportState.READY
    assert refused == REFUSED | REPEATED
    assert (found.total, found.duplicates, found.rejected) == (len(sent), len(REPEATED), len(REFUSED))
    assert found.total == found.imported + found.duplicates + found.rejected
    assert set(taken(found.dataset)) == sent - set(REFUSED) - set(REPEATED)


@pytest.mark.parametrize("packed", [False, True], ids=["loose", "zip"])
def test_every_awkward_file_has_its_outcome(work: Work, team: Team, shared_data: Path, packed: bool) -> None:
    files = {path.name: path.read_bytes() for path in sorted((shared_data / "awkward").iterdir())}
    dataset = make_dataset(team)
    if packed:
        found = begin(
            team, dataset, ("a.zip", zip_of({f"awkward/{name}": body for name, body in files.items()}))
        )
    else:
        found = begin(team, dataset, *files.items())
    work()
    check(found, set(files))


def test_what_is_stored_is_upright_and_within_the_limits(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    begin(team, dataset, ("big.jpg", picture("red", (5000, 3000), "JPEG")))
    work()
    image = dataset.images.get()
    assert (image.width, image.height, image.format) == (4095, 2457, "JPEG")
    with PIL.Image.open(io.BytesIO(storage.read(image.key))) as stored:
        assert stored.size == (4095, 2457)
    with PIL.Image.open(io.BytesIO(storage.read(image.thumbnail_key))) as small:
        assert small.size == (320, 192)


def test_a_heavy_file_is_scaled_below_4_mb(work: Work, team: Team) -> None:
    noise = PIL.Image.effect_noise((2400, 1800), 90).convert("RGB")
    out = io.BytesIO()
    noise.save(out, "PNG")
    heavy = out.getvalue()
    assert 4 * 1024**2 < len(heavy) < 10 * 1024**2
    dataset = make_dataset(team)
    begin(team, dataset, ("noise.png", heavy))
    work()
    image = dataset.images.get()
    assert image.format == "JPEG"
    assert image.bytes == len(storage.read(image.key)) <= 4 * 1024**2


def test_strict_limits_refuse_what_would_be_scaled_down(work: Work, team: Team, settings: Settings) -> None:
    settings.STRICT_IMAGE_LIMITS = True
    found = begin(team, make_dataset(team), ("big.jpg", picture("red", (4096, 3000), "JPEG")))
    work()
    assert outcomes(found) == {"big.jpg": "too-large"}


def test_sides_at_the_limits(work: Work, team: Team) -> None:
    sizes = {"30.png": (30, 64), "31.png": (31, 64), "3to1.png": (120, 40), "over.png": (121, 40)}
    found = begin(team, make_dataset(team), *[(name, picture("red", size)) for name, size in sizes.items()])
    work()
    assert outcomes(found) == {"30.png": "too-small", "over.png": "too-long"}


def test_svg_html_and_other_types_are_refused_by_content(work: Work, team: Team) -> None:
    files = {
        "a.jpg": b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>',
        "b.png": b"<!doctype html><script>alert(1)</script>",
        "c.jpg": b"%PDF-1.7 ...",
        "d.bmp": b"MZ" + bytes(200),
        "e.webp": b"GIF89a" + bytes(200),
    }
    found = begin(team, make_dataset(team), *files.items())
    work()
    assert outcomes(found) == {
        "a.jpg": "type-not-taken",
        "b.png": "not-an-image",
        "c.jpg": "type-not-taken",
        "d.bmp": "not-an-image",
        "e.webp": "type-not-taken",
    }
    assert "SVG" in str(found.not_taken.get(name="a.jpg").sentence)


def test_a_file_over_ten_megabytes_is_refused(work: Work, team: Team) -> None:
    found = begin(team, make_dataset(team), ("big.bmp", picture("red", (2000, 1800), "BMP") + bytes(200)))
    work()
    assert outcomes(found) == {"big.bmp": "too-many-bytes"}
    assert "10 MB" in str(found.not_taken.get().sentence)


def test_a_jpeg_cut_short_anywhere_is_refused(shared_data: Path, team: Team) -> None:
    whole = (shared_data / "awkward" / "flower.jpg").read_bytes()
    for percent in range(1, 100, 7):
        with pytest.raises(NotAccepted) as refused:
            prepare(whole[: len(whole) * percent // 100])
        assert refused.value.code in ("broken", "not-an-image"), percent


def test_a_large_jpeg_cut_short_is_refused_though_it_is_decoded_small(team: Team) -> None:
    out = io.BytesIO()
    PIL.Image.effect_noise((3000, 2000), 40).convert("RGB").save(out, "JPEG", quality=70)
    whole = out.getvalue()
    assert prepare(whole).width == 3000
    for percent in (30, 70, 99):
        with pytest.raises(NotAccepted):
            prepare(whole[: len(whole) * percent // 100])


def test_every_reason_can_be_said_in_a_sentence(work: Work, team: Team) -> None:
    found = begin(
        team, make_dataset(team), ("a.jpg", b""), ("b.png", picture("red", (20, 20))), ("c.gif", b"GIF89a")
    )
    work()
    for row in found.not_taken.all():
        assert "%(" not in str(row.sentence)
        assert str(row.sentence).endswith(".")
