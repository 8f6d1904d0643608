"""What tests of data sets need: data sets, uploads, zips of every kind."""

import io
import struct
import zipfile
from collections.abc import Callable, Container, Mapping

from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from datasets.imports import begin_import
from datasets.models import Dataset, Image, Import, Label
from tests.factories import Team, picture

Work = Callable[[], None]


def make_dataset(team: Team, name: str = "Pets") -> Dataset:
    """An empty data set."""
    return Dataset.objects.create(project=team.project, name=name, created_by=team.people["engineer"])


def zip_of(files: Mapping[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with these names and contents."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as target:
        for name, content in files.items():
            target.writestr(zipfile.ZipInfo(name), content, method)
    return out.getvalue()


def raw_zip(
    files: Mapping[bytes, bytes],
    *,
    flags: int = 0,
    method: int = 0,
    mode: int = 0,
    extra: bytes = b"",
    marked: Container[bytes] = (),
) -> bytes:
    """A zip written by hand: raw names (those `marked` as UTF-8), and whatever no library would write."""
    import zlib

    body, directory = b"", b""
    for name, content in files.items():
        packed = content if method != 8 else zlib.compress(content)[2:-4]
        crc = zlib.crc32(content)
        sizes = (crc, len(packed), len(content), len(name), len(extra))
        flagged = flags | (0x800 if name in marked else 0)
        local = struct.pack("<4s5H3L2H", b"PK\x03\x04", 20, flagged, method, 0, 33, *sizes)
        directory += struct.pack(
            "<4s4B4H3L5H2L",
            *(b"PK\x01\x02", 20, 3, 20, 0, flagged, method, 0, 33, *sizes, 0, 0, 0, mode << 16, len(body)),
        )
        directory += name + extra
        body += local + name + extra + packed
    count = len(files)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), len(body), 0)
    return body + directory + end


def upload(name: str, content: bytes) -> SimpleUploadedFile:
    """A file as a form brings it."""
    return SimpleUploadedFile(name, content)


def begin(
    team: Team, dataset: Dataset, *files: tuple[str, bytes], by: str = "labeller", **more: object
) -> Import:
    """An import that waits for its worker."""
    uploads = [upload(name, content) for name, content in files]
    return begin_import(dataset=dataset, user=team.people[by], files=uploads, **more)  # type: ignore[arg-type]


def outcomes(found: Import) -> dict[str, str]:
    """Each file that was not taken, with its code."""
    return dict(found.not_taken.values_list("name", "code"))


def taken(dataset: Dataset) -> dict[str, str | None]:
    """Each picture with its label's name."""
    return dict(dataset.images.filter(trashed_at=None).values_list("name", "label__name"))


def make_images(dataset: Dataset, count: int, label: Label | None = None) -> list[Image]:
    """Rows of pictures without their files: enough for tagging."""
    with transaction.atomic():
        start = dataset.images.count()
        same = {"key": "k", "thumbnail_key": "t", "format": "JPEG", "bytes": 1, "width": 64, "height": 64}
        return Image.objects.bulk_create(
            Image(dataset=dataset, name=f"{n}.jpg", sha256=f"{dataset.pk:08d}{n:056d}", label=label, **same)
            for n in range(start, start + count)
        )


def colours(count: int) -> list[bytes]:
    """Pictures that differ from one another."""
    return [picture(f"#{n * 37 % 256:02x}{n * 91 % 256:02x}{n * 53 % 256:02x}") for n in range(count)]
