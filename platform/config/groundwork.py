"""What must be in place before the first request: tables, static files, somebody who can sign in."""

import hashlib
from collections.abc import Callable
from pathlib import Path

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.db import OperationalError, connections
from django.utils.translation import gettext as _

from config.embedded import CannotStart
from web.sqlite import planning

STAMP = ".collected"
# What no page loads; the comments in htmx extensions hold imports that the hashing would try to follow.
UNUSED = ["hx-*.js", "htmax*.js", "redoc*"]


def lay(say: Callable[[str], None]) -> None:
    """Bring the database and the static files up to date, and make the first account."""
    from config.backup import CannotBackUp, back_up_before_migrating
    from config.sweeping import sweep

    try:
        if made := back_up_before_migrating():
            say(_("The database was copied to %(file)s before it is changed.") % {"file": made})
        call_command("migrate", interactive=False, verbosity=0)
        first_account(say)
        sweep()
        planning.refresh()
    except CannotBackUp as error:
        raise CannotStart(str(error)) from error
    except OperationalError as error:
        reason = " ".join(str(error).split())
        raise CannotStart(_("The database cannot be used: %(reason)s") % {"reason": reason}) from error
    finally:
        connections.close_all()
    collect_static()


def first_account(say: Callable[[str], None]) -> None:
    """Print the first superuser's password, once, where it was made up here."""
    from projects.bootstrap import ensure_first_admin

    if made := ensure_first_admin():
        user, password = made
        say(
            _("Sign in as %(user)s with the password %(password)s (shown only now).")
            % {"user": user, "password": password}
        )


def collect_static() -> None:
    """Copy, hash and compress the static files, unless the last start did so for these very files."""
    stamp = Path(settings.STATIC_ROOT) / STAMP
    found = fingerprint()
    if stamp.exists() and stamp.read_text() == found:
        return
    call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=UNUSED)
    stamp.write_text(found)


def fingerprint() -> str:
    """A digest over names, sizes and times of all static files, and over how they are stored."""
    digest = hashlib.sha256(repr(settings.STORAGES["staticfiles"]).encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            found = Path(storage.path(name)).stat()
            digest.update(f"{name}\0{found.st_size}\0{found.st_mtime_ns}\n".encode())
    return digest.hexdigest()
