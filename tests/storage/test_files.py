"""Stored files, on a disk and in a bucket: one behaviour, whole or not at all."""

import hashlib
import io
import os
import resource
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files import File
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from tests.storage import bucket
from web import storage


@pytest.fixture(params=["file", "s3"], autouse=True)
def either(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Each test here runs on both storages."""
    if request.param == "s3":
        files = bucket.entry(request.getfixturevalue("s3"), f"files-{time.monotonic_ns()}")
        settings.STORAGES = settings.STORAGES | {"default": files}
    return str(request.param)


def test_the_same_content_has_one_key_and_comes_back() -> None:
    key = storage.put_bytes("images", b"a picture", ".jpg")
    assert key == storage.content_key("images", hashlib.sha256(b"a picture").hexdigest(), ".jpg")
    assert storage.put_bytes("images", b"a picture", ".jpg") == key
    assert storage.read(key) == b"a picture"
    assert storage.size_of(key) == 9


def test_bytes_are_as_private_as_any_file(either: str, tmp_path: Path) -> None:
    if either == "s3":
        return
    source = tmp_path / "model"
    source.write_bytes(b"a model")
    keys = [storage.put_bytes("images", b"a picture"), storage.put_file("models", source)]
    modes = [Path(default_storage.path(key)).stat().st_mode & 0o777 for key in keys]
    assert modes == [0o640, 0o640]


def test_a_file_from_disk_is_kept_and_lent_as_a_path(tmp_path: Path) -> None:
    source = tmp_path / "model"
    source.write_bytes(os.urandom(3_000_000))
    key = storage.put_file("models", source, ".onnx")
    with storage.local_copy(key) as path:
        assert path.suffix == ".onnx" and path.read_bytes() == source.read_bytes()


def test_what_is_not_there_is_a_missing_file() -> None:
    assert storage.size_of("images/aa/none") is None
    assert not default_storage.exists("images/aa/none")
    default_storage.delete("images/aa/none")
    with pytest.raises(FileNotFoundError):
        storage.read("images/aa/none")
    with pytest.raises(FileNotFoundError), storage.local_copy("images/aa/none") as path:
        path.read_bytes()


def test_a_key_that_holds_less_than_it_should_is_written_anew() -> None:
    key = storage.content_key("images", hashlib.sha256(b"whole").hexdigest())
    default_storage.save(key, ContentFile(b"wh"))
    assert storage.put_bytes("images", b"whole") == key
    assert storage.read(key) == b"whole"


def test_nothing_unfinished_stays_after_a_write_that_failed(either: str) -> None:
    class Breaking(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            if self.tell() > 500_000:
                raise OSError("the upload broke off")
            return super().read(100_000)

    content = File(Breaking(bytes(2_000_000)), "upload")
    with pytest.raises(OSError, match="broke off"):
        storage.put("uploads/1", content)
    assert storage.size_of("uploads/1") is None
    assert storage.leftovers(older_than=0) == []


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may grow larger: what a full disk looks like to a writer."""
    import signal

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing(either: str) -> None:
    if either == "s3":
        key = storage.put_bytes("models", bytes(9 * 1024**2))
    with room_for(1_000_000):
        if either == "file":
            with pytest.raises(storage.StorageFull, match="The disk is full"):
                storage.put_bytes("images", bytes(2_000_000))
        else:  # a bucket is never full, but a copy of what is in it needs room here
            with pytest.raises(storage.StorageFull), storage.local_copy(key):
                pass
    assert storage.leftovers(older_than=0) == []
    assert storage.put_bytes("images", bytes(2_000_000))
