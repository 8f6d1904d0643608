"""Large files on their way in, a piece at a time: kept on this machine's disk until they are whole.

The file under DATA_DIR/uploads grows as pieces arrive; the row says how much of it is safe. Whatever dies
in between (the line, the browser, this process), the upload goes on at `offset_of`. With object storage the
pieces wait here too, and travel on once an import takes the whole: several web machines then need one
shared data folder.
"""

import base64
import fcntl
import hashlib
import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO, Protocol

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import default_storage
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.archive_names import shown
from datasets.models import Upload
from projects.models import Project
from web import storage
from web.sentences import Conflict, Refusal

KEPT = timedelta(days=3)  # after the last piece
CHUNK = 256 * 1024
SAVE_EVERY = 8 * 1024**2  # at most this much is sent again after a kill
SPARE_BYTES = 256 * 1024**2  # what an upload leaves free on the disk
ALGORITHMS = ("sha1", "sha256", "md5")


class WrongOffset(Conflict):
    """The piece does not begin where the file ends."""

    code = "wrong-offset"


class Busy(Refusal):
    """Another request is writing to this upload."""

    code = "upload-busy"
    status = 423
    retry_after = 2


class TooLong(Refusal):
    """More bytes than were declared."""

    code = "too-many-bytes"
    status = 413


class ChecksumMismatch(Refusal):
    """The piece is not what its sender says; none of it is kept."""

    code = "checksum-mismatch"
    status = 460  # tus 1.0, checksum extension


class NoRoom(Refusal):
    """The disk would be full."""

    code = "no-room"
    status = 507


class Incomplete(Conflict):
    """Only a whole file can be used."""

    code = "upload-incomplete"


class Body(Protocol):
    """What a request gives to read."""

    def read(self, size: int, /) -> bytes: ...


def folder() -> Path:
    """Where pieces wait."""
    found = Path(settings.DATA_DIR) / "uploads"
    found.mkdir(mode=0o700, parents=True, exist_ok=True)
    return found


def path_of(upload: Upload) -> Path:
    """The growing file."""
    return folder() / upload.pk.hex


def create_upload(*, project: Project, user: User, length: int, metadata: str, name: str) -> Upload:
    """An empty upload of a declared length, which the caller has checked. Raises NoRoom."""
    sweep()
    if shutil.disk_usage(folder()).free < length + SPARE_BYTES:
        raise NoRoom(gettext_noop("The server's disk has no room for this file. Tell the operator."))
    upload = Upload.objects.create(
        project=project,
        created_by=user,
        length=length,
        metadata=metadata,
        name=shown(name, 255) if name else "",
        expires_at=timezone.now() + KEPT,
    )
    path_of(upload).touch(mode=0o640)
    return upload


def offset_of(upload: Upload) -> int:
    """How many bytes are safe here."""
    if upload.taken_by_id:
        return upload.length
    try:
        return min(upload.offset, path_of(upload).stat().st_size)
    except FileNotFoundError:
        return upload.length if default_storage.exists(key_of(upload)) else 0


