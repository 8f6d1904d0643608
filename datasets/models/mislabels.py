"""Pictures that may have the wrong label."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models.images import Image
from datasets.models.sets import Dataset, Label


class Mislabel(models.Model):
    """A tagged picture that looks like another label. It counts while the picture has the label that was judged.

    `score`: by how much the proposed label is more probable than the given one, from 0 to 1.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="mislabels")
    image = models.OneToOneField(Image, models.CASCADE, related_name="mislabel")
    given = models.ForeignKey(Label, models.CASCADE, related_name="+")
    proposed = models.ForeignKey(Label, models.CASCADE, related_name="+")
    score = models.FloatField(_("score"))
    neighbours = models.JSONField(default=list)  # the ids of the pictures that look most like it
    found_at = models.DateTimeField(_("found"), auto_now_add=True)
    dismissed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    dismissed_at = models.DateTimeField(_("dismissed"), null=True, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = _("likely mislabel"), _("likely mislabels")
        indexes = [models.Index(fields=["dataset", "dismissed_at", "-score"], name="mislabel_queue")]

    def __str__(self) -> str:
        return f"{self.image_id}: {self.given_id} → {self.proposed_id}"
