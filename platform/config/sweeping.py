"""Takes away what killed processes left behind; nothing that anybody may still want."""

import logging
import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError

from config.backup import forget_what_waited
from config.verify_files import old, referenced, stored
from datasets import exporting
from datasets.choosing import give_up_abandoned
from datasets.imports import kept_aside
from training import checkpoints
from web import storage
from web.storage import DAY

log = logging.getLogger(__name__)
UPLOADS = "uploads/"


def sweep() -> None:
    """At a start. A storage or folder that does not let us is no reason not to start."""
    try:
        storage.sweep()
        forget_what_waited()
        give_up_abandoned()
        forget_uploads()
        forget_exports(Path(settings.DATA_DIR))
        forget_trainings(Path(settings.DATA_DIR))
        forget_copies(Path(settings.DATA_DIR))
    except (OSError, DatabaseError) as error:
        log.warning("what killed processes left could not be swept: %s", " ".join(str(error).split()))


def forget_uploads() -> None:
    """Uploads that no import names which runs or may be tried again. Each key is used once: nobody stores it anew."""
    named = {key for key, _row in referenced()} | set(kept_aside())
    for key in list(stored(UPLOADS)):
        if key not in named and old(key, DAY):
            default_storage.delete(key)


def forget_exports(data: Path) -> None:
    """Zips that no export names, and working folders of exports that are over or gone."""
    exporting.forget_expired()
    named = {key for key, _row in referenced()}
    for key in list(stored(f"{exporting.FOLDER}/")):
        if key not in named and old(key, DAY):
            default_storage.delete(key)
    wanted = {exporting.work_folder(pk) for pk in exporting.under_way()}
    for left in data.glob("work/export-*"):
        if left not in wanted:
            shutil.rmtree(left, ignore_errors=True)


def forget_trainings(data: Path) -> None:
    """Checkpoints and working folders of trainings that have ended, or whose version is gone."""
    wanted = checkpoints.wanted()
    for key in list(stored(f"{checkpoints.FOLDER}/")):
        if checkpoints.version_of(key) not in wanted and old(key, DAY):
            default_storage.delete(key)
    for left in data.glob("work/training-*"):
        if left.name.removeprefix("training-") not in {str(pk) for pk in wanted}:
            shutil.rmtree(left, ignore_errors=True)


def forget_copies(data: Path) -> None:
    """Backups and restores that never ended. Only one process at a time starts on a data folder."""
    for left in (*data.glob("backups/*.part"), *data.glob("backups/.backup-*"), *data.glob("*.restoring")):
        shutil.rmtree(left) if left.is_dir() else left.unlink()


def forget_without_row() -> int:
    """Every file that no row names, a day old at least. Nobody may be at work; how many went."""
    named = {key for key, _row in referenced()} | set(kept_aside())
    at_work = checkpoints.wanted()
    rest = (key for key in stored() if key not in named and checkpoints.version_of(key) not in at_work)
    gone = [key for key in rest if old(key, DAY)]
    for key in gone:
        default_storage.delete(key)
    return len(gone)
