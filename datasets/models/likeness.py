"""What is known of which pictures of a data set look alike."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models.sets import Dataset


class Likeness(models.Model):
    """A data set's pictures in short: a few numbers each, and the groups they fall into, in one file (.npz)."""

    dataset = models.OneToOneField(Dataset, models.CASCADE, related_name="likeness")
    extractor = models.CharField(max_length=120)
    key = models.CharField(max_length=120)
    images = models.PositiveIntegerField(_("pictures"))
    learnt_from = models.PositiveIntegerField()  # how many there were when the groups were found
    made_at = models.DateTimeField(_("made"), auto_now=True)

    class Meta:
        verbose_name, verbose_name_plural = _("likeness"), _("likenesses")

    def __str__(self) -> str:
        return f"{self.dataset_id} ×{self.images}"
