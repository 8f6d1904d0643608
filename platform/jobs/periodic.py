"""Work that is due every so often: the reconciler queues it, so it needs no clock of its own."""

from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from jobs.models import ENDED, Job
from jobs.queue import enqueue

_every: dict[str, timedelta] = {}


def register_periodic(kind: str, every: timedelta) -> None:
    """Called by each room when it starts, for a registered kind that takes no payload and may run twice."""
    _every[kind] = every


def queue_due() -> int:
    """Queue what was not asked for lately and does not wait or run; how many were queued."""
    count = 0
    for kind, every in _every.items():
        recent = Job.objects.filter(~Q(state__in=ENDED) | Q(created_at__gt=timezone.now() - every), kind=kind)
        if not recent.exists():
            with transaction.atomic():
                enqueue(kind, {})
            count += 1
    return count
