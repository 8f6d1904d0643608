"""The frozen content of a data set."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models.sets import Dataset


class Snapshot(models.Model):
    """The tagged content of a data set at one moment: immutable, sorted, hashed; the rows lie in storage."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="snapshots")
    name = models.CharField(_("name"), max_length=80, blank=True)
    content_hash = models.CharField(max_length=64)
    key = models.CharField(max_length=120)
    images = models.PositiveIntegerField(_("images"))
    labels = models.JSONField(default=dict)  # name → pictures
    released = models.PositiveIntegerField(_("pictures released"), default=0)  # gone, to free their storage
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("snapshot"), _("snapshots")

    def __str__(self) -> str:
        return self.name or self.content_hash[:12]
