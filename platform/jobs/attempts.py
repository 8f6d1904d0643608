"""One attempt at a job: holding its lease, reporting progress, and knowing when to let go."""

import os
import socket
import threading
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

from django.db import close_old_connections, connection, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs.models import WAITING, Job, State
from web.sentences import Sentence

LEASE = timedelta(seconds=30)
RENEW_EVERY = 10.0
LOOK_EVERY = 1.0
REPORT_EVERY = 0.5


class LostLease(BaseException):
    """Somebody else holds this job now. Not an Exception, so that no handler swallows it."""


class Cancelled(Exception):
    """A person asked for the job to end."""


def boot_id() -> str:
    """This boot of this machine; empty where the system does not tell."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def start_time(pid: int) -> str:
    """When a process started, in clock ticks since boot; empty where it is gone or the system does not tell."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def myself() -> str:
    """Who holds a lease: host, boot, process and its start, so that a dead holder is known at once."""
    pid = os.getpid()
    return f"{socket.gethostname()}|{boot_id()}|{pid}|{start_time(pid)}"


def holder_is_dead(holder: str) -> bool:
    """True only where this very machine can tell that the process is gone."""
    host, boot, pid, started = (holder.split("|") + ["", "", "", ""])[:4]
    if not (boot and started and host == socket.gethostname() and boot == boot_id()):
        return False
    return start_time(int(pid)) != started


class Attempt:
    """The right to work on a job, good as long as the row carries this attempt's number."""

    def __init__(self, job: Job) -> None:
        self.job, self.number, self.payload = job, job.attempt, job.payload
        self._lost, self._cancel, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._reported = 0.0

    @classmethod
    def claim(cls, job_id: int) -> "Attempt | None":
        """Take a waiting job; None where it is not waiting (done, cancelled, or held by another)."""
        with transaction.atomic():
            taken = Job.objects.filter(pk=job_id, state__in=WAITING).update(
                state=State.RUNNING,
                attempt=F("attempt") + 1,
                holder=myself(),
                lease_until=timezone.now() + LEASE,
                started_at=timezone.now(),
                finished_at=None,
            )
            return cls(Job.objects.select_related("project", "created_by").get(pk=job_id)) if taken else None

    def write(self, **fields: Any) -> None:
        """Change the row if it is still ours; raises LostLease if not."""
        if not Job.objects.filter(pk=self.job.pk, attempt=self.number, state=State.RUNNING).update(**fields):
            self._lost.set()
            raise LostLease

    def hold(self) -> None:
        """Make sure, inside a transaction, that its writes count only if the job is still ours.

        Touching the row takes its lock, so a rival's claim waits for this transaction's end.
        """
        self.write(lease_until=timezone.now() + LEASE)

    def check(self) -> None:
        """Call often: raises LostLease or Cancelled when the work must end."""
        if self._lost.is_set():
            raise LostLease
        if self._cancel.is_set():
            raise Cancelled

    @property
    def must_end(self) -> bool:
        """For loops that cannot raise half-way."""
        return self._lost.is_set() or self._cancel.is_set()

    def progress(self, done: int, total: int, sentence: Sentence | None = None) -> None:
        """Tell people how far it is; cheap enough to call at every step."""
        self.check()
        now = time.monotonic()
        if now - self._reported < REPORT_EVERY and done < total:
            return
        self._reported = now
        fields: dict[str, Any] = {"done": done, "total": total}
        if sentence:
            fields["message"] = sentence.to_json()
        self.write(**fields)

    def keep_lease(self) -> None:
        """The body of the thread that renews the lease and hears of a cancel."""
        renewed = time.monotonic()
        while not self._ended.wait(LOOK_EVERY):
            close_old_connections()
            try:
                fields: dict[str, Any] = {}
                if time.monotonic() - renewed >= RENEW_EVERY:
                    fields["lease_until"] = timezone.now() + LEASE
                    renewed = time.monotonic()
                mine = Job.objects.filter(pk=self.job.pk, attempt=self.number, state=State.RUNNING)
                if fields and not mine.update(**fields):
                    self._lost.set()
                    return
                row = mine.values_list("cancel_requested", flat=True).first()
                if row is None:
                    self._lost.set()
                    return
                if row:
                    self._cancel.set()
            except Exception:  # noqa: BLE001  a database that is away for a moment: the lease decides, not this look
                connection.close()
        connection.close()

    def __enter__(self) -> "Attempt":
        self._thread = threading.Thread(target=self.keep_lease, name=f"lease-{self.job.pk}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=LOOK_EVERY * 3)


CANCELLED = Sentence(gettext_noop("Cancelled."))
