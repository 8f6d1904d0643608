"""Which SQLite library this process uses, and whether its write-ahead log may be trusted."""

import sqlite3
import sys
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from types import ModuleType

Version = tuple[int, ...]
NETWORK_FILE_SYSTEMS = {
    *(
        "nfs",
        "nfs4",
        "cifs",
        "smb",
        "smb2",
        "smb3",
        "smbfs",
        "9p",
        "afs",
        "ceph",
        "glusterfs",
        "lustre",
        "gpfs",
    ),
    *("beegfs", "fuse.sshfs", "fuse.rclone", "fuse.s3fs", "fuse.glusterfs", "afpfs", "webdav", "davfs"),
    *("virtiofs", "vboxsf", "prl_fs", "fuse.grpcfuse", "osxfs"),
}


def has_wal_reset_fault(version: Version) -> bool:
    """True where two connections on a write-ahead log can lose a commit (SQLite 3.7.0 to 3.51.2).

    Mended in 3.51.3 and carried back to 3.50.7 and 3.44.6.
    """
    if version >= (3, 51, 3) or version < (3, 7):
        return False
    return not ((3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45))


def choose() -> ModuleType:
    """The system's library where it is sound, else the one in the `pysqlite3` wheel, else the system's."""
    if not has_wal_reset_fault(sqlite3.sqlite_version_info):
        return sqlite3
    try:
        bundled = import_module("pysqlite3")
        import_module("pysqlite3.dbapi2")
    except ImportError:  # no wheel for this machine; the journal falls back to DELETE
        return sqlite3
    return sqlite3 if has_wal_reset_fault(bundled.sqlite_version_info) else bundled


LIBRARY = choose()


def import_djangos_backend() -> ModuleType:
    """Django's SQLite backend, built on LIBRARY.

    Its modules name `sqlite3` at their top, so the name is lent to our library for the length of the import.
    All of the process must reach the database file through one library: two copies drop each other's locks.
    """
    name = "django.db.backends.sqlite3"
    loaded = sys.modules.get(f"{name}.base")
    if loaded is not None and loaded.Database is LIBRARY.dbapi2:
        return loaded
    for module in [module for module in sys.modules if module == name or module.startswith(f"{name}.")]:
        del sys.modules[module]
    own = {module: sys.modules.get(module) for module in ("sqlite3", "sqlite3.dbapi2")}
    sys.modules.update({"sqlite3": LIBRARY, "sqlite3.dbapi2": LIBRARY.dbapi2})
    try:
        return import_module(f"{name}.base")
    finally:
        for module, original in own.items():
            if original is None:
                del sys.modules[module]
            else:
                sys.modules[module] = original


def file_system(path: Path, mounts: Path = Path("/proc/self/mounts")) -> str:
    """The type of the file system that holds `path`, or "" where the system does not tell."""
    try:
        lines = mounts.read_text(encoding="utf8", errors="replace").splitlines()
    except OSError:
        return ""
    resolved, best, kind = path.resolve(), -1, ""
    for line in lines:
        _device, point, found, *_rest = line.split(" ")
        folder = Path(point.encode().decode("unicode_escape"))
        if resolved.is_relative_to(folder) and len(folder.parts) >= best:
            best, kind = len(folder.parts), found
    return kind


@lru_cache
def journal_for(database: Path) -> tuple[str, str]:
    """(journal mode, why) for this database file: WAL where it is safe, DELETE where it is not."""
    if has_wal_reset_fault(LIBRARY.sqlite_version_info):
        return "DELETE", f"SQLite {LIBRARY.sqlite_version} can lose commits with a write-ahead log"
    if (kind := file_system(database.parent)) in NETWORK_FILE_SYSTEMS:
        return "DELETE", f"{database.parent} is on a network file system ({kind})"
    return "WAL", ""
