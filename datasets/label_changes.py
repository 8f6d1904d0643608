"""Changing a label: its name, looks, description, place, examples, and whether it is archived."""

from dataclasses import dataclass

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.label_looks import clean_colour, clean_key, hold_keys, keys_of
from datasets.labels import BadLabel, rename_label
from datasets.live import note_labels
from datasets.models import Dataset, Image, Label
from projects import audit
from web.sentences import Conflict

LONGEST_DESCRIPTION = 1000
MOST_EXAMPLES = 6


class TooManyExamples(Conflict):
    """The label shows as many examples as it may."""

    code = "too-many-examples"


@dataclass(frozen=True)
class Wish:
    """What is to change; None leaves it. `key` "" lets the label's place say it."""

    name: str | None = None
    colour: str | None = None
    key: str | None = None
    description: str | None = None
    position: int | None = None
    archived: bool | None = None


@transaction.atomic
def change_label(*, label: Label, user: User, wish: Wish) -> Label:
    """All of the wish or nothing. Raises BadLabel, LabelExists, BadColour, BadKey."""
    if wish.name is not None and wish.name != label.name:
        rename_label(label=label, name=wish.name, user=user)
    if wish.colour is not None:
        label.colour = clean_colour(wish.colour)
    if wish.description is not None:
        label.description = clean_description(wish.description)
    label.save(update_fields=["colour", "description"])
    if wish.key is not None:
        give_key(label, clean_key(wish.key))
    if wish.position is not None:
        move_label(label=label, to=wish.position)
    if wish.archived is not None and wish.archived != bool(label.archived_at):
        archive_label(label=label, user=user, archived=wish.archived)
    note_labels(label.dataset, user)
    return label


def clean_description(text: str) -> str:
    """Trimmed. Raises BadLabel where it is too long."""
    text = text.strip()
    if len(text) > LONGEST_DESCRIPTION:
        raise BadLabel(
            gettext_noop("A label's description is at most %(limit)s characters."), limit=LONGEST_DESCRIPTION
        )
    return text


def give_key(label: Label, key: str) -> Label | None:
    """The label gets the key; whoever had it gets the label's in exchange, and is returned."""
    labels = list(Label.objects.filter(dataset=label.dataset_id))
    keys = keys_of(labels)
    owner = next((each for each in labels if key and keys.get(each.pk) == key and each.pk != label.pk), None)
    if owner:
        Label.objects.filter(pk=owner.pk).update(chosen_key=keys.get(label.pk, ""))
    label.chosen_key = key
    label.save(update_fields=["chosen_key"])
    return owner


def move_label(*, label: Label, to: int) -> None:
    """Put the label at this place (from 0) in the data set's order; the others make room."""
    Dataset.objects.select_for_update(no_key=True).get(pk=label.dataset_id)
    order = [each for each in Label.objects.filter(dataset=label.dataset_id) if each.pk != label.pk]
    order.insert(min(max(to, 0), len(order)), label)
    moved = [(each, place) for place, each in enumerate(order) if each.position != place]
    for each, place in moved:
        each.position = place
    Label.objects.bulk_update([each for each, _ in moved], ["position"], batch_size=200)


def archive_label(*, label: Label, user: User, archived: bool) -> None:
    """No longer offered for tagging nor trained by default; its pictures keep it. Or back in use."""
    if archived:
        hold_keys(going=label)
    label.archived_at = timezone.now() if archived else None
    label.save(update_fields=["archived_at"])
    action = "label.archive" if archived else "label.unarchive"
    audit.note(user, action, project=label.dataset.project, target=label.name)


@transaction.atomic
def show_example(*, label: Label, image: Image, shown: bool) -> None:
    """A picture stands for the label from now on, or no longer does. Raises TooManyExamples, Conflict."""
    if not shown:
        label.examples.remove(image)
        return
    if image.dataset_id != label.dataset_id or image.trashed_at:
        raise Conflict(gettext_noop("An example is a picture of the same data set."))
    if label.examples.exclude(pk=image.pk).count() >= MOST_EXAMPLES:
        raise TooManyExamples(
            gettext_noop("“%(name)s” shows %(limit)s examples already; take one away first."),
            name=label.name,
            limit=MOST_EXAMPLES,
        )
    label.examples.add(image)


def examples_of(label: Label) -> list[Image]:
    """The examples that are still to be seen."""
    return list(label.examples.filter(trashed_at=None).order_by("pk")[:MOST_EXAMPLES])
