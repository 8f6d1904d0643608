"""The durable truth about background work; the queue only wakes workers."""

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from jobs.registry import upkeep_kinds
from projects.models import Project
from web.sentences import Sentence


class Queue(models.TextChoices):
    """One worker each, never two queues on one worker."""

    QUICK = "quick", _("Quick")
    BULK = "bulk", _("Bulk")
    TRAINING = "training", _("Training")


class State(models.TextChoices):
    """queued → running → succeeded | failed | cancelled; parked after alike failures."""

    QUEUED = "queued", _("Queued")
    RUNNING = "running", _("Running")
    RETRYING = "retrying", _("Recovering")
    SUCCEEDED = "succeeded", _("Succeeded")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    PARKED = "parked", _("Parked")


WAITING = (State.QUEUED, State.RETRYING)
ENDED = (State.SUCCEEDED, State.FAILED, State.CANCELLED, State.PARKED)
KEPT_ASIDE = timedelta(days=7)  # so long a parked job can be tried again


class JobQuerySet(models.QuerySet["Job"]):
    """Reads of jobs."""

    def active(self) -> "JobQuerySet":
        """Not ended yet."""
        return self.exclude(state__in=ENDED)

    def told(self) -> "JobQuerySet":
        """Without the upkeep that follows each act, unless it went wrong."""
        return self.exclude(kind__in=upkeep_kinds(), state__in=[*WAITING, State.RUNNING, State.SUCCEEDED])


class Job(models.Model):
    """One piece of background work. `attempt` is the fencing token: only its holder may write here."""

    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="jobs")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    kind = models.CharField(_("kind"), max_length=64, db_index=True)
    queue = models.CharField(_("queue"), max_length=16, choices=Queue.choices)
    payload = models.JSONField(default=dict)
    state = models.CharField(
        _("state"), max_length=16, choices=State.choices, default=State.QUEUED, db_index=True
    )
    attempt = models.PositiveIntegerField(_("attempt"), default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    beat = models.FloatField(null=True, blank=True)  # the last renewal, by the kernel's clock
    wake_at = models.DateTimeField(null=True, blank=True)  # the pause before the next attempt
    holder = models.CharField(_("worker"), max_length=200, blank=True)
    cancel_requested = models.BooleanField(default=False)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(default=0)
    message = models.JSONField(default=dict, blank=True)
    failures = models.JSONField(default=list, blank=True)
    traceback = models.TextField(blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)

    objects = JobQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("job"), _("jobs")
        indexes = [models.Index(fields=["project", "-id"]), models.Index(fields=["state", "lease_until"])]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"

    @property
    def fraction(self) -> float:
        """Progress from 0 to 1."""
        if self.state == State.SUCCEEDED:
            return 1.0
        return min(self.done / self.total, 1.0) if self.total else 0.0

    @property
    def sentence(self) -> Sentence:
        """What it is doing, or why it ended, in the reader's language."""
        return Sentence.from_json(self.message)

    @property
    def ended(self) -> bool:
        """Nothing more will happen to it by itself."""
        return self.state in ENDED
