"""Asking for background work: a row in the caller's transaction, a wake-up once it is committed."""

import json
from collections.abc import Iterable
from datetime import timedelta
from functools import lru_cache, partial
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
    if found := waiting([kind], payload).get(kind):
        put_off(found, pause)
        return found
    wake_at = timezone.now() + pause
    return Job.objects.create(
        kind=kind, queue=kind_of(kind).queue, payload=payload, project=project, wake_at=wake_at
    )


def waiting(kinds: Iterable[str], payload: dict[str, Any]) -> dict[str, Job]:
    """By kind, the jobs with this payload that did not begin yet; none does before the transaction's end."""
    sql, params = waiting_sql(tuple(kinds), json.dumps(payload))
    return {job.kind: job for job in Job.objects.raw(sql, params)}


@lru_cache(maxsize=1000)
def waiting_sql(kinds: tuple[str, ...], payload: str) -> tuple[str, tuple[Any, ...]]:
    """Asked again with each act on a data set, so put together once."""
    rows = Job.objects.select_for_update().filter(
        kind__in=kinds, state__in=WAITING, payload=json.loads(payload)
    )
    return rows.order_by("-pk").only("kind", "created_at", "wake_at").query.sql_with_params()


def put_off(job: Job, pause: timedelta) -> None:
    """It waits anew, but for MOST_PAUSES times the pause at most. Written only where that moves it noticeably."""
    wake_at = min(timezone.now() + pause, job.created_at + MOST_PAUSES * pause)
    if job.wake_at is None or abs(wake_at - job.wake_at) > pause / 20:
        Job.objects.filter(pk=job.pk, state__in=WAITING).update(wake_at=wake_at)
