"""What the page of a run tells beside its state: place in the line, time left, curve, its worker's own words."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs import wakes
from jobs.models import WAITING, Job, Queue, State
from training.models import ModelVersion, RunWatch, VersionState
from web.sentences import Sentence

SILENT_AFTER = timedelta(seconds=20)
SETTLED_AFTER = timedelta(seconds=10)  # a worker that starts with the site is not missed
NOBODY = gettext_noop(
    "No worker takes trainings at present: this one waits until the operator has started one"
    " (`python manage.py doctor` says how)."
)
NO_QUEUE = gettext_noop("The queue does not answer; this training begins by itself once it does.")


def before(version: ModelVersion) -> int | None:
    """How many trainings come first, those of other projects too; None where it does not wait."""
    if version.state != VersionState.QUEUED or version.job is None or version.job.state not in WAITING:
        return None
    training = Job.objects.filter(queue=Queue.TRAINING)
    running = training.filter(state=State.RUNNING).count()
    return running + training.filter(state__in=WAITING, pk__lt=version.job.pk).count()


def held_up(version: ModelVersion) -> Sentence | None:
    """What keeps it from going on, beside the trainings before it."""
    job = version.job
    if version.ended or job is None or job.state not in WAITING:
        return None
    if job.state == State.RETRYING:
        return job.sentence if job.message else None
    if timezone.now() - job.created_at < SETTLED_AFTER:
        return None
    listened = wakes.listened(Queue.TRAINING)
    return None if listened else Sentence(NOBODY if listened is False else NO_QUEUE)


@dataclass(frozen=True)
class Time:
    """Seconds: used, allowed, left of what is allowed, and what the last training of this kind took."""

    used: float
    limit: float
    alike: float | None

    @property
    def left(self) -> float:
        """At most; it may end sooner."""
        return max(0.0, self.limit - self.used)


def time_of(version: ModelVersion) -> Time:
    """Of a version that waits, runs or has ended."""
    end = version.finished_at or timezone.now()
    used = (end - version.started_at).total_seconds() if version.started_at else 0.0
    return Time(used, version.max_minutes * 60, None if version.ended else last_alike(version))


def last_alike(version: ModelVersion) -> float | None:
    """How long the last good training for this application with the same limit and data sets took."""
    rows = ModelVersion.objects.filter(
        model__project=version.model.project_id,
        application=version.application,
        max_minutes=version.max_minutes,
        state=VersionState.SUCCEEDED,
        started_at__isnull=False,
        finished_at__isnull=False,
    ).exclude(pk=version.pk)
    sets = {each.get("dataset") for each in version.data}
    last = (
        rows.annotate(took=F("finished_at") - F("started_at"))
        .order_by("-id")
        .values_list("data", "took")[:10]
    )
    same = (took for data, took in last if {each.get("dataset") for each in data} == sets)
    took = next(same, None)
    return took.total_seconds() if took else None


def curve_of(version: ModelVersion) -> dict[str, Any]:
    """The curve for the script that draws it, with the round from which another method is at work."""
    points: list[dict[str, Any]] = version.history
    best = max(points, key=lambda point: point.get("metric") or 0.0, default=None)
    first = points[0].get("method", "") if points else ""
    tuned = next((point for point in points if point.get("method", "") != first), None) if first else None
    return {
        "points": points,
        "best": version.live.get("best") if best is None else best.get("metric"),
        "tuned": tuned["epoch"] if tuned else None,
        "best_is_tuned": bool(tuned and best and best["epoch"] >= tuned["epoch"]),
    }


def watch_of(version: ModelVersion) -> RunWatch | None:
    """What its worker said last."""
    return RunWatch.objects.filter(version=version.trained_with_id or version.pk).first()


def is_fresh(watch: RunWatch | None) -> bool:
    """Whether what it says of its machine still holds."""
    return watch is not None and timezone.now() - watch.at < SILENT_AFTER
