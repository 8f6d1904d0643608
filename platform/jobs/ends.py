"""How work end in the row: well, refused, cancelled, put back, parked; each write asks whose job it is."""

import logging
import traceback
from datetime import timedelta
from functools import partial
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs.failures import MOST_FAILURES, Cause, Failure, alike_in_a_row, gives_up
from jobs.models import ENDED, KEPT_ASIDE, WAITING, Job, State
from jobs.registry import kind_of
from jobs.wakes import wake
from web.logs import masked
from web.sentences import Refusal, Sentence

log = logging.getLogger(__name__)
RETRY_SECONDS = (5.0, 30.0)
STORAGE_SECONDS = (5.0, 30.0, 60.0, 120.0, 240.0)  # six tries in about eight minutes
LET_GO: dict[str, Any] = {"lease_until": None, "beat": None, "holder": ""}
CANCELLED = gettext_noop("Cancelled.")
CANCELLED_EARLY = gettext_noop("Cancelled before it started.")
INTERRUPTED = gettext_noop("It was interrupted by a restart; it goes on by itself.")


def held(job_id: int, number: int) -> QuerySet[Job]:
    """The row, if it still belongs to this attempt. Lock it before deciding by what it says."""
    return Job.objects.filter(pk=job_id, attempt=number, state=State.RUNNING)


def end(job_id: int, number: int, state: State, sentence: Sentence | None) -> bool:
    """Write how it ended, and tell what waits for it, in one transaction. False: too late to count."""
    with transaction.atomic():
        row = held(job_id, number).select_for_update().first()
        return row is not None and _ended(row, state, sentence)


def _ended(row: Job, state: State, sentence: Sentence | None, **fields: Any) -> bool:
    fields = {"state": state, "finished_at": timezone.now(), "wake_at": None, **LET_GO} | fields
    if sentence:
        fields["message"] = sentence.to_json()
    _write(row, **fields)
    tell(row)
    return True


def _write(row: Job, **fields: Any) -> None:
    for name, value in fields.items():
        setattr(row, name, value)
    row.save(update_fields=list(fields))
    row.refresh_from_db()


def fail(job_id: int, number: int, failure: Failure, **unchanged: Any) -> bool:
    """Put a job that lost its attempt back in line, or park it after three alike failures in a row.

    `unchanged`: fields that must still be as the caller read them. False: somebody else was quicker.
    """
    with transaction.atomic():
        row = held(job_id, number).filter(**unchanged).select_for_update().first()
        if row is None:
            return False
        failures = [*row.failures, failure.entry(row)][-MOST_FAILURES:]
        kept = {"failures": failures, "traceback": masked(failure.trace)}
        if row.cancel_requested:
            return _ended(row, State.CANCELLED, Sentence(CANCELLED), **kept)
        sentence = failure.sentence(failures)
        if gives_up(failures):
            return _ended(row, State.PARKED, sentence, **kept)
        _put_back(row, sentence, _pause(failure, failures), **kept)
        return True


def _pause(failure: Failure, failures: list[dict[str, Any]]) -> float:
    """A lost worker costs no time; what raised an error may need some to mend (a full disk, a store away)."""
    if failure.cause == Cause.LOST:
        return 0.0
    usual = STORAGE_SECONDS if failure.cause == Cause.STORAGE else RETRY_SECONDS
    pauses: tuple[float, ...] = getattr(settings, "JOB_RETRY_SECONDS", usual)
    return pauses[min(alike_in_a_row(failures), len(pauses)) - 1]


def give_back(job_id: int, number: int) -> bool:
    """The worker is asked to stop: another goes on; this is nobody's failure."""
    with transaction.atomic():
        row = held(job_id, number).select_for_update().first()
        if row is None:
            return False
        if row.cancel_requested:
            return _ended(row, State.CANCELLED, Sentence(CANCELLED))
        _put_back(row, Sentence(INTERRUPTED), 0.0)
        return True


def _put_back(row: Job, sentence: Sentence, pause: float, **fields: Any) -> None:
    wake_at = Now() + timedelta(seconds=pause) if pause else None
    _write(row, state=State.RETRYING, message=sentence.to_json(), wake_at=wake_at, **LET_GO, **fields)
    if not pause:
        transaction.on_commit(partial(wake, row.pk, row.queue, row.attempt))


def cancel(job_id: int) -> bool:
    """Ask a job to end: at once where it waits or was set aside, at its next check where it runs.

    False: it had ended.
    """
    with transaction.atomic():
        over = [state for state in ENDED if state != State.PARKED]
        asked = Job.objects.filter(pk=job_id).exclude(state__in=over).update(cancel_requested=True)
        still = (*WAITING, State.PARKED)
        row = Job.objects.filter(pk=job_id, state__in=still).select_for_update().first()
        if row is not None:
            _ended(row, State.CANCELLED, Sentence(CANCELLED_EARLY if not row.attempt else CANCELLED))
    return bool(asked)


def try_again(job: Job) -> bool:
    """Put a parked job back in line (somebody mended the cause). False: it was not parked.

    Raises Refusal where what the job needs is not there any more.
    """
    with transaction.atomic():
        row = Job.objects.filter(pk=job.pk, state=State.PARKED).select_for_update().first()
        if row is None:
            return False
        if again := kind_of(row.kind).again:
            again(row)
        _write(row, state=State.QUEUED, failures=[], finished_at=None, message={}, cancel_requested=False)
        transaction.on_commit(partial(wake, row.pk, row.queue, row.attempt))
    return True


def give_up_parked() -> int:
    """Parked jobs that nobody tried again in time fail for good, so that their rooms let go of what they kept."""
    late = Job.objects.filter(state=State.PARKED, finished_at__lt=timezone.now() - KEPT_ASIDE)
    count = 0
    for pk in list(late.values_list("pk", flat=True)):
        with transaction.atomic():
            row = late.filter(pk=pk).select_for_update().first()
            count += row is not None and _ended(row, State.FAILED, None, finished_at=row.finished_at)
    return count


def tell(job: Job) -> None:
    """Let the room that asked for the work know that it ended other than well.

    A bug in that room must not keep the job from ending: it is logged, and kept for the operator.
    """
    if job.state == State.SUCCEEDED:
        return
    try:
        ended = kind_of(job.kind).ended
    except Refusal:  # a kind that this version does not know has nobody to tell
        return
    try:
        with transaction.atomic():
            if ended:
                ended(job)
    except Exception:
        log.exception("job %s ended as %s, and its room failed to hear it", job.pk, job.state)
        Job.objects.filter(pk=job.pk).update(
            traceback=masked(f"{job.traceback}\n{traceback.format_exc()}".strip())
        )
