"""What a training's worker tells while it works: the machine and the end of the engine's log, into one row."""

import json
import logging
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from training.machine import Machine
from training.models import RunWatch
from web.logs import masked, visible

log = logging.getLogger(__name__)
FIRST, EVERY = 1.0, 4.0
LINES, WIDTH = 200, 300
MOST_BYTES = 64 * 1024
ROOT = Path(__file__).resolve().parent.parent
ENGINE_LOG, EVENTS_LOG = "engine.log", "events.log"


class Watcher:
    """Writes the row every few seconds from a thread of its own; trouble with it never troubles the training."""

    def __init__(self, version: int, folder: Path) -> None:
        self.version, self.folder = version, folder
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=f"watch-{version}", daemon=True)

    def __enter__(self) -> "Watcher":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(EVERY + 2)

    def _watch(self) -> None:
        machine, kept, pause = Machine(), "", FIRST
        try:
            while not self._over.wait(pause):
                pause = EVERY
                kept = tail(self.folder) or kept  # an attempt's folder goes away before the last look
                self._write(machine.look(), kept)
        finally:
            connection.close()

    def _write(self, machine: dict[str, Any], kept: str) -> None:
        try:
            fields = {"machine": machine, "log": kept, "at": timezone.now()}
            RunWatch.objects.update_or_create(version_id=self.version, defaults=fields)
        except DatabaseError as error:
            log.warning("version %s: its watch could not be written (%s)", self.version, error)
            connection.close()


def tail(folder: Path) -> str:
    """The last lines of what the engine said, fit by fit, and of what its libraries printed, without secrets."""
    fits = sorted((path.parent for path in folder.glob(f"attempt-*/*/{EVENTS_LOG}")), key=begun)
    lines: list[str] = []
    for fit in fits:
        lines += end_of(fit / EVENTS_LOG) + end_of(fit / ENGINE_LOG)
    return "\n".join(shown(line) for line in lines[-LINES:])


def begun(folder: Path) -> float:
    """When the fit began; 0 where it went away meanwhile."""
    with suppress(OSError):
        return (folder / EVENTS_LOG).stat().st_ctime
    return 0.0


def end_of(path: Path) -> list[str]:
    """The last lines of a file that may be long, or gone."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(0, size - MOST_BYTES))
            return file.read().decode("utf-8", errors="replace").splitlines()[-LINES:]
    except OSError:
        return []


def shown(line: str) -> str:
    """A line as people may read it: no secrets, no control characters, no places of this machine."""
    places = {sys.prefix: "PYTHON", str(settings.DATA_DIR): "DATA", str(ROOT): "TAXON"}
    for place, name in places.items():
        line = line.replace(place, name)
    return visible(masked(line))[:WIDTH]


def event_line(event: dict[str, Any]) -> str:
    """A line of the engine as one of a log: the time, what it was, its values."""
    values = {name: value for name, value in event.items() if name != "event"}
    rest = " ".join(f"{name}={short(value)}" for name, value in values.items())
    return f"{timezone.now():%H:%M:%S} {event.get('event')} {rest}\n"


def short(value: Any) -> str:
    """Numbers with four digits; everything else as JSON."""
    return f"{value:.4g}" if isinstance(value, float) else json.dumps(value, ensure_ascii=False, default=str)
