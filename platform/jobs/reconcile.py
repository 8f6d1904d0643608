"""Brings the queue back in line with the database: nothing waits for a wake-up that was lost."""

import logging

import django_rq
from django.db.models import Q
from django.utils import timezone
from redis.exceptions import RedisError
from rq.exceptions import NoSuchJobError
from rq.job import Job as Wake
from rq.job import JobStatus

from jobs.attempts import holder_is_dead
from jobs.models import WAITING, Job, State
from jobs.queue import wake, wake_id
from jobs.running import retry_or_park

log = logging.getLogger(__name__)
EVERY_SECONDS = 15
LIVE = {JobStatus.QUEUED, JobStatus.STARTED, JobStatus.DEFERRED, JobStatus.SCHEDULED}


def reconcile() -> int:
    """Take running jobs from holders that are gone, and wake waiting ones that Redis does not know.

    Returns how many jobs were put right.
    """
    return release_lost() + wake_waiting()


def release_lost() -> int:
    """Jobs whose lease ran out, or whose process this machine knows to be dead, go back in line."""
    count = 0
    for job in Job.objects.filter(state=State.RUNNING):
        expired = job.lease_until is None or job.lease_until < timezone.now()
        if expired or holder_is_dead(job.holder):
            log.warning("job %s lost its worker (%s)", job.pk, "lease expired" if expired else "process gone")
            retry_or_park(job, job.attempt, "The worker went away.")
            count += 1
    return count


def wake_waiting() -> int:
    """Waiting rows without an entry in Redis get one."""
    count = 0
    for job in Job.objects.filter(Q(state__in=WAITING)).only("pk", "queue", "attempt"):
        try:
            if known(job):
                continue
            count += wake(job.pk, job.queue, job.attempt)
        except RedisError as error:
            log.warning("the queue cannot be reached: %s", error)
            break
    return count


def known(job: Job) -> bool:
    """True where Redis holds a live wake-up for this attempt; a spent one is removed to make room."""
    queue = django_rq.get_queue(job.queue)
    try:
        entry = Wake.fetch(wake_id(job.pk, job.attempt), connection=queue.connection, serializer=queue.serializer)
    except NoSuchJobError:
        return False
    status = entry.get_status()
    if status == JobStatus.QUEUED and queue.get_job_position(entry.id) is None:
        # Written, but in no list: the worker died between taking it and saying so.
        entry.delete()
        return False
    if status in LIVE:
        return True
    entry.delete()
    return False
