"""The label for pictures that show nothing of what the other labels name: what a service meets, too."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from datasets.labels import find_or_create
from datasets.models import Dataset, Label
from datasets.models.sets import LabelRole
from projects import audit
from web.sentences import Conflict

ROLE = LabelRole.NONE_OF_THESE
LEAST, GOOD = 20, 100  # pictures; and about as many as the other labels have


class HasOne(Conflict):
    """One such label a data set."""

    code = "none-of-these-exists"


def none_label_of(dataset: Dataset) -> Label | None:
    """The data set's label for them."""
    return dataset.labels.filter(role=ROLE).first()


@transaction.atomic
def add_none_of_these(*, dataset: Dataset, user: User, name: str = "") -> Label:
    """Make it, in the person's language by default; a label that has this name gets the role.

    Raises HasOne, BadLabel, TooManyLabels.
    """
    Dataset.objects.select_for_update().get(pk=dataset.pk)
    there = none_label_of(dataset)
    if there:
        raise HasOne(
            gettext_noop("“%(name)s” is the label for pictures that are none of these already."),
            name=there.name,
        )
    label = find_or_create(dataset=dataset, name=name.strip() or _("none of these"), user=user)
    label.role = ROLE
    label.save(update_fields=["role"])
    audit.note(user, "label.none-of-these", project=dataset.project, target=label.name)
    return label


def take_role(label: Label) -> None:
    """A label that was just made after one with the role has it too, where the data set has none. In a transaction."""
    Dataset.objects.select_for_update().get(pk=label.dataset_id)
    if none_label_of(label.dataset) is None:
        Label.objects.filter(pk=label.pk).update(role=ROLE)
        label.role = ROLE


def names_of(datasets: list[int], labels: list[str]) -> list[str]:
    """Which of these labels have the role in one of the data sets."""
    found = Label.objects.filter(dataset__in=datasets, role=ROLE, name__in=labels)
    return sorted(set(found.values_list("name", flat=True)))
