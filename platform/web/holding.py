"""While a backup copies files, nothing that it may still want is deleted: deletions wait for its end."""

import json
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, Storage, default_storage

HOLD, FORGOTTEN = "holding", "forgotten"
LONGEST = 24 * 3600.0  # what a killed backup held is free after a day


class Holding(Storage):
    """For storages: `delete` waits while a backup runs. The mark lies in the storage, for all hosts to see."""

    def delete(self, name: str) -> None:
        """Delete it, or note that it is to go once nobody copies."""
        lasting = not name.startswith((HOLD, f"{FORGOTTEN}/", "parts/", "doctor/", "checkpoints/"))
        if lasting and held(self):
            self.save(f"{FORGOTTEN}/{uuid.uuid4().hex}", ContentFile(name.encode()))
            return
        super().delete(name)


class Disk(Holding, FileSystemStorage):
    """Files in a folder."""


def held(storage: Storage | None = None) -> bool:
    """A backup is copying."""
    try:
        with (storage or default_storage).open(HOLD) as mark:
            return bool(json.loads(mark.read())["until"] > time.time())
    except (FileNotFoundError, ValueError):
        return False


@contextmanager
def hold() -> Iterator[None]:
    """Deletions wait; see `forgotten` for what became of them."""
    with suppress(FileNotFoundError):
        default_storage.delete(HOLD)
    default_storage.save(HOLD, ContentFile(json.dumps({"until": time.time() + LONGEST}).encode()))
    try:
        yield
    finally:
        default_storage.delete(HOLD)


def forgotten() -> Iterator[tuple[str, str]]:
    """(mark, key) of what was to be deleted meanwhile. Whoever deletes a key deletes its mark."""
    try:
        marks = default_storage.listdir(FORGOTTEN)[1]
    except FileNotFoundError:
        return
    for mark in marks:
        with default_storage.open(f"{FORGOTTEN}/{mark}") as noted:
            yield f"{FORGOTTEN}/{mark}", noted.read().decode()
