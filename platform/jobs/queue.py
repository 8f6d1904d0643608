"""Asking for background work: a row in the caller's transaction, a wake-up once it is committed."""

from datetime import timedelta
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from jobs import ends
from jobs.models import WAITING, Job
from jobs.registry import kind_of
from jobs.wakes import wake
from projects.models import Project

MOST_PAUSES = 10


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


def enqueue_later(kind: str, payload: dict[str, Any], *, project: Project | None, pause: timedelta) -> Job:
    """Queue work that is to begin once nobody asked for it for so long; the reconciler wakes it.

    Asked for again while it waits, it waits anew, but not for ever: MOST_PAUSES times the pause at most.
    """
    now = timezone.now()
    waiting = Job.objects.select_for_update().filter(kind=kind, state__in=WAITING, payload=payload).first()
    if waiting:
        last = waiting.created_at + MOST_PAUSES * pause
        Job.objects.filter(pk=waiting.pk, state__in=WAITING).update(wake_at=min(now + pause, last))
        return waiting
    return Job.objects.create(
        kind=kind, queue=kind_of(kind).queue, payload=payload, project=project, wake_at=now + pause
    )
