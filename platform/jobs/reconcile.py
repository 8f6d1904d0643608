"""Brings the queue back in line with the database: nothing waits for a wake-up that was lost."""

import logging
from datetime import timedelta

from django.db.models import Q
from django.db.models.functions import Now
from redis.exceptions import RedisError

from jobs.ends import fail, give_up_parked
from jobs.failures import Failure
from jobs.leases import put_down, why_over
from jobs.models import WAITING, Job, Queue, State
from jobs.wakes import send_anew, waiting_wakes, wake_id

log = logging.getLogger(__name__)
EVERY_SECONDS = 15.0
LONGEST_PAUSE = timedelta(minutes=5)  # one further off was set before somebody put the clock back


def reconcile() -> int:
    """Take running jobs from holders that are gone, and wake waiting ones that Redis does not know.

    Any number of processes may do so at once. Returns how many jobs were put right.
    """
    give_up_parked()
    return release_lost() + wake_waiting()


def release_lost() -> int:
    """Jobs whose holder is gone go back in line. One row that makes trouble does not stop the others."""
    count = 0
    for job in Job.objects.filter(state=State.RUNNING).annotate(now=Now()):
        try:
            if why := why_over(job, job.now):  # type: ignore[attr-defined]
                count += release(job, why)
        except Exception:
            log.exception("job %s could not be put right", job.pk)
    return count


def release(job: Job, why: str) -> bool:
    """Take the job from its holder, unless that has renewed its lease since we looked.

    A holder that no longer answers is killed first: on SQLite it may hold the write lock, frozen.
    """
    put_down(job.holder)
    taken = fail(job.pk, job.attempt, Failure.lost(why), holder=job.holder, beat=job.beat)
    if taken:
        log.warning("job %s lost its worker (%s)", job.pk, why)
    return taken


def wake_waiting() -> int:
    """Waiting rows that are due and have no wake-up in line get one."""
    due = Q(wake_at=None) | Q(wake_at__lte=Now()) | Q(wake_at__gt=Now() + LONGEST_PAUSE)
    waiting = Job.objects.filter(due, state__in=WAITING).only("pk", "queue", "attempt").order_by("pk")
    count = 0
    try:
        for queue in Queue.values:
            rows = list(waiting.filter(queue=queue))
            in_line = waiting_wakes(queue) if rows else set()
            for job in rows:
                if wake_id(job.pk, job.attempt) not in in_line:
                    send_anew(job.pk, job.queue, job.attempt)
                    count += 1
    except RedisError as error:
        log.warning("the queue cannot be reached: %s", error)
    return count
