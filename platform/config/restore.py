"""Brings a backup back: everything is checked before anything counts."""

import hashlib
import json
import shutil
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from django.conf import settings
from django.core.files import File
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.loader import MigrationLoader
from django.utils.translation import gettext_noop

from config import database_copy
from config.backup import FILES, MANIFEST, Manifest
from config.embedded import KEY_NAME
from config.verify_files import stored
from jobs.ends import INTERRUPTED, LET_GO
from jobs.models import Job, State
from training import checkpoints
from web import storage
from web.sentences import Refusal, Sentence

CHUNK = 1024 * 1024


class CannotRestore(Refusal):
    """The backup cannot be used, or not here."""

    code = "cannot-restore"


def restore(source: Path, *, force: bool = False) -> Manifest:
    """Bring a backup back into an empty installation (`force`: in place of what is there).

    Raises CannotRestore; then nothing has changed. The product must not be running.
    """
    if not force and (not database_copy.is_empty() or next(stored(), None)):
        raise CannotRestore(gettext_noop("There is data here already; --force replaces it."))
    data = Path(settings.DATA_DIR)
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=data, prefix="restore-", suffix=".restoring") as folder:
        new: list[str] = []
        try:
            manifest = unpack(source, Path(folder), new)
            put_in_place(Path(folder), manifest)
        except BaseException:
            for key in new:
                default_storage.delete(key)
            raise
    settle()
    return manifest


def unpack(source: Path, folder: Path, new: list[str]) -> Manifest:
    """Read the whole file: the database's part into `folder`, files into the storage. All sums are checked."""
    sums: dict[str, str] = {}
    found: Manifest | None = None
    files = 0
    try:
        with tarfile.open(source, "r|") as tar:
            for member, content in members(tar):
                if member.name == MANIFEST:
                    found = Manifest(**json.loads(content.read()))
                elif member.name.startswith(f"{FILES}/"):
                    files += 1
                    sums[member.name] = unpack_file(member, content, folder, new)
                else:
                    sums[member.name] = written(content, folder / member.name)
    except (tarfile.TarError, EOFError) as error:
        raise damaged(source) from error
    except OSError as error:
        reason = error.strerror or str(error)
        raise CannotRestore(gettext_noop("Nothing was restored: %(reason)s."), reason=reason) from error
    if (
        found is None
        or files != found.files
        or any(sums.get(name) != each for name, each in found.sha256.items())
    ):
        raise damaged(source)
    refuse_unknown(found)
    return found


def members(tar: tarfile.TarFile) -> Iterator[tuple[tarfile.TarInfo, IO[bytes]]]:
    """Plain files under plain names."""
    for member in tar:
        content = tar.extractfile(member) if member.isfile() else None
        if content is None or member.name.startswith("/") or ".." in Path(member.name).parts:
            raise tarfile.TarError(member.name)
        yield member, content


def unpack_file(member: tarfile.TarInfo, content: IO[bytes], folder: Path, new: list[str]) -> str:
    """One file into the storage, if what arrives is what its name promises."""
    key = member.name.removeprefix(f"{FILES}/")
    draft = folder / "draft"
    found = written(content, draft)
    if (promised := storage.promised_hash(key)) and promised != found:
        raise tarfile.TarError(key)
    if storage.size_of(key) is None:
        new.append(key)
    with draft.open("rb") as whole:
        storage.put(key, File(whole))
    return found


def written(content: IO[bytes], target: Path) -> str:
    """Copy to disk; the sha256."""
    target.parent.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256()
    with target.open("wb") as out:
        while part := content.read(CHUNK):
            out.write(part)
            digest.update(part)
    return digest.hexdigest()


def damaged(source: Path) -> CannotRestore:
    """Cut short, or changed."""
    return CannotRestore(
        gettext_noop("%(file)s is damaged or not a whole backup; nothing was restored."), file=str(source)
    )


def refuse_unknown(found: Manifest) -> None:
    """A backup of a newer release, or of another kind of database."""
    known = MigrationLoader(None, ignore_no_migrations=True).disk_migrations
    if any((app, name) not in known for app, name in map(tuple, found.migrations)):
        raise CannotRestore(gettext_noop("The backup was made by a newer release; restore it with that one."))
    if found.database != connection.vendor:
        raise CannotRestore(
            gettext_noop("The backup is of a %(kind)s database, and DATABASE_URL names another kind."),
            kind=found.database,
        )


def put_in_place(folder: Path, manifest: Manifest) -> None:
    """From here on it counts: the database, then the secret key."""
    if manifest.database == "sqlite":
        database_copy.put_in_sqlite(folder / database_copy.SQLITE)
    else:
        migrate_to(manifest)
        database_copy.put_in_tables(folder / database_copy.FOLDER, manifest.columns)
    key = folder / KEY_NAME
    if key.exists():
        key.chmod(0o600)
        shutil.move(key, Path(settings.DATA_DIR) / KEY_NAME)


def migrate_to(manifest: Manifest) -> None:
    """Tables as they were when the backup was made."""
    last = dict(sorted((app, name) for app, name in manifest.migrations))
    for app, name in last.items():
        call_command("migrate", app, name, interactive=False, verbosity=0)


def settle() -> None:
    """Bring the tables up to date, and take running jobs from holders that belong to the original.

    Checkpoints that lie here belong to what was replaced.
    """
    connections.close_all()
    call_command("migrate", interactive=False, verbosity=0)
    Job.objects.filter(state=State.RUNNING).update(
        state=State.RETRYING, message=Sentence(INTERRUPTED).to_json(), wake_at=None, **LET_GO
    )
    for key in list(stored(f"{checkpoints.FOLDER}/")):
        default_storage.delete(key)
    for left in Path(settings.DATA_DIR).glob("work/training-*"):
        shutil.rmtree(left, ignore_errors=True)
