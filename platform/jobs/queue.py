"""Asking for background work: a row in the caller's transaction, a wake-up once it is committed."""

from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction

from jobs import ends
from jobs.models import Job
from jobs.registry import kind_of
from jobs.wakes import wake
from projects.models import Project


def enqueue(
    kind: str, payload: dict[str, Any], *, project: Project | None = None, user: User | None = None
) -> Job:
    """Queue work of a registered kind; `payload` holds ids alone. Call it in the transaction of the act."""
    job = Job.objects.create(
        kind=kind, queue=kind_of(kind).queue, payload=payload, project=project, created_by=user
    )
    transaction.on_commit(partial(wake, job.pk, job.queue, job.attempt))
    return job


def cancel(job: Job) -> bool:
    """Ask a job to end: at once where it waits, at its next check where it runs. False: it had ended."""
    return ends.cancel(job.pk)
