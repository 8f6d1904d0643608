"""Services, what they served when, what was asked of them, and what people tried."""

import uuid

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from projects.models import Project
from training.models import ModelVersion, RegisteredModel
from web.sentences import Sentence

SLUG = RegexValidator(r"^[a-z0-9-]{3,63}$", _("3 to 63 lower-case letters, digits and hyphens."))


class Validation(models.Model):
    """Up to 10 pictures tried on a version."""

    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="validations")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    results = models.JSONField(default=list)

    class Meta:
        verbose_name, verbose_name_plural = _("validation"), _("validations")

    def __str__(self) -> str:
        return f"{self.version} · {len(self.results)}"


class ServiceState(models.TextChoices):
    """requested → warming → online ⇄ offline, rejected."""

    REQUESTED = "requested", _("Waiting for approval")
    WARMING = "warming", _("Warming up")
    ONLINE = "online", _("Online")
    OFFLINE = "offline", _("Offline")
    REJECTED = "rejected", _("Rejected")


class Service(models.Model):
    """A published endpoint under a slug that is unique in the installation.

    `released_at`: given up for good; the row stays for the records, the slug is free again.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="services")
    model = models.ForeignKey(RegisteredModel, models.PROTECT, related_name="services")
    name = models.CharField(_("name"), max_length=80)
    slug = models.CharField(_("address"), max_length=63, validators=[SLUG])
    description = models.TextField(_("description"), blank=True)
    state = models.CharField(
        _("state"), max_length=16, choices=ServiceState.choices, default=ServiceState.REQUESTED
    )
    message = models.JSONField(default=dict, blank=True)
    revision = models.ForeignKey("Revision", models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    decided_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    decided_at = models.DateTimeField(_("decided"), null=True, blank=True)
    released_at = models.DateTimeField(_("released"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("service"), _("services")
        constraints = [
            models.UniqueConstraint(
                fields=["slug"], condition=models.Q(released_at=None), name="slug_is_taken_once"
            )
        ]

    def __str__(self) -> str:
        return self.slug

    @property
    def sentence(self) -> Sentence:
        """Why it did not come online, in the reader's language."""
        return Sentence.from_json(self.message)

    @property
    def resource(self) -> str:
        """What narrows an access token to this service."""
        return f"service:{self.pk}"


class Revision(models.Model):
    """What a service serves from one moment on: versions with shares, the file of each, the threshold."""

    service = models.ForeignKey(Service, models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField(_("number"))
    # [{"version": id, "number": n, "share": 100, "file_key": …, "file_sha256": …}]
    versions = models.JSONField(default=list)
    threshold = models.FloatField(_("threshold"), null=True, blank=True)
    # The revision that a roll back brought back, itself never such a copy.
    repeats = models.ForeignKey("self", models.SET_NULL, null=True, related_name="+")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("revision"), _("revisions")
        constraints = [models.UniqueConstraint(fields=["service", "number"], name="revision_numbers_differ")]

    def __str__(self) -> str:
        return f"{self.service} r{self.number}"


class PredictionRecord(models.Model):
    """One answered request; its id travels in X-Prediction-Id."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    service = models.ForeignKey(Service, models.CASCADE, related_name="predictions")
    revision = models.ForeignKey(Revision, models.CASCADE, related_name="+")
    version = models.ForeignKey(ModelVersion, models.CASCADE, related_name="+")
    created_at = models.DateTimeField(_("answered"), auto_now_add=True, db_index=True)
    milliseconds = models.FloatField(_("milliseconds"))
    answers = models.JSONField(default=list)
    caller = models.CharField(_("caller"), max_length=80, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("prediction record"), _("prediction records")
        indexes = [models.Index(fields=["service", "-created_at"])]

    def __str__(self) -> str:
        return str(self.pk)


class Feedback(models.Model):
    """What a caller says a picture really showed; saying it again corrects it."""

    prediction = models.ForeignKey(PredictionRecord, models.CASCADE, related_name="feedback")
    picture = models.PositiveSmallIntegerField(_("picture"), default=0)  # which of the request's, from 0
    label = models.CharField(_("label"), max_length=64)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("said"), auto_now=True)

    class Meta:
        verbose_name, verbose_name_plural = _("feedback"), _("feedback")
        constraints = [
            models.UniqueConstraint(fields=["prediction", "picture"], name="one_feedback_a_picture")
        ]

    def __str__(self) -> str:
        return f"{self.prediction_id} {self.label}"
