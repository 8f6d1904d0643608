"""Files under keys of our own: content-addressed, never named by a person; on a disk or in an S3 bucket."""

import errno
import hashlib
import os
import secrets
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlparse

from django.core.files import File
from django.core.files.base import ContentFile
from django.utils.translation import gettext_noop

from web.sentences import Refusal

CHUNK = 1024 * 1024
PARTS = "parts"  # on a disk: what is being written and has no name yet
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
DAY = 24 * 3600.0
NO_LINKS = {"", "0", "false", "no", "off"}


class StorageUnavailable(OSError):
    """The storage does not answer, refuses, or sent something else than it was given. It may pass by itself:

    a page answers 503, a job is tried again.
    """


class StorageFull(Refusal):
    """No room for what was to be kept; nothing half-written stays."""

    code = "storage-full"
    status = 507

    def __init__(self) -> None:
        super().__init__(gettext_noop("The disk is full, so this was not kept. Make room, then try again."))


def storage_settings(url: str, root: Path, endpoint: str, links: str = "off") -> dict[str, Any]:
    """Django's STORAGES entry for `file` or `s3://bucket/prefix`. Raises ValueError with what is expected.

    `links`: whether large files may be fetched from the bucket itself: off, on, or its address for browsers.
    """
    if url == "file":
        return {"BACKEND": "web.holding.Disk", "OPTIONS": {"location": str(root)}}
    parts = urlparse(url)
    if parts.scheme != "s3" or not parts.netloc:
        raise ValueError(f"TAXON_STORAGE={url!r}: expected `file` or `s3://bucket/prefix`.")
    options = {"bucket_name": parts.netloc, "location": parts.path.strip("/")}
    if endpoint:
        options["endpoint_url"] = endpoint
    if links.lower() not in NO_LINKS:
        options["links"] = links_address(links, endpoint)
    return {"BACKEND": "web.objects.Objects", "OPTIONS": options}


def links_address(links: str, endpoint: str) -> str:
    """Where browsers find the bucket; "aws": at Amazon's. Raises ValueError."""
    if links.lower() in {"1", "true", "yes", "on"}:
        return endpoint or "aws"
    if urlparse(links).scheme not in ("http", "https") or not urlparse(links).netloc:
        raise ValueError(f"TAXON_S3_LINKS={links!r}: expected `off`, `on` or an address (https://…).")
    return links.rstrip("/")


def link_to(key: str, *, seconds: int, headers: Mapping[str, str]) -> str | None:
    """A signed address at which the bucket itself hands out the file, for so long, with these headers.

    None where files lie on a disk, or the operator did not say that browsers reach the bucket.
    """
    from django.core.files.storage import default_storage

    sign = getattr(default_storage, "signed_link", None)
    return sign(key, seconds, headers) if sign else None


def content_key(folder: str, sha256: str, suffix: str = "") -> str:
    """The key of a content: `folder/ab/abcd….suffix`."""
    return f"{folder}/{sha256[:2]}/{sha256}{suffix}"


def promised_hash(key: str) -> str:
    """The sha256 that a content-addressed key promises; empty for other keys."""
    name = key.rpartition("/")[2].partition(".")[0]
    return name if len(name) == 64 and set(name) <= set("0123456789abcdef") else ""


def put_bytes(folder: str, data: bytes, suffix: str = "", *, sha256: str = "") -> str:
    """Store bytes under the hash of their content; storing the same again is free. Returns the key.

    `sha256`: that hash, where it is known.
    """
    key = content_key(folder, sha256 or hashlib.sha256(data).hexdigest(), suffix)
    final = path_of(key)
    if final is None:
        return put(key, ContentFile(data))
    if not _holds(final, len(data)):
        _write(final, data)
    return key