@contextmanager
def locked(upload: Upload) -> Iterator[BinaryIO]:
    """The file, for one writer among all processes of this machine. Raises Busy. A kill frees it."""
    descriptor = os.open(path_of(upload), os.O_RDWR | os.O_CREAT, 0o640)
    with os.fdopen(descriptor, "r+b") as target:
        try:
            fcntl.flock(target, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Busy(
                gettext_noop("Another request is sending this file. Try again in a moment.")
            ) from error
        yield target


def receive(
    upload: Upload, body: Body, *, offset: int, count: int, checksum: tuple[str, bytes] | None = None
) -> int:
    """Append the `count` bytes of a request, or as many as arrive. Returns the new offset.

    Raises WrongOffset, TooLong, Busy, NoRoom and, where a checksum came along, ChecksumMismatch.
    """
    if offset + count > upload.length:
        raise TooLong(gettext_noop("This is more than the length that was declared for the upload."))
    if count == 0 and offset == offset_of(upload):
        return offset
    with locked(upload) as target:
        upload.refresh_from_db()
        here = offset_of(upload)
        if offset != here:
            raise WrongOffset(gettext_noop("The upload stands at byte %(offset)s."), offset=here)
        target.truncate(here)
        target.seek(here)
        return append(upload, target, body, count, checksum)


def append(
    upload: Upload, target: BinaryIO, body: Body, count: int, checksum: tuple[str, bytes] | None
) -> int:
    """Write what arrives. A piece with a checksum counts as a whole or not at all."""
    start = at = saved = target.tell()
    digest = hashlib.new(checksum[0], usedforsecurity=False) if checksum else None
    try:
        for chunk in chunks(body, count):
            target.write(chunk)
            at += len(chunk)
            if digest:
                digest.update(chunk)
            elif at - saved >= SAVE_EVERY:
                saved = save(upload, target, at)
        if checksum and digest and (digest.digest() != checksum[1] or at - start < count):
            raise ChecksumMismatch(gettext_noop("The piece arrived damaged; send it again."))
        return save(upload, target, at)
    except OSError as error:
        raise NoRoom(
            gettext_noop("The server's disk has no room for this file. Tell the operator.")
        ) from error


def chunks(body: Body, count: int) -> Iterator[bytes]:
    """What the line brings, until all is there or the line drops."""
    while count > 0:
        try:
            chunk = body.read(min(CHUNK, count))
        except OSError:  # the line dropped or stalled; what came before it counts
            return
        if not chunk:
            return
        count -= len(chunk)
        yield chunk


def save(upload: Upload, target: BinaryIO, offset: int) -> int:
    """The bytes are on the disk first, then the row says so."""
    target.flush()
    os.fsync(target.fileno())
    upload.offset, upload.expires_at = offset, timezone.now() + KEPT
    Upload.objects.filter(pk=upload.pk).update(offset=offset, expires_at=upload.expires_at)
    return offset


def discard(upload: Upload) -> None:
    """Forget an upload. What an import took of it stays with the import."""
    Upload.objects.filter(pk=upload.pk).delete()
    forget_file(upload)


def forget_file(upload: Upload) -> None:
    """Its pieces, and the whole where no import has it."""
    path_of(upload).unlink(missing_ok=True)
    if not upload.taken_by_id:
        default_storage.delete(key_of(upload))


def sweep() -> None:
    """Forget what expired, and files whose row is gone."""
    now = timezone.now()
    for old in Upload.objects.filter(expires_at__lt=now):
        if Upload.objects.filter(pk=old.pk, expires_at__lt=now).delete()[0]:  # no piece came this moment
            forget_file(old)
    known = {pk.hex for pk in Upload.objects.values_list("pk", flat=True)}
    for path in folder().iterdir():
        if path.name not in known and path.stat().st_mtime < time.time() - KEPT.total_seconds():
            path.unlink(missing_ok=True)


def key_of(upload: Upload) -> str:
    """Where a whole upload waits for its import."""
    return f"uploads/{upload.pk.hex}"


def keep_whole(upload: Upload) -> str:
    """Move a whole upload to where imports read; again is free. Raises Incomplete, Busy. Returns its key.

    On a disk a rename; to object storage it may take minutes, so it is never done inside a transaction.
    """
    if offset_of(upload) != upload.length:
        raise Incomplete(gettext_noop("The upload is not complete; send the rest of it first."))
    key = key_of(upload)
    if not default_storage.exists(key):
        with locked(upload):
            move(path_of(upload), key)
    return key


def move(path: Path, key: str) -> None:
    """To the key, unless somebody else just did."""
    if default_storage.exists(key):
        path.unlink()
        return
    try:
        final = Path(default_storage.path(key))
    except NotImplementedError:  # object storage
        with path.open("rb") as source:
            storage.put(key, File(source))
        path.unlink()
        return
    final.parent.mkdir(parents=True, exist_ok=True)
    shutil.move(path, final)


def metadata_of(header: str) -> Mapping[str, str]:
    """tus' Upload-Metadata: `key BASE64,key BASE64,key`. Raises ValueError."""
    found: dict[str, str] = {}
    for pair in filter(None, (part.strip() for part in header.split(","))):
        key, _, value = pair.partition(" ")
        found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8", "replace")
    return found


def checksum_of(header: str) -> tuple[str, bytes]:
    """tus' Upload-Checksum: `algorithm BASE64`. Raises ValueError."""
    algorithm, _, value = header.partition(" ")
    if algorithm not in ALGORITHMS:
        raise ValueError(algorithm)
    return algorithm, base64.b64decode(value.strip(), validate=True)
