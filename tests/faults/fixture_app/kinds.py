"""Work that misbehaves in one way each; what it does is told to a journal that the tests judge."""

import json
import os
import resource
import signal
import time
from pathlib import Path
from threading import Event
from typing import Any

from django.db import transaction

from jobs.attempts import Attempt
from jobs.registry import Kind
from web.sentences import Refusal


def tell(attempt: Attempt, event: str, **more: Any) -> None:
    """One line in the journal, whole even if somebody else writes at the same time."""
    line = {"job": attempt.job.pk, "attempt": attempt.number, "pid": os.getpid(), "event": event, **more}
    descriptor = os.open(attempt.payload["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(descriptor, (json.dumps(line) + "\n").encode())
    os.close(descriptor)


def steps_done(attempt: Attempt) -> int:
    """How far earlier attempts came."""
    path = Path(attempt.payload["journal"])
    lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    return sum(line["job"] == attempt.job.pk and line["event"] == "step" for line in lines)


def steps(attempt: Attempt) -> None:
    """Well-behaved, resumable work: so many steps of so many seconds."""
    tell(attempt, "start")
    total = attempt.payload["steps"]
    for number in range(steps_done(attempt), total):
        Event().wait(attempt.payload["seconds"])  # time.sleep fails under libfaketime
        attempt.check()
        with transaction.atomic():
            attempt.hold()
            tell(attempt, "step", step=number)
        attempt.progress(number + 1, total)


def kill_itself(attempt: Attempt) -> None:
    """Ends its own process, `times` times."""
    tell(attempt, "start")
    if attempt.number <= attempt.payload["times"]:
        os.kill(os.getpid(), attempt.payload.get("signal", signal.SIGKILL))
        time.sleep(30)


def freeze_with_the_write_lock(attempt: Attempt) -> None:
    """Stopped in the middle of a transaction: on SQLite nobody can write any more."""
    tell(attempt, "start")
    if attempt.number == 1:
        with transaction.atomic():
            attempt.hold()
            os.kill(os.getpid(), signal.SIGSTOP)
            tell(attempt, "woke")


def kill_its_worker(attempt: Attempt) -> None:
    """Takes its worker down with it."""
    tell(attempt, "start")
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(30)


def raise_an_error(attempt: Attempt) -> None:
    """A bug."""
    tell(attempt, "start")
    raise ValueError("broken")


def refuse(attempt: Attempt) -> None:
    """Something that a person can mend."""
    raise Refusal("Only %(n)s pictures.", n=2)


def hang(attempt: Attempt) -> None:
    """An endless loop that never asks whether it may go on."""
    tell(attempt, "start")
    while True:
        time.sleep(0.05)


def eat_memory(attempt: Attempt) -> None:
    """More than the machine gives."""
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    limit = used + 100 * 1024**2
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    bytearray(500 * 1024**2)


def read_old_payload(attempt: Attempt) -> None:
    """A payload of another version."""
    attempt.payload["a key that this version wants"]


KINDS = [
    Kind("steps", "quick", "Steps", steps),
    Kind("bulk-steps", "bulk", "Steps", steps),
    Kind("kill-itself", "quick", "Kill itself", kill_itself),
    Kind("freeze", "quick", "Freeze", freeze_with_the_write_lock),
    Kind("kill-its-worker", "quick", "Kill its worker", kill_its_worker),
    Kind("raise", "quick", "Raise", raise_an_error),
    Kind("refuse", "quick", "Refuse", refuse),
    Kind("hang", "quick", "Hang", hang, silence=2.0),
    Kind("deaf", "quick", "Deaf", hang),
    Kind("eat-memory", "quick", "Eat memory", eat_memory),
    Kind("old-payload", "quick", "Old payload", read_old_payload),
]
