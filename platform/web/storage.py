"""Files under keys of our own: content-addressed, never named by a person."""

import hashlib
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlparse

from django.core.files import File
from django.core.files.base import ContentFile

CHUNK = 1024 * 1024


def storage_settings(url: str, root: Path, endpoint: str) -> dict[str, Any]:
    """Django's STORAGES entry for `file` or `s3://bucket/prefix`."""
    if url == "file":
        return {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(root)}}
    parts = urlparse(url)
    options: dict[str, Any] = {
        "bucket_name": parts.netloc,
        "location": parts.path.strip("/"),
        "file_overwrite": True,  # keys carry their content's hash: a second write is the same write
        "addressing_style": "path",
    }
    if endpoint:
        options["endpoint_url"] = endpoint
    return {"BACKEND": "storages.backends.s3.S3Storage", "OPTIONS": options}


def content_key(folder: str, sha256: str, suffix: str = "") -> str:
    """The key of a content: `folder/ab/abcd….suffix`."""
    return f"{folder}/{sha256[:2]}/{sha256}{suffix}"


def put_bytes(folder: str, data: bytes, suffix: str = "") -> str:
    """Store bytes under the hash of their content; storing the same again is free. Returns the key."""
    key = content_key(folder, hashlib.sha256(data).hexdigest(), suffix)
    return put(key, ContentFile(data))


def put_file(folder: str, path: Path, suffix: str = "") -> str:
    """Store a file from disk under the hash of its content, without reading it whole. Returns the key."""
    with path.open("rb") as source:
        key = content_key(folder, hashlib.file_digest(source, "sha256").hexdigest(), suffix)
        source.seek(0)
        return put(key, File(source))


def put(key: str, content: "File[bytes]") -> str:
    """Store content under exactly this key unless it is there already.

    On a disk it gets its name only once it is whole: a process killed half-way leaves nothing under the key.
    """
    from django.core.files.storage import default_storage

    if default_storage.exists(key):
        return key
    try:
        final = Path(default_storage.path(key))
    except NotImplementedError:  # object storage shows whole objects only
        stored = default_storage.save(key, content)
        if stored != key:  # two writers of one content met; the other's file is the same
            default_storage.delete(stored)
        return key
    part = default_storage.save(f"{key}.{secrets.token_hex(6)}.part", content)
    Path(default_storage.path(part)).replace(final)
    return key


def read(key: str) -> bytes:
    """The whole content; for pictures, model files and reports, never for archives."""
    from django.core.files.storage import default_storage

    with default_storage.open(key, "rb") as source:
        return bytes(source.read())


@contextmanager
def local_copy(key: str) -> Iterator[Path]:
    """A path on this machine's disk with the content: the file itself, or a copy that goes afterwards."""
    from django.core.files.storage import default_storage

    try:
        yield Path(default_storage.path(key))
        return
    except NotImplementedError:
        pass
    with tempfile.NamedTemporaryFile(suffix=Path(key).suffix) as target, default_storage.open(key, "rb") as source:
        shutil.copyfileobj(source, target, CHUNK)
        target.flush()
        yield Path(target.name)


def hash_of(stream: IO[bytes]) -> str:
    """sha256 of a stream, read in chunks; leaves it rewound."""
    digest = hashlib.file_digest(stream, "sha256").hexdigest()  # type: ignore[arg-type]
    stream.seek(0)
    return digest
