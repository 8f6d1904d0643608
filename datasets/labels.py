"""Labels of a data set: making, renaming, merging and taking them away."""

import re
import unicodedata

from django.conf import settings
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.label_looks import hold_keys, next_colour
from datasets.live import note_labels
from datasets.models import LABEL_NAME, Dataset, Image, Label, TagAction
from projects import audit
from web.sentences import Conflict, Refusal

UNPRINTABLE = {"Cc", "Cs", "Zl", "Zp"}
# Marks that turn the direction of whatever follows them, out of sight: a sentence with such a name reads backwards
TURNERS = dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)))


class BadLabel(Refusal):
    """Not a name that a label can have."""

    code = "bad-label"
    status = 422


class UnknownLabel(Refusal):
    """No label of this data set has this name or number."""

    code = "unknown-label"
    status = 404


class LabelExists(Conflict):
    """The name is taken."""

    code = "label-exists"


class TooManyLabels(Conflict):
    """The data set has as many labels as it may."""

    code = "too-many-labels"


def clean_name(text: str) -> str:
    """The name as it is kept: NFC, trimmed. Raises BadLabel."""
    name = unicodedata.normalize("NFC", text.translate(TURNERS)).strip()
    if not name:
        raise BadLabel(gettext_noop("A label needs a name."))
    if not re.match(LABEL_NAME.regex, name) or any(
        unicodedata.category(char) in UNPRINTABLE for char in name
    ):
        raise BadLabel(
            gettext_noop("A label is at most 64 characters, without / \\ : and control characters.")
        )
    return name


def labels_with_counts(dataset: Dataset) -> QuerySet[Label]:
    """The labels in their order, each with `images_count`: its pictures that are not in the trash."""
    return dataset.labels.annotate(images_count=Count("images", filter=Q(images__trashed_at=None)))


def find_label(dataset: Dataset, name: str) -> Label | None:
    """The label of this name, if there is one."""
    wanted = unicodedata.normalize("NFC", name).strip()
    there = "SELECT * FROM datasets_label WHERE dataset_id = %s AND name IN (%s, %s) AND removed_at IS NULL"
    named = Label.objects.raw(there, [dataset.pk, wanted, wanted.translate(TURNERS).strip()])
    return min(named, key=lambda label: (label.position, label.pk), default=None)


def label_named(dataset: Dataset, name: str) -> Label:
    """The label of this name; raises UnknownLabel."""
    label = find_label(dataset, name)
    if label is None:
        raise UnknownLabel(gettext_noop("This data set has no label “%(name)s”."), name=name[:64])
    return label


@transaction.atomic
def create_label(*, dataset: Dataset, name: str, user: User | None, told: bool = True) -> Label:
    """A new label with the next colour. Raises BadLabel, LabelExists, TooManyLabels.

    `told`: whether open benches hear of it; who makes many tells of them once.
    """
    name = clean_name(name)
    if find_label(dataset, name):
        raise LabelExists(gettext_noop("There is a label “%(name)s” already."), name=name)
    found = dataset.labels.aggregate(count=Count("pk"), last=Max("position"))
    if found["count"] >= settings.MAX_LABELS:
        raise TooManyLabels(
            gettext_noop("A data set has at most %(limit)s labels; merge or delete some first."),
            limit=settings.MAX_LABELS,
        )
    position = 0 if found["last"] is None else found["last"] + 1
    try:
        with transaction.atomic():
            if told:
                note_labels(dataset, user)
            colour = next_colour(dataset)
            return Label.objects.create(dataset=dataset, name=name, position=position, colour=colour)
    except IntegrityError as error:  # somebody made it in this very moment
        raise LabelExists(gettext_noop("There is a label “%(name)s” already."), name=name) from error


def find_or_create(*, dataset: Dataset, name: str, user: User | None, told: bool = True) -> Label:
    """The label of this name, made if need be."""
    try:
        return find_label(dataset, name) or create_label(dataset=dataset, name=name, user=user, told=told)
    except LabelExists:
        return label_named(dataset, name)


@transaction.atomic
def rename_label(*, label: Label, name: str, user: User) -> Label:
    """Call a label otherwise; its pictures stay with it. Raises BadLabel, LabelExists."""
    name = clean_name(name)
    before, label.name = label.name, name
    other = find_label(label.dataset, name)
    if other and other.pk != label.pk:
        raise LabelExists(gettext_noop("There is a label “%(name)s” already."), name=name)
    label.save(update_fields=["name"])
    note_labels(label.dataset, user)
    audit.note(user, "label.rename", project=label.dataset.project, target=name, before=before)
    return label


def merge_labels(*, label: Label, into: Label, user: User) -> TagAction:
    """All pictures of one label become another's, and the first goes. Undoing the action brings it back."""
    if label.pk == into.pk or label.dataset_id != into.dataset_id:
        raise Conflict(gettext_noop("A label is merged into another one of the same data set."))
    return delete_label(label=label, user=user, move_to=into)


@transaction.atomic
def delete_label(*, label: Label, user: User, move_to: Label | None = None) -> TagAction:
    """Take a label away: its pictures (those in the trash too) become untagged or get `move_to`.

    The label goes to the trash: undoing the returned action brings it back.
    """
    from datasets.tagging import change_labels

    every = Image.objects.filter(dataset=label.dataset, label=label)
    action = change_labels(dataset=label.dataset, user=user, chosen=every, label=move_to)
    hold_keys(going=label)
    Label.objects.filter(pk=label.pk).update(removed_at=timezone.now(), removal=action)
    note_labels(label.dataset, user)
    audit.note(
        user,
        "label.delete" if move_to is None else "label.merge",
        project=label.dataset.project,
        target=label.name,
        changed=action.changed,
        into=move_to.name if move_to else None,
    )
    return action
