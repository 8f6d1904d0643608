"""One attempt at a job: holding its lease, reporting progress, and knowing when to let go."""

import logging
import os
import threading
import time
from typing import Any

from django.db import close_old_connections, connection, transaction
from django.db.models import F
from django.utils import timezone

from jobs import leases
from jobs.ends import fail, give_back, held
from jobs.failures import Failure
from jobs.models import WAITING, Job, State
from jobs.registry import silence_of
from web.sentences import Sentence

log = logging.getLogger(__name__)
LOOK_EVERY = 1.0
REPORT_EVERY = 0.5

stopping = threading.Event()  # set by the work-horse when the service is asked to stop


class MustEnd(BaseException):
    """The work must end now. Not an Exception, so that no handler swallows it."""


class LostLease(MustEnd):
    """Somebody else holds this job now."""


class Cancelled(MustEnd):
    """A person asked for the job to end."""


class Interrupted(MustEnd):
    """The service stops; the job goes on with the next start."""


class Attempt:
    """The right to work on a job, good as long as the row carries this attempt's number."""

    def __init__(self, job: Job) -> None:
        self.job, self.number, self.payload = job, job.attempt, job.payload
        self._lost, self._cancel, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._reported, self._sign_of_life = 0.0, time.monotonic()
        self._silence = silence_of(job.kind)

    @classmethod
    def claim(cls, job_id: int) -> "Attempt | None":
        """Take a waiting job; None where it is not waiting (done, cancelled, or held by another)."""
        with transaction.atomic():
            taken = Job.objects.filter(pk=job_id, state__in=WAITING).update(
                state=State.RUNNING,
                attempt=F("attempt") + 1,
                holder=leases.myself(),
                started_at=timezone.now(),
                finished_at=None,
                wake_at=None,
                **leases.fresh(),
            )
            return cls(Job.objects.select_related("project", "created_by").get(pk=job_id)) if taken else None

    def write(self, **fields: Any) -> None:
        """Change the row if it is still ours; raises LostLease if not."""
        self._sign_of_life = time.monotonic()
        self._write(**fields)

    def _write(self, **fields: Any) -> None:
        if not held(self.job.pk, self.number).update(**fields):
            self._lost.set()
            raise LostLease

    def hold(self) -> None:
        """Make sure, inside a transaction, that its writes count only if the job is still ours.

        Touching the row takes its lock, so a rival's claim waits for this transaction's end.
        """
        if not connection.in_atomic_block:
            raise transaction.TransactionManagementError("hold() fences nothing outside transaction.atomic()")
        self.write(**leases.fresh())

    def check(self) -> None:
        """Call often: raises LostLease, Cancelled or Interrupted when the work must end."""
        self._sign_of_life = time.monotonic()
        if self._lost.is_set():
            raise LostLease
        if self._cancel.is_set():
            raise Cancelled
        if stopping.is_set():
            raise Interrupted

    @property
    def must_end(self) -> bool:
        """For loops that cannot raise half-way; unlike check() it is no sign of life."""
        return self._lost.is_set() or self._cancel.is_set() or stopping.is_set()

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

    def got_further(self, mark: int) -> None:
        """Lasting work was done up to `mark`, further than ever: earlier failures do not count any more.

        For work whose progress does not show it, such as a training that counts its time.
        """
        self.check()
        failures = self.job.failures
        if failures and mark > max(each.get("mark", -1) for each in failures):
            self.job.failures = [{**each, "mark": mark} for each in failures]
            self.write(failures=self.job.failures)

    def keep_lease(self) -> None:
        """The body of the thread that renews the lease, and hears of a cancel, a stop, and silence."""
        renewed = time.monotonic()
        stop_seen = False
        try:
            while not self._ended.wait(LOOK_EVERY):
                try:
                    close_old_connections()
                    if stopping.is_set() and stop_seen:
                        self._leave()
                    stop_seen = stopping.is_set()
                    self._end_silence()
                    if time.monotonic() - renewed >= leases.RENEW_EVERY:
                        self._write(**leases.fresh())
                        renewed = time.monotonic()
                    self._hear()
                except LostLease:
                    return
                except Exception as error:  # noqa: BLE001  the database is away for a moment: tried again in a second
                    log.warning("job %s: its lease could not be looked after (%s)", self.job.pk, error)
                    connection.close()
        finally:
            connection.close()

    def _hear(self) -> None:
        """Somebody else's job by now? A cancel?"""
        asked = held(self.job.pk, self.number).values_list("cancel_requested", flat=True).first()
        if asked is None:
            self._lost.set()
            raise LostLease
        if asked:
            self._cancel.set()

    def _end_silence(self) -> None:
        """A handler that hangs loses the job; its worker ends the process where it does not end by itself."""
        if time.monotonic() - self._sign_of_life > self._silence:
            fail(self.job.pk, self.number, Failure.silent(self._silence))
            self._lost.set()
            raise LostLease

    def _leave(self) -> None:
        """The service stops and the handler did not hear it: give the job back for it, and go."""
        give_back(self.job.pk, self.number)
        os._exit(0)

    def __enter__(self) -> "Attempt":
        self._thread = threading.Thread(target=self.keep_lease, name=f"lease-{self.job.pk}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join(timeout=LOOK_EVERY * 3)
