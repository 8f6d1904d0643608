"""Data sets and their labels."""

from typing import TYPE_CHECKING

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from projects.models import Project

if TYPE_CHECKING:
    from datasets.models.images import Image

LABEL_NAME = RegexValidator(
    r"^[^/\\:\x00-\x1f\x7f-\x9f]{1,64}$",
    _("A label is at most 64 characters, without / \\ : and control characters."),
)


class Dataset(models.Model):
    """Pictures with one label each."""

    project = models.ForeignKey(Project, models.CASCADE, related_name="datasets")
    name = models.CharField(_("name"), max_length=80)
    description = models.TextField(_("description"), blank=True)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    trashed_at = models.DateTimeField(_("in the trash since"), null=True, blank=True)
    trashed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("data set"), _("data sets")
        constraints = [
            models.UniqueConstraint(
                fields=["project", "name"], condition=models.Q(trashed_at=None), name="data_set_names_differ"
            )
        ]

    def __str__(self) -> str:
        return self.name


class LiveLabels(models.Manager["Label"]):
    """Labels in use; those taken away stay for the undo and for what older snapshots and acts name."""

    def get_queryset(self) -> models.QuerySet["Label"]:
        return super().get_queryset().filter(removed_at=None)


class LabelRole(models.TextChoices):
    """What a label stands for beside its name."""

    NONE_OF_THESE = "none_of_these", _("none of these")


class Label(models.Model):
    """A class that pictures can have.

    One that was deleted or merged is `removed_at` and lies in the trash (`removal`: the act that took its
    pictures). `purged_at`: it has left the trash too, and its row stays for the acts that remember it. One that a
    person archived is still there, but neither offered for tagging nor trained by default.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="labels")
    name = models.CharField(_("name"), max_length=64, validators=[LABEL_NAME])
    colour = models.CharField(_("colour"), max_length=7, blank=True)  # of the palette; empty: by its place
    chosen_key = models.CharField(_("key"), max_length=1, blank=True)  # empty: by its place
    description = models.TextField(_("description"), max_length=1000, blank=True)
    examples: "models.ManyToManyField[Image, models.Model]" = models.ManyToManyField(
        "Image", related_name="+", blank=True
    )
    position = models.PositiveIntegerField(_("position"), default=0)
    role = models.CharField(_("role"), max_length=16, blank=True, choices=LabelRole.choices)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    archived_at = models.DateTimeField(_("archived"), null=True, blank=True)
    removed_at = models.DateTimeField(_("removed"), null=True, blank=True)
    purged_at = models.DateTimeField(_("purged"), null=True, blank=True)
    removal = models.ForeignKey("TagAction", models.SET_NULL, null=True, related_name="+")

    objects = LiveLabels()
    every = models.Manager["Label"]()

    class Meta:
        verbose_name, verbose_name_plural = _("label"), _("labels")
        ordering = ["position", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "name"], condition=models.Q(removed_at=None), name="label_names_differ"
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def in_use(self) -> bool:
        """Offered for tagging: neither archived nor removed."""
        return not self.archived_at and not self.removed_at
