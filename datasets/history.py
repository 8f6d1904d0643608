"""What was changed, by whom and when: of a data set as acts, of a picture one by one."""

from django.db.models import QuerySet

from datasets.models import Dataset, Image, TagAction, TagChange


def recent_actions(dataset: Dataset) -> "QuerySet[TagAction]":
    """The acts on a data set that changed something, latest first."""
    return dataset.actions.filter(changed__gt=0).select_related("created_by", "undone_by").order_by("-id")


def history_of(image: Image) -> "QuerySet[TagChange]":
    """The acts that changed a picture, latest first, each with the label it had before."""
    return (
        TagChange.objects.filter(image=image)
        .select_related("action__created_by", "before", "after")
        .order_by("-action_id")
    )
