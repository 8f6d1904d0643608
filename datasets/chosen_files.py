"""What an act in the background is to change, as it was chosen, in a file that goes once no job needs it."""

import json
import secrets
from datetime import timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db.models import Q
from django.utils import timezone

from jobs.models import KEPT_ASIDE, Job, State
from web import storage

FOLDER = "selections"
GRACE = timedelta(hours=1)  # between the file and its job's row, or while somebody reads a plan


def keep(chosen: Any, key: str = "") -> str:
    """Write it down, as JSON. Returns the key, which is this act's alone."""
    return storage.put(key or new_key(), ContentFile(json.dumps(chosen).encode()))


def new_key() -> str:
    """For what a job is to find out itself, and keep for its next attempt."""
    return f"{FOLDER}/{secrets.token_hex(16)}.json"


def read(key: str) -> Any:
    """What was kept. Raises FileNotFoundError."""
    return json.loads(storage.read(key))


def tidy(grace: timedelta = GRACE) -> int:
    """Remove the files of jobs that ended for good, and of acts that never came to have one; how many went."""
    needed = keys_needed()
    gone = [key for key in stored(FOLDER) if key not in needed and is_older(key, grace)]
    for key in gone:
        default_storage.delete(key)
    return len(gone)


def keys_needed() -> set[str]:
    """Those of jobs that go on, or were set aside and can be tried again."""
    aside = Q(state=State.PARKED, finished_at__gt=timezone.now() - KEPT_ASIDE)
    jobs = Job.objects.active() | Job.objects.filter(aside)
    return set(jobs.filter(payload__has_key="selection").values_list("payload__selection", flat=True))


def stored(folder: str) -> list[str]:
    """Every file below the folder, however deep: earlier versions named them by their content."""
    try:
        folders, files = default_storage.listdir(folder)
    except FileNotFoundError:
        return []
    below = [key for each in folders for key in stored(f"{folder}/{each}")]
    return below + [f"{folder}/{each}" for each in files]


def is_older(key: str, grace: timedelta) -> bool:
    """Whether it was written so long ago; one that went meanwhile was."""
    try:
        return default_storage.get_modified_time(key) <= timezone.now() - grace
    except FileNotFoundError:
        return True
