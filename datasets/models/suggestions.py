"""Which label a picture probably has."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models.images import Image
from datasets.models.sets import Dataset, Label


class Suggestion(models.Model):
    """Which label a picture probably has. It counts while the picture has none and the label is in use."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="suggestions")
    image = models.OneToOneField(Image, models.CASCADE, related_name="suggestion")
    label = models.ForeignKey(Label, models.CASCADE, related_name="+")
    confidence = models.FloatField(_("confidence"))
    # How much more probable than the next label; the doubtful ones are near 0.
    margin = models.FloatField(_("lead over the next label"), default=0)
    source = models.CharField(_("source"), max_length=80)  # opaque: who said so
    created_at = models.DateTimeField(_("made"), auto_now_add=True)

    class Meta:
        verbose_name, verbose_name_plural = _("suggestion"), _("suggestions")
        indexes = [
            models.Index(fields=["dataset", "confidence", "image"], name="suggestion_by_confidence"),
            models.Index(fields=["dataset", "margin", "image"], name="suggestion_by_margin"),
        ]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.label_id}"
