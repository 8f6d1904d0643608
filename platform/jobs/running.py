"""What a worker does when it is woken for a job: the only place where a blind `except` stands."""

import logging
import traceback

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs.attempts import CANCELLED, Attempt, Cancelled, LostLease
from jobs.models import Job, State
from jobs.queue import wake
from jobs.registry import kind_of
from web.sentences import Refusal, Sentence

log = logging.getLogger(__name__)
ALIKE_FAILURES = 3


def perform(job_id: int) -> None:
    """Claim the job and run it to an end that is written down. Called by RQ with the row's number."""
    attempt = Attempt.claim(job_id)
    if attempt is None:
        return
    with attempt:
        try:
            kind_of(attempt.job.kind).run(attempt)
            end(attempt, State.SUCCEEDED, None)
        except LostLease:
            log.warning("job %s: attempt %s was overtaken and wrote nothing more", job_id, attempt.number)
        except Cancelled:
            end(attempt, State.CANCELLED, CANCELLED)
        except Refusal as refusal:
            end(attempt, State.FAILED, refusal.sentence)
        except Exception as error:  # noqa: BLE001  a bug in a handler must not take the worker with it
            log.exception("job %s errored", job_id)
            errored(attempt, error)


def end(attempt: Attempt, state: State, sentence: Sentence | None) -> None:
    """Write how it ended, and tell what waits for it, in one transaction."""
    fields = {"message": sentence.to_json()} if sentence else {}
    try:
        with transaction.atomic():
            attempt.write(state=state, finished_at=timezone.now(), lease_until=None, **fields)
            attempt.job.refresh_from_db()
            tell(attempt.job)
    except LostLease:
        log.warning("job %s: attempt %s ended too late to count", attempt.job.pk, attempt.number)


def errored(attempt: Attempt, error: Exception) -> None:
    """A bug or a missing resource: keep the traceback for the operator and try again, thrice at most."""
    retry_or_park(attempt.job, attempt.number, f"{type(error).__name__}: {error}"[:300], traceback.format_exc())


def retry_or_park(job: Job, number: int, reason: str, trace: str = "") -> None:
    """Put a job that lost its attempt back in line, or park it after three alike failures in a row."""
    failures = [*job.failures, reason][-ALIKE_FAILURES:]
    parked = len(failures) == ALIKE_FAILURES and len(set(failures)) == 1
    sentence = (
        Sentence(gettext_noop("It failed three times in the same way and was set aside; the operator can see why."))
        if parked
        else Sentence(gettext_noop("Something went wrong; it is being tried again."))
    )
    with transaction.atomic():
        changed = Job.objects.filter(pk=job.pk, attempt=number, state=State.RUNNING).update(
            state=State.PARKED if parked else State.RETRYING,
            failures=failures,
            traceback=trace,
            lease_until=None,
            holder="",
            message=sentence.to_json(),
            finished_at=timezone.now() if parked else None,
        )
        if not changed:
            return
        job.refresh_from_db()
        if parked:
            tell(job)
        else:
            transaction.on_commit(lambda: wake(job.pk, job.queue, job.attempt))


def try_again(job: Job) -> bool:
    """Put a parked job back in line (an operator mended the cause). False: it was not parked."""
    with transaction.atomic():
        changed = Job.objects.filter(pk=job.pk, state=State.PARKED).update(
            state=State.QUEUED, failures=[], finished_at=None, message={}
        )
        if changed:
            transaction.on_commit(lambda: wake(job.pk, job.queue, job.attempt))
    return bool(changed)


def tell(job: Job) -> None:
    """Let the room that asked for the work know that it ended other than well."""
    ended = kind_of(job.kind).ended
    if ended and job.state != State.SUCCEEDED:
        ended(job)
