"""What tests that start processes begin on, to copy: migrating takes seconds, so it is done once for all of them."""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.faults.plant import ROOT, environment


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], None]) -> Path:
    """A data folder that `make` fills, once for all test processes that run side by side."""
    above = factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        above = above.parent
    made = above / f"blank-{name}"
    with (above / f"{made.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            work = Path(mkdtemp(dir=above))
            make(work)
            work.rename(made)
    return made


def manage(folder: Path, command: str, settings: str, **more: str) -> None:
    """One of the commands on this data folder."""
    variables = environment(folder) | {"DJANGO_SETTINGS_MODULE": settings} | more
    words = (sys.executable, "manage.py", command, "--verbosity", "0")
    subprocess.run(words, cwd=ROOT, env=variables, check=True, timeout=120, stdout=subprocess.DEVNULL)


def migrated(factory: pytest.TempPathFactory, settings: str) -> Path:
    """An empty database with the tables of these settings."""
    return once(factory, settings, lambda work: manage(work, "migrate", settings)) / "taxon.sqlite3"


def prepared(factory: pytest.TempPathFactory) -> Path:
    """A data folder after `manage.py prepare`: tables, static files and the first account."""
    tables = migrated(factory, "tests.faults.house")

    def make(work: Path) -> None:
        shutil.copy(tables, work / "taxon.sqlite3")
        manage(work, "prepare", "config.settings", TAXON_ADMIN_PASSWORD="a-password-for-tests")

    return once(factory, "prepared", make)
