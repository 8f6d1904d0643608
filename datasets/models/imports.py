"""What is on its way into a data set, and what was not taken."""

import uuid
from datetime import datetime

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models.sets import Dataset
from jobs.models import KEPT_ASIDE, Job, State
from projects.models import Project
from web.sentences import Sentence


class ImportState(models.TextChoices):
    """receiving → queued → reading → [choosing] → storing → ready | failed | cancelled | undone."""

    RECEIVING = "receiving", _("Receiving")
    QUEUED = "queued", _("Queued")
    READING = "reading", _("Reading")
    CHOOSING = "choosing", _("Waiting for your choice")
    STORING = "storing", _("Storing")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")
    UNDONE = "undone", _("Undone")


class Review(models.TextChoices):
    """When a person is asked before pictures are taken in."""

    NEVER = "", _("Never: take everything in as it is called")
    UNCLEAR = "auto", _("When something is unclear")
    ALWAYS = "true", _("Always")


class Import(models.Model):
    """One upload on its way into a data set; `total = imported + duplicates + rejected` once it is ready."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="imports")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    state = models.CharField(
        _("state"), max_length=16, choices=ImportState.choices, default=ImportState.RECEIVING
    )
    # What was uploaded: [{"key": storage key, "name": the file's name, "archive": true|false}, …]
    sources = models.JSONField(default=list)
    label_name = models.CharField(_("label for loose files"), max_length=64, blank=True)
    group = models.CharField(_("group"), max_length=40, blank=True)  # its pictures belong together
    encoding = models.CharField(_("encoding of names in the zip"), max_length=32, blank=True)
    review = models.CharField(_("asks first"), max_length=8, blank=True, choices=Review.choices)
    plan = models.JSONField(default=dict, blank=True)  # what would happen: datasets.planning.Plan
    choices = models.JSONField(
        default=dict, blank=True
    )  # what a person made of it: datasets.choosing.Choices
    chosen_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    choose_until = models.DateTimeField(_("waits for a choice until"), null=True, blank=True, db_index=True)
    source_note = models.CharField(_("where the pictures come from"), max_length=300, blank=True)
    licence = models.CharField(_("licence"), max_length=120, blank=True)
    total = models.PositiveIntegerField(_("files"), default=0)
    imported = models.PositiveIntegerField(_("imported"), default=0)
    duplicates = models.PositiveIntegerField(_("duplicates"), default=0)
    rejected = models.PositiveIntegerField(_("refused"), default=0)
    message = models.JSONField(default=dict, blank=True)
    job = models.ForeignKey(Job, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("import"), _("imports")

    def __str__(self) -> str:
        return f"{self.dataset} · {self.pk}"

    @property
    def sentence(self) -> Sentence:
        """Why it failed, or what is worth knowing, in the reader's language."""
        return Sentence.from_json(self.message)

    @property
    def kept_until(self) -> datetime | None:
        """Until when what was uploaded waits for another try; None where none is possible."""
        aside = self.job if self.state == ImportState.FAILED else None
        if aside is None or aside.state != State.PARKED or aside.finished_at is None:
            return None
        return aside.finished_at + KEPT_ASIDE

    @property
    def fraction(self) -> float:
        """Progress from 0 to 1."""
        if self.state == ImportState.READY:
            return 1.0
        return min((self.imported + self.duplicates + self.rejected) / self.total, 1.0) if self.total else 0.0


class Upload(models.Model):
    """A file that arrives in pieces; `offset` of its `length` bytes are safe on the disk. Its id is its secret."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("forgotten at"), db_index=True)
    name = models.CharField(_("file"), max_length=255, blank=True)
    metadata = models.TextField(blank=True)  # as the client sent it
    length = models.BigIntegerField(_("bytes"))
    offset = models.BigIntegerField(_("bytes received"), default=0)
    taken_by = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("upload"), _("uploads")

    def __str__(self) -> str:
        return self.name or self.pk.hex


class Outcome(models.TextChoices):
    """Why a file of an import has no picture of its own."""

    REJECTED = "rejected", _("Refused")
    DUPLICATE = "duplicate", _("Duplicate")


class NotTaken(models.Model):
    """A file that an import did not take, and why: nothing is dropped in silence."""

    source = models.ForeignKey(Import, models.CASCADE, related_name="not_taken")
    position = models.PositiveIntegerField()
    name = models.CharField(_("file"), max_length=500)
    outcome = models.CharField(_("outcome"), max_length=16, choices=Outcome.choices)
    code = models.CharField(_("code"), max_length=40)
    reason = models.JSONField(default=dict)
    same_as = models.ForeignKey("Image", models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("file not taken"), _("files not taken")
        constraints = [models.UniqueConstraint(fields=["source", "position"], name="one_outcome_a_file")]

    def __str__(self) -> str:
        return self.name

    @property
    def sentence(self) -> Sentence:
        """The reason in the reader's language."""
        return Sentence.from_json(self.reason)
