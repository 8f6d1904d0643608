"""Runs the engine in a process of its own: a spec in, lines while it works, a result at the end."""

import errno
import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext_noop

from jobs.deaths import out_of_memory_kills
from training.engine.memory import ran_out_of_memory
from training.engine.spec import DISK_FULL, RESULT, Task, write_spec
from training.logs import ENGINE_LOG, EVENTS_LOG, event_line
from web.sentences import Refusal
from web.storage import StorageFull

ROOT = Path(__file__).resolve().parent.parent
REFUSED = 3
LOOK_EVERY = 0.5
NICENESS = 10
LOG_TAIL = 4000
# The engine needs no way into our stores; what libraries print must not be able to show one.
KEPT_FROM_IT = ("SECRET", "PASSWORD", "TOKEN", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "AWS_")

Event = dict[str, Any]

REASONS = {
    "no-weights": gettext_noop("No pretrained weights could be had for this network."),
    "weights-unreadable": gettext_noop("A file of pretrained weights cannot be read; replace it."),
    "weights-do-not-fit": gettext_noop(
        "A file of pretrained weights does not belong to its network; replace it."
    ),
    "out-of-memory": gettext_noop(
        "There was not enough memory for this training; use fewer pictures at a time."
    ),
    "no-validation": gettext_noop("There are too few pictures to choose the best by; tag more."),
    "nothing-learnt": gettext_noop("The time limit was too short to learn anything; give it more minutes."),
}


class EngineRefused(Refusal):
    """The engine could not do it, for a reason that a person can mend. `code` is the engine's own."""

    def __init__(self, code: str, reason: str) -> None:
        if code in REASONS:
            super().__init__(REASONS[code])
        else:
            super().__init__(gettext_noop("The training could not be done: %(reason)s"), reason=reason)
        self.code = code


class EngineCrashed(RuntimeError):
    """It ended without a result; the job is tried again."""


class EngineStarved(EngineCrashed, MemoryError):
    """It ended for want of memory, without a word of its own: the kernel killed it, or a library gave up.

    Tried again, as another program may have taken the memory; then the person reads what it was.
    """


def threads() -> int:
    """All cores but one, unless the operator says otherwise: the site stays usable."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return settings.TRAINING_THREADS or max(1, cores - 1)


def run_engine(task: Task, *, hear: Callable[[Event], None], look: Callable[[], None]) -> Event:
    """Run a task to its end and return its result.

    `hear` gets each line, `look` is called twice a second; what either raises ends the engine at once.
    Raises EngineRefused or EngineCrashed. Call it from a process's main thread: the engine dies with it.
    """
    folder = Path(task.work_folder)
    folder.mkdir(parents=True, exist_ok=True)
    write_spec(task, folder / "spec.json")
    kills = out_of_memory_kills()
    with (folder / ENGINE_LOG).open("wb") as log, (folder / EVENTS_LOG).open("a", encoding="utf8") as events:

        def told(event: Event) -> None:
            with suppress(OSError):  # a full disk is the engine's to meet
                events.write(event_line(event))
                events.flush()
            hear(event)

        process = start(folder / "spec.json", log)
        try:
            failed = follow(process, told, look)
        finally:
            if process.poll() is None:
                process.kill()
            process.wait()
            if process.stdout:
                process.stdout.close()
    if process.returncode == REFUSED and failed:
        if failed.get("code") == DISK_FULL:
            raise StorageFull
        raise EngineRefused(str(failed.get("code")), str(failed.get("message")))
    if process.returncode:
        tail = (folder / ENGINE_LOG).read_text("utf-8", errors="replace")[-LOG_TAIL:]
        if os.strerror(errno.ENOSPC) in tail:
            raise StorageFull
        killed = process.returncode == -signal.SIGKILL and out_of_memory_kills() > kills
        kind = EngineStarved if killed or ran_out_of_memory(RuntimeError(tail)) else EngineCrashed
        raise kind(f"the engine ended with code {process.returncode}:\n{tail}")
    return dict(json.loads((folder / RESULT).read_text("utf-8")))


def start(spec: Path, log: IO[bytes]) -> "subprocess.Popen[bytes]":
    """The engine's process, politer than the site."""
    env = {
        name: value for name, value in os.environ.items() if not any(part in name for part in KEPT_FROM_IT)
    }
    process = subprocess.Popen(  # noqa: S603  (our own command line)
        [sys.executable, "-m", "training.engine", str(spec)],
        cwd=ROOT,
        env=env | {"OMP_NUM_THREADS": str(threads()), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=log,
    )
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, process.pid, max(NICENESS, os.getpriority(os.PRIO_PROCESS, 0)))
    return process


def follow(
    process: "subprocess.Popen[bytes]", hear: Callable[[Event], None], look: Callable[[], None]
) -> Event | None:
    """Pass the lines on until there are no more; the `failed` line, if there was one."""
    lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
    threading.Thread(target=pump, args=(process.stdout, lines), daemon=True).start()
    failed = None
    while True:
        look()
        try:
            line = lines.get(timeout=LOOK_EVERY)
        except queue.Empty:
            continue
        if line is None:
            process.wait()
            return failed
        event = json.loads(line)
        failed = event if event.get("event") == "failed" else failed
        hear(event)


def pump(stream: IO[bytes] | None, lines: "queue.SimpleQueue[bytes | None]") -> None:
    """The reading thread; None stands for the end."""
    if stream is not None:
        with suppress(ValueError):  # closed under our hands: the engine was killed
            for line in stream:
                lines.put(line)
    lines.put(None)
