"""What a worker does when it is woken for a job."""

import logging

from django.db import close_old_connections

from jobs.attempts import Attempt, Cancelled, Interrupted, LostLease, stopping
from jobs.ends import CANCELLED, end, fail, give_back
from jobs.failures import Failure
from jobs.models import State
from jobs.registry import kind_of
from jobs.rights import check_right
from web.sentences import Refusal, Sentence
from web.sqlite import planning
from web.storage import FULL, StorageFull

log = logging.getLogger(__name__)


def perform(job_id: int) -> None:
    """Claim the job and run it to an end that is written down. Called by RQ with the row's number."""
    attempt = Attempt.claim(job_id)
    if attempt is None:
        return
    with attempt:
        if not run(attempt):
            log.warning("job %s: attempt %s was overtaken and wrote nothing more", job_id, attempt.number)
    planning.refresh()  # jobs are what makes tables grow


def run(attempt: Attempt) -> bool:
    """Call the handler and write the end. False: the job was not ours any more."""
    mine = attempt.job.pk, attempt.number
    try:
        kind = kind_of(attempt.job.kind)
        check_right(attempt.job, kind.at_least)
        kind.run(attempt)
        return end(*mine, State.SUCCEEDED, None)
    except LostLease:
        return False
    except Cancelled:
        return end(*mine, State.CANCELLED, Sentence(CANCELLED))
    except Interrupted:
        return give_back(*mine)
    except Refusal as refusal:
        return end(*mine, State.FAILED, refusal.sentence)
    except Exception as error:
        log.exception("job %s errored", attempt.job.pk)
        close_old_connections()  # it may have been the connection that broke
        if isinstance(error, OSError) and error.errno in FULL:
            return end(*mine, State.FAILED, StorageFull().sentence)
        if stopping.is_set():  # whatever broke while everything is being stopped is the stop's doing
            return give_back(*mine)
        return fail(*mine, Failure.of_error(error))
