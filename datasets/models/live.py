"""What those who have a data set open hear of: what just happened there, and who else is there."""

from django.conf import settings
from django.db import models

from datasets.models.actions import TagAction
from datasets.models.sets import Dataset


class HappeningKind(models.TextChoices):
    """What an open bench must look at again."""

    ACT = "act"  # pictures were tagged, trashed, …
    UNDO = "undo"  # an act was taken back
    LABELS = "labels"  # a label came, went or is called otherwise
    PICTURES = "pictures"  # an import brought some


class Happening(models.Model):
    """One thing that happened. Numbers grow in the order of the commits: each is written under the set's lock."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="happenings", db_index=False)
    kind = models.CharField(max_length=8, choices=HappeningKind.choices)
    action = models.ForeignKey(TagAction, models.CASCADE, null=True, related_name="+", db_index=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    images = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = [models.Index(fields=["dataset", "id"], name="happening_since")]

    def __str__(self) -> str:
        return f"{self.dataset_id} · {self.kind}"


class Presence(models.Model):
    """Who had a data set open, or changed it, and when last; written every 20 s, not with each look."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="+", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["dataset", "user"], name="one_presence_a_person")]

    def __str__(self) -> str:
        return f"{self.dataset_id} · {self.user_id}"
