"""Which pictures show nearly the same thing, as the last search found it."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models.images import Image
from datasets.models.sets import Dataset


class AlikeSearch(models.Model):
    """The last search of a data set for pictures that are nearly the same."""

    dataset = models.OneToOneField(Dataset, models.CASCADE, related_name="alike_search")
    searched_at = models.DateTimeField(_("searched"), auto_now=True)
    images = models.PositiveIntegerField(_("images"), default=0)
    extractor = models.CharField(max_length=120, blank=True)  # whose embeddings helped; empty: hashes alone

    class Meta:
        verbose_name, verbose_name_plural = _("search for near-duplicates"), _("searches for near-duplicates")

    def __str__(self) -> str:
        return f"{self.dataset_id} · {self.searched_at}"


class AlikeGroup(models.Model):
    """Pictures that are each nearly the same as the group's first one."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="alike_groups")
    found_at = models.DateTimeField(_("found"), auto_now_add=True)
    # Somebody said that they differ: later searches do not bring these pairs again.
    dismissed_at = models.DateTimeField(_("dismissed"), null=True, blank=True)
    dismissed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("group of near-duplicates"), _("groups of near-duplicates")
        indexes = [models.Index(fields=["dataset", "dismissed_at"], name="alike_group_open")]

    def __str__(self) -> str:
        return f"{self.dataset_id} · {self.pk}"


class AlikeMember(models.Model):
    """One picture of such a group."""

    group = models.ForeignKey(AlikeGroup, models.CASCADE, related_name="members")
    image = models.ForeignKey(Image, models.CASCADE, related_name="alike")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["group", "image"], name="once_a_group")]

    def __str__(self) -> str:
        return f"{self.group_id} · {self.image_id}"
