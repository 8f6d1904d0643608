"""The same picture under two labels: one of them is right, and a person says which."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models.actions import TagAction
from datasets.models.images import Image
from datasets.models.imports import Import
from datasets.models.sets import Dataset, Label


class LabelConflict(models.Model):
    """A picture of the data set came again under another label. Open until it is settled.

    `action` is the act that gave the picture the other label; where that is undone, the conflict is open again.
    """

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="conflicts")
    image = models.ForeignKey(Image, models.CASCADE, related_name="conflicts")
    label = models.ForeignKey(Label, models.CASCADE, related_name="+")  # that it came under
    source = models.ForeignKey(Import, models.SET_NULL, null=True, related_name="conflicts")
    name = models.CharField(_("file"), max_length=500)  # that it came as
    created_at = models.DateTimeField(_("found"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled"), null=True, blank=True)
    settled_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    action = models.ForeignKey(TagAction, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("conflict of labels"), _("conflicts of labels")
        constraints = [
            models.UniqueConstraint(
                fields=["image", "label"], condition=models.Q(settled_at=None), name="one_open_conflict"
            )
        ]
        indexes = [models.Index(fields=["dataset", "settled_at", "id"], name="conflict_queue")]

    def __str__(self) -> str:
        return f"{self.image} · {self.label}"
