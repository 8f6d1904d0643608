"""Acts on a data set that go on in the background, and those that lately ended other than well."""

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from datasets import bulk_restoring, bulk_tagging, bulk_undoing
from datasets.models import Dataset
from jobs.models import ENDED, Job, State

KINDS = (bulk_tagging.KIND, bulk_restoring.KIND, bulk_undoing.KIND)
TOLD_FOR = timedelta(hours=1)


def acts_under_way(dataset: Dataset) -> list[Job]:
    """Their jobs, latest first. One that ended well is the act in the list of changes and nothing else."""
    lately = Q(finished_at__gt=timezone.now() - TOLD_FOR) & ~Q(state=State.SUCCEEDED)
    found = dataset.project.jobs.filter(~Q(state__in=ENDED) | lately, kind__in=KINDS)
    jobs = list(found.select_related("created_by").order_by("-id"))
    numbers = [job.payload.get("action") for job in jobs]
    mine = set(dataset.actions.filter(pk__in=numbers).values_list("pk", flat=True))
    return [job for job, number in zip(jobs, numbers, strict=True) if number in mine]
