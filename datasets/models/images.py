"""Pictures."""

from typing import TYPE_CHECKING

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models.imports import Import
from datasets.models.sets import Dataset, Label

if TYPE_CHECKING:
    from datasets.models.suggestions import Suggestion


LIVE, TRASHED = models.Q(trashed_at__isnull=True), models.Q(trashed_at__isnull=False)
OPEN = LIVE & models.Q(label__isnull=True, skipped_at__isnull=True)
SKIPPED = LIVE & models.Q(label__isnull=True, skipped_at__isnull=False)


class ImageQuerySet(models.QuerySet["Image"]):
    """Reads of pictures."""

    def live(self) -> "ImageQuerySet":
        """Not in the trash."""
        return self.filter(trashed_at=None)


class Image(models.Model):
    """A picture in a data set. Its bytes lie under `key`, its small picture under `thumbnail_key`.

    `sha256` is that of the bytes that were uploaded; what is stored may be scaled down.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="images")
    source = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="images")
    position = models.PositiveIntegerField(default=0)  # in its import
    name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField(max_length=64)
    key = models.CharField(max_length=120)
    thumbnail_key = models.CharField(max_length=120)
    format = models.CharField(_("format"), max_length=8)
    bytes = models.PositiveIntegerField(_("bytes"))
    width = models.PositiveIntegerField(_("width"))
    height = models.PositiveIntegerField(_("height"))
    difference_hash = models.BigIntegerField(null=True)  # 64-bit dHash of the upright picture, signed
    grey = models.BooleanField(_("without colour"), default=False)
    # Measured on the thumbnail after the import (datasets/looks.py); empty until then.
    brightness = models.PositiveSmallIntegerField(_("brightness"), null=True)
    sharpness = models.PositiveSmallIntegerField(_("sharpness"), null=True)
    label = models.ForeignKey(Label, models.SET_NULL, null=True, blank=True, related_name="images")
    # What an import wished: train, validation or test.
    split = models.CharField(_("wished side of the split"), max_length=10, blank=True)
    # Pictures with the same mark belong together, such as a burst: the split never parts them.
    group = models.CharField(_("group"), max_length=40, blank=True)
    last_action = models.ForeignKey("TagAction", models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    trashed_at = models.DateTimeField(_("in the trash since"), null=True, blank=True)
    # Somebody looked and could not tell; it counts while the picture has no label.
    skipped_at = models.DateTimeField(_("marked as not sure"), null=True, blank=True)
    cluster = models.PositiveSmallIntegerField(default=0)  # those of one number look alike; 0: not known yet

    objects = ImageQuerySet.as_manager()

    class Meta:
        verbose_name, verbose_name_plural = _("image"), _("images")
        # The content first: whether any data set has it is asked by this index too.
        constraints = [models.UniqueConstraint(fields=["sha256", "dataset"], name="one_picture_a_data_set")]
        # One for each way through a grid of a million pictures; those in the trash are in none but their own.
        # PostgreSQL writes each of them anew for every picture that is tagged: there is none to spare.
        indexes = [
            models.Index(fields=["dataset", "id"], condition=LIVE, name="image_live"),
            models.Index(fields=["dataset", "id"], condition=OPEN, name="image_open"),
            models.Index(fields=["dataset", "id"], condition=SKIPPED, name="image_skipped"),
            models.Index(fields=["dataset", "id"], condition=TRASHED, name="image_trash"),
            models.Index(fields=["dataset", "label", "id"], condition=LIVE, name="image_of_label"),
            models.Index(fields=["source", "id"], condition=LIVE, name="image_of_source"),
            models.Index(fields=["dataset", "name", "id"], condition=LIVE, name="image_by_name"),
            models.Index(fields=["dataset", "bytes", "id"], condition=LIVE, name="image_by_bytes"),
            models.Index(fields=["dataset", "width", "id"], condition=LIVE, name="image_by_width"),
            models.Index(fields=["dataset", "height", "id"], condition=LIVE, name="image_by_height"),
            models.Index(fields=["dataset", "cluster", "id"], condition=LIVE, name="image_by_cluster"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def open_suggestion(self) -> "Suggestion | None":
        """What is suggested for it, while it has no label and that one is in use."""
        found: Suggestion | None = getattr(self, "suggestion", None)
        return found if found and not self.label_id and found.label.in_use else None
