"""Asking for background work: a row in the caller's transaction, a wake-up once it is committed."""

import logging
from functools import partial
from typing import Any

import django_rq
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop
from redis.exceptions import RedisError
from rq.exceptions import DuplicateJobError

from jobs.models import WAITING, Job, State
from jobs.registry import kind_of
from projects.models import Project
from web.sentences import Sentence

log = logging.getLogger(__name__)


def enqueue(
    kind: str, payload: dict[str, Any], *, project: Project | None = None, user: User | None = None
) -> Job:
    """Queue work of a registered kind; `payload` holds ids alone. Call it inside the transaction of the act."""
    job = Job.objects.create(
        kind=kind, queue=kind_of(kind).queue, payload=payload, project=project, created_by=user
    )
    transaction.on_commit(partial(wake, job.pk, job.queue, job.attempt))
    return job


def wake(job_id: int, queue: str, attempt: int) -> bool:
    """Put the job's number into Redis. Without Redis the row stays queued and the reconciler comes back to it."""
    try:
        django_rq.get_queue(queue).enqueue(
            "jobs.running.perform",
            job_id,
            job_id=wake_id(job_id, attempt),
            unique=True,
            job_timeout=-1,
            result_ttl=0,
            failure_ttl=86_400,
        )
    except DuplicateJobError:
        return True
    except RedisError as error:
        log.warning("job %s waits: the queue cannot be reached (%s)", job_id, error)
        return False
    return True


def wake_id(job_id: int, attempt: int) -> str:
    """The queue's own id of one wake-up: the same wake-up twice is one."""
    return f"job-{job_id}-{attempt}"


def cancel(job: Job) -> bool:
    """Ask a job to end: at once where it still waits, at its next check where it runs. False: it had ended."""
    with transaction.atomic():
        waiting = Job.objects.filter(pk=job.pk, state__in=WAITING).update(
            state=State.CANCELLED,
            cancel_requested=True,
            finished_at=timezone.now(),
            message=Sentence(gettext_noop("Cancelled before it started.")).to_json(),
        )
        if waiting:
            job.refresh_from_db()
            ended = kind_of(job.kind).ended
            if ended:
                ended(job)
            return True
    return bool(Job.objects.filter(pk=job.pk, state=State.RUNNING).update(cancel_requested=True))