def _holds(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _write(final: Path, data: bytes) -> None:
    """As `put` does it, without what Django's `save` asks the disk before each write: imports store thousands."""
    from django.conf import settings

    part = path_of(f"{PARTS}/{secrets.token_hex(12)}")
    assert part is not None
    try:
        part.parent.mkdir(parents=True, exist_ok=True)
        with part.open("xb") as target:
            if settings.FILE_UPLOAD_PERMISSIONS is not None:
                os.fchmod(target.fileno(), settings.FILE_UPLOAD_PERMISSIONS)
            target.write(data)
        final.parent.mkdir(parents=True, exist_ok=True)
        part.replace(final)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise_if_full(error)
        raise


def put_file(folder: str, path: Path, suffix: str = "") -> str:
    """Store a file from disk under the hash of its content, without reading it whole. Returns the key."""
    with path.open("rb") as source:
        key = content_key(folder, hashlib.file_digest(source, "sha256").hexdigest(), suffix)
        source.seek(0)
        return put(key, File(source))


def put(key: str, content: "File[bytes]") -> str:
    """Store content under exactly this key unless it is there already, whole.

    It gets its name only once it is whole: a process killed half-way leaves nothing under the key.
    Raises StorageFull, StorageUnavailable.
    """
    from django.core.files.storage import default_storage

    if size_of(key) == content.size:
        return key
    final = path_of(key)
    if final is None:
        default_storage.save(key, content)
        return key
    part = f"{PARTS}/{secrets.token_hex(12)}"
    try:
        default_storage.save(part, content)
        final.parent.mkdir(parents=True, exist_ok=True)
        Path(default_storage.path(part)).replace(final)
    except OSError as error:
        Path(default_storage.path(part)).unlink(missing_ok=True)
        raise_if_full(error)
        raise
    return key


def raise_if_full(error: OSError) -> None:
    """Turn a full disk into the refusal that says so."""
    if error.errno in FULL:
        raise StorageFull from error


def size_of(key: str) -> int | None:
    """Bytes under the key; None where there is nothing."""
    from django.core.files.storage import default_storage

    try:
        return int(default_storage.size(key))
    except FileNotFoundError:
        return None


def path_of(key: str) -> Path | None:
    """Where it lies on this machine's disk, or would; None for object storage."""
    from django.core.files.storage import default_storage

    try:
        return Path(default_storage.path(key))
    except NotImplementedError:
        return None


def read(key: str) -> bytes:
    """The whole content; for pictures and reports, never for archives. Raises FileNotFoundError."""
    from django.core.files.storage import default_storage

    if path := path_of(key):
        return path.read_bytes()
    with default_storage.open(key, "rb") as source:
        return bytes(source.read())


def pieces(key: str, start: int, stop: int) -> Iterator[bytes]:
    """The bytes from `start` to `stop` (exclusive), piece by piece; for archives. Raises FileNotFoundError at once."""
    from django.core.files.storage import default_storage

    path = path_of(key)
    if path is None:
        return default_storage.pieces(key, start, stop)  # type: ignore[attr-defined, no-any-return]
    return _pieces_of(path.open("rb"), start, stop)


def _pieces_of(source: IO[bytes], start: int, stop: int) -> Iterator[bytes]:
    with source:
        source.seek(start)
        while start < stop and (piece := source.read(min(CHUNK, stop - start))):
            start += len(piece)
            yield piece


@contextmanager
def local_copy(key: str) -> Iterator[Path]:
    """A path on this machine's disk with the content: the file itself, or a copy that goes afterwards."""
    from django.core.files.storage import default_storage

    path = path_of(key)
    if path is not None:
        yield path
        return
    with tempfile.NamedTemporaryFile(suffix=Path(key).suffix, dir=temporary_folder()) as target:
        try:
            with default_storage.open(key, "rb") as source:
                shutil.copyfileobj(source, target, CHUNK)
            target.flush()
        except OSError as error:
            raise_if_full(error)
            raise
        yield Path(target.name)


def temporary_folder() -> str | None:
    """Where large things lie for a moment; None: the system's choice."""
    from django.conf import settings

    return str(settings.FILE_UPLOAD_TEMP_DIR) if settings.FILE_UPLOAD_TEMP_DIR else None


def leftovers(older_than: float = DAY) -> list[str]:
    """What writers that were killed left half-written, at least so many seconds ago."""
    from django.core.files.storage import default_storage

    folder = path_of(PARTS)
    if folder is None:
        return list(default_storage.unfinished(older_than))  # type: ignore[attr-defined]
    until = time.time() - older_than
    found = folder.iterdir() if folder.is_dir() else ()
    return [f"{PARTS}/{each.name}" for each in found if each.stat().st_mtime <= until]


def sweep(older_than: float = DAY) -> int:
    """Remove them; how many there were."""
    from django.core.files.storage import default_storage

    if path_of(PARTS) is None:
        return int(default_storage.abandon(older_than))  # type: ignore[attr-defined]
    found = leftovers(older_than)
    for key in found:
        default_storage.delete(key)
    return len(found)


def hash_of(stream: IO[bytes]) -> str:
    """sha256 of a stream, read in chunks; leaves it rewound."""
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    stream.seek(0)
    return digest
