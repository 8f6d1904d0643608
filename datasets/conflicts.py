"""The same picture under two labels: found by imports, settled by people, each settlement undoable."""

from collections import defaultdict
from collections.abc import Iterable

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.choices import Choices, IfHere
from datasets.models import Dataset, Image, Import, ImportState, Label, LabelConflict, TagAction
from datasets.tagging import GIVES_LABELS, tag_images, undo
from web.sentences import Conflict


class SettledAlready(Conflict):
    """Somebody was faster, or the picture has changed."""

    code = "conflict-settled"


def open_conflicts(dataset: Dataset) -> QuerySet[LabelConflict]:
    """Those that still are: the picture is there under a label other than the one it came again under.

    Whoever gave the picture a label since, knew it: such a conflict is settled without being asked about. An act
    that settled another conflict says nothing about this one.
    """
    mine = LabelConflict.objects.filter(dataset=dataset)
    unsettled = Q(settled_at=None) | Q(action__undone_at__isnull=False)
    found = mine.filter(
        unsettled, image__trashed_at=None, image__label__isnull=False, label__removed_at=None
    ).exclude(image__label=F("label"))
    labelled_since = Exists(
        TagAction.objects.filter(
            pk=OuterRef("image__last_action"), kind__in=GIVES_LABELS, created_at__gt=OuterRef("created_at")
        ).exclude(pk__in=mine.exclude(action=None).values("action"))
    )
    # An import that was taken back says nothing any more; one whose row is gone still did
    taken_back = Import.objects.filter(dataset=dataset, state=ImportState.UNDONE)
    return found.exclude(labelled_since).exclude(source__in=taken_back).order_by("id")


def note(found: Import, pairs: Iterable[tuple[Image, Label, str]]) -> None:
    """Keep pictures that came again under another label; each pair once. Called in the batch's transaction."""
    rows = [
        LabelConflict(dataset=found.dataset, image=image, label=label, source=found, name=name)
        for image, label, name in pairs
    ]
    LabelConflict.objects.bulk_create(rows, ignore_conflicts=True)


def settle(*, conflict: LabelConflict, user: User, take: bool) -> TagAction | None:
    """Keep the label that the picture has here, or give it the other one; then the act that did it.

    Raises SettledAlready, LabelGone.
    """
    with transaction.atomic():
        found = (
            open_conflicts(conflict.dataset).select_for_update(of=("self",)).filter(pk=conflict.pk).first()
        )
        if found is None:
            raise SettledAlready(gettext_noop("This has been settled meanwhile, or the picture was changed."))
        chosen = Image.objects.filter(pk=found.image_id)
        action = (
            tag_images(dataset=found.dataset, user=user, chosen=chosen, label=found.label) if take else None
        )
        close([found.pk], user, action)
        return action


def close(conflicts: Iterable[int], user: User | None, action: TagAction | None) -> None:
    """They are settled."""
    LabelConflict.objects.filter(pk__in=list(conflicts)).update(
        settled_at=timezone.now(), settled_by=user, action=action
    )


def reopen(*, conflict: LabelConflict, user: User) -> None:
    """Back to the queue; a label that was taken is given back."""
    with transaction.atomic():
        if conflict.action and not conflict.action.undone_at:
            undo(action=conflict.action, user=user)
        again = LabelConflict.objects.filter(
            image=conflict.image_id, label=conflict.label_id, settled_at=None
        )
        if not again.exists():
            LabelConflict.objects.filter(pk=conflict.pk).update(settled_at=None, settled_by=None, action=None)


def settle_as_chosen(found: Import) -> None:
    """At an import's end: what was decided for all its pictures that were here already.

    Where one upload holds a picture under two labels neither is older: those stay for a person. Called in a
    transaction; again it finds nothing left to do.
    """
    choice = Choices.of(found).conflicts
    if choice == IfHere.LATER:
        return
    user = found.chosen_by or found.created_by
    mine = open_conflicts(found.dataset).filter(source=found).exclude(image__source=found)
    if choice == IfHere.KEEP or user is None:
        close(mine.values_list("pk", flat=True), user, None)
        return
    by_label = defaultdict[int, list[LabelConflict]](list)
    for each in mine:
        by_label[each.label_id].append(each)
    for name in Label.objects.filter(pk__in=by_label):
        conflicts = by_label[name.pk]
        images = Image.objects.filter(pk__in=[each.image_id for each in conflicts])
        action = tag_images(dataset=found.dataset, user=user, chosen=images, label=name)
        close([each.pk for each in conflicts], user, action)
