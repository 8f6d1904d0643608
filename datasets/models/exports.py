"""What goes out of a data set: a zip that is packed in the background and kept for some days."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from datasets.models.sets import Dataset
from datasets.models.snapshots import Snapshot
from jobs.models import Job
from web.sentences import Sentence


class ExportState(models.TextChoices):
    """queued → packing → ready | failed | cancelled; after some days the file of a ready one is gone: expired."""

    QUEUED = "queued", _("Queued")
    PACKING = "packing", _("Packing")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    EXPIRED = "expired", _("Expired")


class Export(models.Model):
    """A data set, or a snapshot of it, as a zip in one of the formats of `datasets.exports`."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="exports")
    snapshot = models.ForeignKey(Snapshot, models.SET_NULL, null=True, blank=True, related_name="exports")
    format = models.CharField(_("format"), max_length=32)
    state = models.CharField(
        _("state"), max_length=16, choices=ExportState.choices, default=ExportState.QUEUED
    )
    key = models.CharField(max_length=120, blank=True)
    bytes = models.BigIntegerField(_("bytes"), default=0)
    images = models.PositiveIntegerField(_("images"), default=0)
    left_out = models.PositiveIntegerField(_("left out"), default=0)  # their files are not in the storage
    message = models.JSONField(default=dict, blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    expires_at = models.DateTimeField(_("kept until"), null=True, blank=True, db_index=True)

    class Meta:
        verbose_name, verbose_name_plural = _("export"), _("exports")

    def __str__(self) -> str:
        return f"{self.dataset} · {self.format}"

    @property
    def sentence(self) -> Sentence:
        """Why it failed, or what is worth knowing, in the reader's language."""
        return Sentence.from_json(self.message)

    @property
    def unfinished(self) -> bool:
        """Still under way."""
        return self.state in (ExportState.QUEUED, ExportState.PACKING)

    @property
    def downloadable(self) -> bool:
        """Ready, and not too old."""
        fresh = self.expires_at is None or self.expires_at > timezone.now()
        return self.state == ExportState.READY and bool(self.key) and fresh

    @property
    def fraction(self) -> float:
        """Progress from 0 to 1."""
        if self.state in (ExportState.READY, ExportState.EXPIRED):
            return 1.0
        return self.job.fraction if self.job else 0.0
