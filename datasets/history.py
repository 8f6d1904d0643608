"""What was changed, by whom and when: of a data set as acts, of a picture one by one."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db.models import QuerySet

from datasets.models import Dataset, Image, Label, TagAction, TagChange


@dataclass(frozen=True)
class Origin:
    """How a picture came in: when, by whose import, and with which label."""

    at: datetime
    by: User | None
    label: Label | None


def recent_actions(dataset: Dataset) -> "QuerySet[TagAction]":
    """The acts on a data set that changed something, latest first."""
    return dataset.actions.filter(changed__gt=0).select_related("created_by", "undone_by").order_by("-id")


def history_of(image: Image) -> "QuerySet[TagChange]":
    """The acts that changed a picture, latest first, each with the label it had before."""
    return (
        TagChange.objects.filter(image=image)
        .select_related("action__created_by", "action__undone_by", "before", "after")
        .order_by("-action_id")
    )


def origin_of(image: Image) -> Origin:
    """Its import, with the label that it had before anybody changed it."""
    first = TagChange.objects.filter(image=image).select_related("before").order_by("action_id").first()
    label = first.before if first else image.label
    return Origin(image.created_at, image.source.created_by if image.source else None, label)
