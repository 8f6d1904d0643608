"""One file with everything that must not be lost, made while people work; and a quick one before migrations."""

import hashlib
import io
import json
import os
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from config import database_copy
from config.embedded import KEY_NAME
from config.verify_files import referenced, stored
from training import checkpoints
from web import holding, storage
from web.sentences import Refusal

MANIFEST, FILES = "manifest.json", "files"
KEPT_BEFORE_MIGRATIONS = 3


class CannotBackUp(Refusal):
    """The file cannot be written, or what belongs into it cannot be read."""

    code = "cannot-back-up"


@dataclass
class Manifest:
    """What a backup says of itself; its last member, so that a file cut short has none."""

    made_at: str
    database: str
    columns: dict[str, list[str]]
    migrations: list[list[str]]
    with_files: bool
    files: int = 0
    bytes: int = 0
    sha256: dict[str, str] = field(default_factory=dict)  # of members whose name does not promise it
    form: int = 1


def back_up(target: Path, *, files: bool = True) -> Manifest:
    """Write a backup: the database at one moment, then the files that it names. Raises CannotBackUp.

    Files are kept under the hash of their content and never change; deletions wait until all are copied.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        if target.exists():
            raise CannotBackUp(gettext_noop("%(file)s exists already."), file=str(target))
        with written(part) as out, tarfile.open(fileobj=out, mode="w|", format=tarfile.PAX_FORMAT) as tar:
            manifest = with_everything(tar, part.parent) if files else with_database(tar, part.parent)
        part.replace(target)
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotBackUp(gettext_noop("The backup was not made: %(reason)s."), reason=reason) from error
    finally:
        part.unlink(missing_ok=True)
    return manifest


@contextmanager
def written(part: Path) -> Iterator[IO[bytes]]:
    """A new file for nobody's eyes but ours, on the disk when the block ends."""
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        yield out
        out.flush()
        os.fsync(out.fileno())


def with_everything(tar: tarfile.TarFile, room: Path) -> Manifest:
    """Database, secret key, files."""
    with holding.hold():
        manifest = with_database(tar, room, last=False)
        manifest.with_files = True
        for key in sorted(set(stored())):
            if not key.startswith(f"{checkpoints.FOLDER}/"):  # a restored training starts anew
                add_file(tar, manifest, key)
    forget_what_waited()
    add_bytes(tar, MANIFEST, json.dumps(asdict(manifest)).encode())
    return manifest


def with_database(tar: tarfile.TarFile, room: Path, *, last: bool = True) -> Manifest:
    """The database and the secret key."""
    made_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    done = sorted([app, name] for app, name in MigrationRecorder(connection).applied_migrations())
    with tempfile.TemporaryDirectory(dir=room, prefix=".backup-") as folder:
        copies = database_copy.copy_out(Path(folder))
        columns = database_copy.columns_of(Path(folder))
        manifest = Manifest(made_at, connection.vendor, columns, done, with_files=False)
        for copy in copies:
            name = str(copy.relative_to(folder))
            with copy.open("rb") as content:
                manifest.sha256[name] = storage.hash_of(content)
                add(tar, name, content, copy.stat().st_size)
    key = Path(settings.DATA_DIR) / KEY_NAME
    if key.exists() and key.read_text().strip() == settings.SECRET_KEY:
        add_bytes(tar, KEY_NAME, key.read_bytes())
        manifest.sha256[KEY_NAME] = hashlib.sha256(key.read_bytes()).hexdigest()
    if last:
        add_bytes(tar, MANIFEST, json.dumps(asdict(manifest)).encode())
    return manifest


def add_file(tar: tarfile.TarFile, manifest: Manifest, key: str) -> None:
    """One stored file; one that came and went since the database was copied is left out."""
    try:
        with storage.local_copy(key) as path, path.open("rb") as content:
            size = os.fstat(content.fileno()).st_size
            if not storage.promised_hash(key):
                manifest.sha256[f"{FILES}/{key}"] = storage.hash_of(content)
            add(tar, f"{FILES}/{key}", content, size)
    except FileNotFoundError:
        return
    manifest.files += 1
    manifest.bytes += size


def add(tar: tarfile.TarFile, name: str, content: IO[bytes], size: int) -> None:
    """A member of this size."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o600, int(time.time())
    tar.addfile(member, content)


def add_bytes(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    """A small member."""
    add(tar, name, io.BytesIO(content), len(content))


def forget_what_waited() -> int:
    """Delete what was to be deleted while a backup ran, unless a row names it (again). How many went."""
    waiting = list(holding.forgotten())
    if not waiting or holding.held():
        return 0
    named = {key for key, _row in referenced()}
    for mark, key in waiting:
        if key not in named:
            default_storage.delete(key)
        default_storage.delete(mark)
    return len(waiting)


def back_up_before_migrating() -> Path | None:
    """The database alone, into the data folder; the last three are kept. None: nothing to lose or to change."""
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    if database_copy.is_empty() or not executor.migration_plan(executor.loader.graph.leaf_nodes()):
        return None
    folder = Path(settings.DATA_DIR) / "backups"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    target = folder / f"before-migration-{time.strftime('%Y%m%d-%H%M%S')}.tar"
    back_up(target, files=False)
    for old in sorted(folder.glob("before-migration-*.tar"))[:-KEPT_BEFORE_MIGRATIONS]:
        old.unlink()
    return target


def told(manifest: Manifest, target: Path) -> str:
    """For whoever asked."""
    size = f"{target.stat().st_size / 1024**2:.1f}"
    return _("%(file)s: the database and %(count)d files, %(mb)s MB.") % {
        "file": target,
        "count": manifest.files,
        "mb": size,
    }
