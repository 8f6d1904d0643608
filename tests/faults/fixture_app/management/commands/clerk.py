"""`manage.py clerk`: does to jobs what pages would do, one JSON line in, one out."""

import json
import sys
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from jobs import ends, leases
from jobs.attempts import Attempt, LostLease
from jobs.failures import Failure
from jobs.models import Job
from jobs.queue import cancel, enqueue
from jobs.reconcile import reconcile

WORDS = "id kind state attempt holder failures message traceback beat done total"


class Command(BaseCommand):
    """Lives as long as its standard input."""

    def handle(self, *args: Any, **options: Any) -> None:
        print(json.dumps({"ready": True}), flush=True)
        for line in sys.stdin:
            order = json.loads(line)
            print(json.dumps(getattr(self, order.pop("do"))(**order)), flush=True)

    def ask(self, kind: str, payload: dict[str, Any], count: int) -> dict[str, Any]:
        """Enqueue, and say how long each request would have waited."""
        made, seconds = [], []
        for _ in range(count):
            began = time.monotonic()
            with transaction.atomic():
                made.append(enqueue(kind, payload).pk)
            seconds.append(time.monotonic() - began)
        return {"ids": made, "seconds": seconds}

    def unknown(self, kind: str, queue: str) -> int:
        """A row that another version wrote."""
        return Job.objects.create(kind=kind, queue=queue).pk

    def rows(self) -> list[dict[str, Any]]:
        """All jobs."""
        return list(Job.objects.order_by("pk").values(*WORDS.split()))

    def cancel(self, job: int) -> bool:
        """What the page's button does."""
        return cancel(Job.objects.get(pk=job))

    def again(self, job: int) -> bool:
        """What the operator's action does."""
        return ends.try_again(Job.objects.get(pk=job))

    def reconcile(self) -> int:
        """One pass."""
        return reconcile()

    def stale_write(self, job: int) -> bool:
        """Claim it twice, as a forced second worker would; True where the first one's writes are refused."""
        first = Attempt.claim(job)
        assert first is not None and Attempt.claim(job) is None
        ends.fail(job, first.number, Failure.lost("forced"))
        second = Attempt.claim(job)
        assert second is not None and second.number == first.number + 1
        try:
            with transaction.atomic():
                first.hold()
        except LostLease:
            second.write(**leases.fresh())
            return not ends.fail(job, first.number, Failure.lost("late"))
        return False
