"""What restoring a snapshot would change, where finding it out is more than a request should wait for: a job."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets import bulk_tagging, chosen_files, tally
from datasets.models import Snapshot
from datasets.restoring import Plan, plan_of
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import Job, State
from web.sentences import Sentence

KIND = "datasets.restore-plan"
FRESH = timedelta(minutes=10)  # so long a plan is shown again, though people go on tagging
COMPARING = Sentence(gettext_noop("Comparing the pictures with the snapshot"))


@dataclass(frozen=True)
class Outlook:
    """A plan's numbers; `as_of`: when they were found out, where that is not now."""

    changes: int
    relabelled: int
    from_trash: int
    gone: int
    others: int
    new_labels: list[str] = field(default_factory=list)
    as_of: datetime | None = None


def is_large(snapshot: Snapshot) -> bool:
    """Whether more pictures are to be compared than a request should wait for."""
    return max(snapshot.images, pictures_in(snapshot)) > bulk_tagging.MOST_AT_ONCE


def pictures_in(snapshot: Snapshot) -> int:
    """Of its data set, the trash too."""
    return sum(tally.read(snapshot.dataset).values())


def outlook(*, snapshot: Snapshot, user: User, again: bool = False) -> Outlook | Job:
    """What a restore would change; for a large data set the job that finds it out, until that has ended well.

    `again`: begin anew, whatever was found out.
    """
    if not is_large(snapshot):
        return Outlook(**plan_of(snapshot).told())
    asked = snapshot.dataset.project.jobs.filter(kind=KIND, payload__snapshot=snapshot.pk)
    latest = asked.order_by("-pk").first()
    if latest is None or again or is_stale(latest):
        payload = {"snapshot": snapshot.pk, "selection": chosen_files.new_key()}
        return queue.enqueue(KIND, payload, project=snapshot.dataset.project, user=user)
    if latest.state != State.SUCCEEDED:
        return latest
    return Outlook(**chosen_files.read(latest.payload["selection"]), as_of=latest.finished_at)


def is_stale(job: Job) -> bool:
    """Ended a while ago, or its numbers are no more."""
    return job.finished_at is not None and job.finished_at < timezone.now() - FRESH


def run(attempt: Attempt) -> None:
    """Changes nothing, so that a second attempt begins anew."""
    snapshot = Snapshot.objects.select_related("dataset__project").get(pk=attempt.payload["snapshot"])
    chosen_files.keep(plan_by(attempt, snapshot).told(), attempt.payload["selection"])


def plan_by(attempt: Attempt, snapshot: Snapshot) -> Plan:
    """The plan, telling how far it is."""
    total = pictures_in(snapshot)
    return plan_of(snapshot, so_far=lambda compared: attempt.progress(min(compared, total), total, COMPARING))
