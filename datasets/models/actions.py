"""Every change of a tag, undoable as a whole."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.models.images import Image
from datasets.models.sets import Dataset, Label


class ActionKind(models.TextChoices):
    """What a bulk act did."""

    TAG = "tag", _("Tagged")
    TRASH = "trash", _("Moved to the trash")
    RESTORE = "restore", _("Taken out of the trash")
    RETURN = "return", _("Set back to a snapshot")
    ACCEPT = "accept", _("Suggestions accepted")
    SKIP = "skip", _("Marked as not sure")
    UNSKIP = "unskip", _("No longer marked as not sure")


class TagAction(models.Model):
    """One bulk change, undoable as a whole."""

    dataset = models.ForeignKey(Dataset, models.CASCADE, related_name="actions")
    kind = models.CharField(_("kind"), max_length=8, choices=ActionKind.choices, default=ActionKind.TAG)
    label = models.ForeignKey(Label, models.SET_NULL, null=True, related_name="+")
    label_name = models.CharField(
        _("label"), max_length=64, blank=True
    )  # as it was called then; empty: untagged
    changed = models.PositiveIntegerField(_("changed"), default=0)
    # Of the untagged pictures that got a label: how many had a suggestion, and how many just this one.
    suggested = models.PositiveIntegerField(_("had a suggestion"), default=0)
    agreed = models.PositiveIntegerField(_("as suggested"), default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    undone_at = models.DateTimeField(_("undone"), null=True, blank=True)
    undone = models.PositiveIntegerField(_("taken back"), default=0)  # pictures, by all undos of it
    undone_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name, verbose_name_plural = _("tag action"), _("tag actions")
        indexes = [
            # All that progress by person reads, so that it reads nothing else
            models.Index(
                fields=[
                    "dataset",
                    "created_by",
                    "created_at",
                    "kind",
                    "changed",
                    "suggested",
                    "agreed",
                    "undone",
                ],
                name="work_of_a_person",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.label_name} ({self.changed})"


class TagChange(models.Model):
    """What one act changed on one picture: the undo's memory and the picture's history."""

    action = models.ForeignKey(TagAction, models.CASCADE, related_name="changes", db_index=False)
    image = models.ForeignKey(Image, models.CASCADE, related_name="changes")
    # Perhaps an archived one
    before = models.ForeignKey(Label, models.SET_NULL, null=True, related_name="+", db_index=False)
    skipped_before = models.DateTimeField(null=True)
    trashed_before = models.DateTimeField(null=True)  # of acts that change label and trash at once
    previous_action = models.ForeignKey(
        TagAction, models.SET_NULL, null=True, related_name="+", db_index=False
    )
    # Only where an act gives its pictures different labels; else the act names the one.
    after = models.ForeignKey(Label, models.SET_NULL, null=True, related_name="+", db_index=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["action", "image"], name="one_change_an_act")]
        # Most changes are the first of their picture, and have no more to enter than the constraint
        indexes = [
            models.Index(fields=["before"], condition=models.Q(before__isnull=False), name="change_before"),
            models.Index(fields=["after"], condition=models.Q(after__isnull=False), name="change_after"),
            models.Index(
                fields=["previous_action"],
                condition=models.Q(previous_action__isnull=False),
                name="change_previous_action",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.action_id} · {self.image_id}"
