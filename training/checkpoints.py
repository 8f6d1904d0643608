"""A run's checkpoints in the storage, so that another host goes on from the last finished epoch.

The engine writes them on its own host's disk (training/engine/checkpoints.py) and knows no storage. The hash of each
is in its name: what was torn on either way is recognised before anybody opens it.
"""

import hashlib
import logging
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from django.core.files import File
from django.core.files.storage import default_storage
from django.db.models import Q

from jobs.models import State
from training.models import ModelVersion, VersionState
from web import storage
from web.sentences import Refusal

log = logging.getLogger(__name__)
FOLDER = "checkpoints"
KEPT = 2
LOOK_EVERY = 0.05
REST = 10.0  # seconds after a storage that did not answer
FAREWELL = 1.0  # an upload under way may end when the run must; a stop leaves no more time
NAME = re.compile(r"(?P<fit>.+)-(?P<number>\d+)-(?P<sha256>[0-9a-f]{64})\.ckpt")


@dataclass(frozen=True)
class Name:
    """A checkpoint's name: which fit it belongs to, which one of it, and what its content is."""

    text: str
    fit: str
    number: int
    sha256: str

    @classmethod
    def of(cls, text: str) -> "Name | None":
        """Read a file's name; None for others."""
        found = NAME.fullmatch(text)
        return cls(text, found["fit"], int(found["number"]), found["sha256"]) if found else None

    def fits(self, path: Path) -> bool:
        """Whether the file there is whole."""
        try:
            with path.open("rb") as source:
                return hashlib.file_digest(source, "sha256").hexdigest() == self.sha256
        except FileNotFoundError:
            return False


def newest_first(texts: Iterable[str]) -> list[Name]:
    """The checkpoints among these names."""
    return sorted(filter(None, map(Name.of, texts)), key=lambda name: name.number, reverse=True)


def folder_of(version: int) -> str:
    """Where a version's lie in the storage."""
    return f"{FOLDER}/{version}/"


def version_of(key: str) -> int | None:
    """Whose checkpoint a key is; None for keys of other things."""
    folder, _, rest = key.partition("/")
    number = rest.partition("/")[0]
    return int(number) if folder == FOLDER and number.isdecimal() else None


def stored(version: int) -> list[Name]:
    """What the storage holds for a version, the newest first. Raises StorageUnavailable."""
    folder = folder_of(version)
    path = storage.path_of(folder)
    if path is not None:
        return newest_first(each.name for each in path.iterdir()) if path.is_dir() else []
    keys = default_storage.contents(folder)  # type: ignore[attr-defined]
    return newest_first(key.removeprefix(folder) for key, _size in keys)


def here(folder: Path) -> list[Name]:
    """What lies whole on this host's disk, the newest first."""
    names = newest_first(each.name for each in folder.iterdir()) if folder.is_dir() else []
    return [name for name in names if name.fits(folder / name.text)]


def fetch(version: int, folder: Path) -> int:
    """Bring what the storage holds beyond what lies here; how many came, damaged ones not counted.

    Raises StorageUnavailable only where there is nothing here to go on with.
    """
    have = here(folder)
    try:
        known = {name.fit: name.number for name in reversed(have)}
        wanted = [name for name in stored(version) if name.number > known.get(name.fit, 0)]
        return sum(fetched(version, name, folder) for name in wanted)
    except storage.StorageUnavailable:
        if not have:
            raise
        log.warning("version %s goes on with the checkpoints of this host; the storage is away", version)
        return 0


def fetched(version: int, name: Name, folder: Path) -> bool:
    """One of them, if it arrives whole."""
    folder.mkdir(parents=True, exist_ok=True)
    part = folder / f"{name.text}.part"
    try:
        with storage.local_copy(folder_of(version) + name.text) as path:
            shutil.copyfile(path, part)
        if name.fits(part):
            part.replace(folder / name.text)
            return True
        log.warning("version %s: the checkpoint %s is damaged in the storage", version, name.text)
    except FileNotFoundError:  # a newer one took its place meanwhile
        pass
    finally:
        part.unlink(missing_ok=True)
    return False


class Courier:
    """Sends each finished checkpoint to the storage while the engine works; the newest two of a fit stay there.

    In a thread of its own: neither the engine nor the lease waits for an upload, and while the storage is away the
    run goes on. Epochs that are quicker than an upload are skipped.
    """

    def __init__(self, version: int, folder: Path, must_end: Callable[[], bool]) -> None:
        self.version, self.folder, self.must_end = version, folder, must_end
        self.sent: list[Name] | None = None  # None: not asked yet
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name=f"checkpoints-{version}", daemon=True)

    def __enter__(self) -> "Courier":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(FAREWELL)

    def _work(self) -> None:
        pause = 0.0
        while not self._over.wait(max(pause, LOOK_EVERY)):
            began, pause = time.monotonic(), 0.0
            try:
                if self._send_newest():
                    pause = time.monotonic() - began  # at most half of the line
            except (OSError, Refusal) as error:
                log.warning("version %s: a checkpoint waits (%s)", self.version, " ".join(str(error).split()))
                pause = REST

    def _send_newest(self) -> bool:
        """Send the newest of each fit if it is new. False: there was nothing to do."""
        if self.sent is None:  # at once: what is connected is quicker when it counts
            self.sent = stored(self.version)
        names = newest_first(each.name for each in self.folder.iterdir()) if self.folder.is_dir() else []
        newest = {name.fit: name for name in reversed(names)}.values()
        new = [name for name in newest if name not in self.sent]
        for name in new:
            if not self.must_end():
                self._send(name, self.sent)
        return bool(new)

    def _send(self, name: Name, sent: list[Name]) -> None:
        path = self.folder / name.text
        if not name.fits(path):  # gone already, or damaged: the engine will find out
            return
        with path.open("rb") as source:
            storage.put(folder_of(self.version) + name.text, File(source))
        sent.append(name)
        before = [each for each in sent if each.fit == name.fit and each.number < name.number]
        for old in sorted(before, key=lambda each: each.number, reverse=True)[KEPT - 1 :]:
            if self.must_end():
                return
            default_storage.delete(folder_of(self.version) + old.text)
            sent.remove(old)


def forget(version: int) -> None:
    """The version has ended. What cannot be deleted now is swept later."""
    try:
        for name in stored(version):
            default_storage.delete(folder_of(version) + name.text)
    except OSError as error:
        log.warning("version %s: its checkpoints stay for now (%s)", version, " ".join(str(error).split()))


def wanted() -> set[int]:
    """The versions whose checkpoints may be needed: those that run, and those that may be tried again."""
    aside = Q(state=VersionState.FAILED, job__state=State.PARKED)
    under_way = ModelVersion.objects.active().values_list("pk", flat=True)
    return set(under_way) | set(ModelVersion.objects.filter(aside).values_list("pk", flat=True))
