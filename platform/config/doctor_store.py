"""The doctor's looks at what must not be lost: secret key, database, stored files."""

import stat
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from config.doctor import Finding, fail, ok, warn
from config.embedded import KEY_NAME
from web.sqlite.library import LIBRARY, has_wal_reset_fault, journal_for


def secret_key() -> Iterator[Finding]:
    """Where the key comes from, and that nobody else can read it."""
    name, file = _("Secret key"), settings.DATA_DIR / KEY_NAME
    if not file.exists() or file.read_text().strip() != settings.SECRET_KEY:
        yield ok(name, _("from the environment"))
    elif stat.S_IMODE(file.stat().st_mode) & 0o077:
        yield fail(name, _("%(file)s can be read by others.") % {"file": file}, f"chmod 600 {file}")
    else:
        yield ok(name, str(file))


def sqlite_library() -> Iterator[Finding]:
    """Which SQLite is in use and how it writes (nothing where PostgreSQL is used)."""
    if connection.vendor != "sqlite":
        return
    origin = _("the system's") if LIBRARY.__name__ == "sqlite3" else _("from the pysqlite3 wheel")
    shown = f"{LIBRARY.sqlite_version} ({origin})"
    mode, why = journal_for(Path(settings.DATABASES["default"]["NAME"]))
    if mode == "WAL":
        yield ok("SQLite", f"{shown}, WAL")
    elif has_wal_reset_fault(LIBRARY.sqlite_version_info):
        mend = _("Slower, but safe. SQLite 3.51.3 or the pysqlite3 wheel would be quicker.")
        yield warn("SQLite", f"{shown}, DELETE: {why}", mend)
    else:
        mend = _("Slower, and locks may not hold there: put TAXON_DATA_DIR on a local disk.")
        yield warn("SQLite", f"{shown}, DELETE: {why}", mend)


def database() -> Iterator[Finding]:
    """That it answers and has our tables."""
    name = _("Database")
    if connection.vendor == "sqlite" and not Path(settings.DATABASES["default"]["NAME"]).exists():
        yield warn(name, _("There is none yet."), _("`python manage.py up` makes it."))
        return
    try:
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
        shown = f"{connection.display_name} {'.'.join(map(str, connection.get_database_version()))}"
    except DatabaseError as error:
        yield fail(name, " ".join(str(error).split()), _("Check DATABASE_URL and that the server runs."))
        return
    if missing:
        says = _("%(shown)s, %(count)d migrations are missing.") % {"shown": shown, "count": len(missing)}
        yield warn(name, says, _("Run `python manage.py migrate` (`up` does it by itself)."))
    else:
        yield ok(name, shown)


def storage() -> Iterator[Finding]:
    """That a file can be stored, read back and removed."""
    name, where = _("Storage"), settings.STORAGE_URL
    try:
        key = default_storage.save("doctor/probe.txt", ContentFile(b"probe"))
        with default_storage.open(key) as file:
            same = file.read() == b"probe"
        default_storage.delete(key)
    except Exception as error:  # noqa: BLE001  every storage has its own exceptions
        mend = _("Check TAXON_STORAGE, the credentials and the rights of the folder.")
        yield fail(name, f"{where}: {' '.join(str(error).split())}", mend)
        return
    if same:
        yield ok(name, f"{where} ({settings.MEDIA_ROOT})" if where == "file" else where)
    else:
        yield fail(name, _("What was read is not what was stored."), _("Do not use this storage."))


LOOKS = (secret_key, sqlite_library, database, storage)
