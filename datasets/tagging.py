"""Bulk changes of pictures (tag, trash, restore) and their undo: one row and a few statements an act."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import BigIntegerField, Count, F, Max, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.functions import Cast
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.followers import changed as tell_followers
from datasets.live import note_act, note_labels, note_undo
from datasets.models import ActionKind, Dataset, Image, Label, TagAction, TagChange
from datasets.tally import MANY, SPARE_ROWS, fold
from web.sentences import Conflict
from web.statements import Answer, Statement, in_one_trip

GIVES_LABELS = (ActionKind.TAG, ActionKind.ACCEPT)  # somebody looked at the pictures
CHANGES_LABELS = (*GIVES_LABELS, ActionKind.RETURN)
MARKS = (ActionKind.SKIP, ActionKind.UNSKIP)
# SQL, for an act's changes `c`: those with a suggestion, and how many of these were right (as all that was accepted).
SUGGESTED = (
    "suggested + count(l.id), agreed + count(CASE WHEN l.id IS NOT NULL"
    " AND (kind = 'accept' OR l.id = datasets_tagaction.label_id) THEN 1 END)"
)
BESIDE = (
    "datasets_tagchange c"
    " LEFT JOIN datasets_suggestion s ON s.image_id = c.image_id AND c.before_id IS NULL"
    " LEFT JOIN datasets_label l ON l.id = s.label_id AND l.removed_at IS NULL AND l.archived_at IS NULL"
)
OF_AN_ACT = [field for field in TagAction._meta.concrete_fields if not field.primary_key]


class LabelGone(Conflict):
    """The label was taken away while somebody tagged with it."""

    code = "label-gone"


class LabelArchived(Conflict):
    """The label is no longer offered for tagging."""

    code = "label-archived"


@dataclass(frozen=True)
class Undone:
    """What an undo did; `skipped` pictures stay as they are, because somebody changed them since.

    Or because the label that they had was purged since: how many of them had which is `lost`. `stopped`: the act
    was going on in the background still, and does no more.
    """

    changed: int
    skipped: int
    lost: Mapping[str, int] = field(default_factory=dict)
    stopped: bool = False


def tag_images(*, dataset: Dataset, user: User, chosen: "QuerySet[Image]", label: Label | None) -> TagAction:
    """Give the chosen pictures this label, or none. Those in the trash, or that have it, stay as they are.

    `action.changed` is how many changed. Raises LabelGone.
    """
    return change_labels(dataset=dataset, user=user, chosen=chosen.filter(trashed_at=None), label=label)


def change_labels(
    *, dataset: Dataset, user: User, chosen: "QuerySet[Image]", label: Label | None
) -> TagAction:
    """As `tag_images`, in the trash too."""
    # Nothing is written before it may be refused, so a transaction that is open needs no savepoint
    with nullcontext() if connection.in_atomic_block else transaction.atomic():
        locked, *found = in_one_trip(lock(dataset), *([label_now(dataset, label)] if label else []))
        got_lock(dataset, locked)
        if label:
            refuse_gone(label, found[0].row)
        action = start(dataset, user, ActionKind.TAG, label)
        return remember_and_change(action, without(chosen, label), label=label)


def refuse_label_gone(dataset: Dataset, label: Label | None) -> None:
    """Raises LabelGone, LabelArchived."""
    if label:
        refuse_gone(label, in_one_trip(label_now(dataset, label))[0].row)


def label_now(dataset: Dataset, label: Label) -> Statement:
    """Whether it is still there, and since when archived."""
    there = "SELECT archived_at FROM datasets_label WHERE id = %s AND dataset_id = %s AND removed_at IS NULL"
    return there, [label.pk, dataset.pk]


def refuse_gone(label: Label, now: Any) -> None:
    """`now`: what `label_now` answered."""
    if now is None:
        raise LabelGone(gettext_noop("The label “%(name)s” was taken away meanwhile."), name=label.name)
    if now[0]:
        raise LabelArchived(
            gettext_noop("The label “%(name)s” is archived. Bring it back to tag with it."), name=label.name
        )


def without(chosen: "QuerySet[Image]", label: Label | None) -> "QuerySet[Image]":
    """Those that do not have this label yet (None: those that have one)."""
    return chosen.exclude(label=None) if label is None else chosen.filter(~Q(label=label) | Q(label=None))


@transaction.atomic
def trash_images(*, dataset: Dataset, user: User, chosen: "QuerySet[Image]") -> TagAction:
    """Move the chosen pictures to the trash; their labels stay on them."""
    one_at_a_time(dataset)
    action = start(dataset, user, ActionKind.TRASH)
    return remember_and_change(action, chosen.filter(trashed_at=None), trashed_at=timezone.now())


@transaction.atomic
def restore_images(*, dataset: Dataset, user: User, chosen: "QuerySet[Image]") -> TagAction:
    """Take the chosen pictures out of the trash."""
    one_at_a_time(dataset)
    action = start(dataset, user, ActionKind.RESTORE)
    return remember_and_change(action, chosen.exclude(trashed_at=None), trashed_at=None)


@transaction.atomic
def undo(*, action: TagAction, user: User) -> Undone:
    """Give back what the pictures were before, but for those that somebody changed since, or whose label is gone."""
    one_at_a_time(action.dataset)
    changed, lost = give_back(action, user)
    return Undone(changed, max(action.changed - changed, 0), lost)


def give_back(
    action: TagAction, user: User, within: tuple[int, int] | None = None
) -> tuple[int, Mapping[str, int]]:
    """The undo of an act's changes: how many pictures are as they were, and which labels were lost.

    `within`: of the pictures from one number to another, both included.
    """
    changes = TagChange.objects.filter(action=action)
    still = Image.objects.filter(dataset=action.dataset, last_action=action)
    if within:
        changes = changes.filter(image__gte=within[0], image__lte=within[1])
        still = still.filter(pk__range=within)
    lost = bring_back_labels(action, user, changes)
    change = TagChange.objects.filter(action=action, image=OuterRef("pk"))
    values: dict[str, Any] = {"last_action": Subquery(change.values("previous_action")[:1])}
    if action.kind in CHANGES_LABELS:
        values["label"] = Subquery(change.values("before")[:1])
    if action.kind in (*CHANGES_LABELS, *MARKS):
        values["skipped_at"] = Subquery(change.values("skipped_before")[:1])
    else:
        values["trashed_at"] = timezone.now() if action.kind == ActionKind.RESTORE else None
    if action.kind == ActionKind.RETURN:
        values["trashed_at"] = Subquery(change.values("trashed_before")[:1])
    if lost:
        still = still.exclude(pk__in=with_purged_labels(changes).values("image"))
    changed = still.update(**values)
    if changed:
        TagAction.objects.filter(pk=action.pk).update(
            undone_at=timezone.now(), undone_by=user, undone=F("undone") + changed
        )
        note_undo(action, user, changed)
        if action.kind in CHANGES_LABELS:
            tell_followers(action.dataset, user)
    return changed, lost


def one_at_a_time(dataset: Dataset) -> None:
    """Acts on one data set follow one another, so that each remembers what the one before it left.

    SQLite's transactions do so anyway; PostgreSQL takes the row's lock, which lets imports go on.
    """
    got_lock(dataset, in_one_trip(lock(dataset))[0])


def lock(dataset: Dataset) -> Statement:
    """The row's lock; what was committed before it is there is seen by the statements after it."""
    how = " FOR NO KEY UPDATE OF d" if connection.vendor == "postgresql" else ""
    return f"SELECT {SPARE_ROWS} FROM datasets_dataset d WHERE d.id = %s{how}", [dataset.pk]  # noqa: S608


def got_lock(dataset: Dataset, answer: Answer) -> None:
    """Nobody else acts on it now: the moment to tidy what acts leave behind."""
    if answer.row is None:
        raise Dataset.DoesNotExist
    if answer.row[0] > MANY:
        fold(dataset)


def start(dataset: Dataset, user: User, kind: ActionKind, label: Label | None = None) -> TagAction:
    """The row of an act."""
    action = TagAction(
        dataset=dataset,
        created_by=user,
        kind=kind,
        label=label,
        label_name=label.name if label else "",
        created_at=timezone.now(),
    )
    columns = {
        str(field.column): field.get_db_prep_save(getattr(action, field.attname), connection)
        for field in OF_AN_ACT
    }
    places = ", ".join(["%s"] * len(columns))
    made = f"INSERT INTO datasets_tagaction ({', '.join(columns)}) VALUES ({places}) RETURNING id"  # noqa: S608
    (action.pk,) = in_one_trip((made, [*columns.values()]))[0].row
    action._state.adding, action._state.db = False, connection.alias
    return action


def remember_and_change(
    action: TagAction,
    chosen: "QuerySet[Image]",
    *,
    after: "F | Subquery | Value | None" = None,
    **values: Any,
) -> TagAction:
    """Remember what each picture was, then change all, in a few statements whatever their number.

    `values`: the new `label`, `skipped_at`, `trashed_at`; `after` in place of `label`: each picture's own, where they
    differ. Called again for the same act it goes on with other pictures.
    """
    labelled = after is not None or values.get("label") is not None
    if labelled:
        values["skipped_at"] = None  # whoever could not tell is answered
    mine = of_act(action)
    try:
        remembered = remember(action, chosen, after)
    except EmptyResultSet:  # a filter by a label that is not there
        return action
    compare = labelled and action.kind != ActionKind.RETURN
    changed = change(mine, own_labels=after is not None, values=values)
    done, _, counted = in_one_trip(remembered, changed, count(action, mine, compare=compare))
    if done.rows:
        action.changed, action.suggested, action.agreed = counted.row
        note_act(action, done.rows)
        if action.kind in CHANGES_LABELS:
            tell_followers(action.dataset, action.created_by)
    return action


def of_act(action: TagAction) -> Statement:
    """A condition, with its parameters, that tells which changes `c` will be the act's newest.

    For a job's act, which may have changed a million pictures before, + 0: by their number alone.
    """
    if not action.changed:
        return "c.action_id = %s", [action.pk]
    last = TagChange.objects.aggregate(last=Max("pk"))["last"] or 0
    return "c.id > %s AND c.action_id + 0 = %s", [last, action.pk]


def remember(action: TagAction, chosen: "QuerySet[Image]", after: "F | Subquery | Value | None") -> Statement:
    """Write what the pictures are now. Raises EmptyResultSet."""
    own = Cast(Value(None), BigIntegerField()) if after is None else after
    # + 0: the choice itself knows along which index it is found
    mine = chosen.alias(of=F("dataset_id") + 0).filter(of=action.dataset_id)
    mine = mine.order_by().annotate(own_label=own)
    columns = mine.values_list("pk", "label_id", "skipped_at", "trashed_at", "last_action_id", "own_label")
    sql, params = columns.query.sql_with_params()
    written = (
        "INSERT INTO datasets_tagchange"  # noqa: S608
        " (action_id, image_id, before_id, skipped_before, trashed_before, previous_action_id, after_id)"
        f" SELECT %s, found.* FROM ({sql}) AS found"
    )
    return written, [action.pk, *params]


def change(mine: Statement, *, own_labels: bool, values: dict[str, Any]) -> Statement:
    """Give the pictures of these changes their new values."""
    sets, sent = ["last_action_id = c.action_id"], []
    sets += ["label_id = c.after_id"] if own_labels else []
    for name, value in values.items():
        field: Any = Image._meta.get_field(name)
        sets.append(f"{field.column} = %s")
        sent.append(field.get_db_prep_save(value.pk if isinstance(value, Label) else value, connection))
    changed = (
        f"UPDATE datasets_image SET {', '.join(sets)} FROM datasets_tagchange c"  # noqa: S608
        f" WHERE c.image_id = datasets_image.id AND {mine[0]}"
    )
    return changed, [*sent, *mine[1]]


def count(action: TagAction, mine: Statement, *, compare: bool) -> Statement:
    """Add to the act's numbers; `compare`: also how many that had no label had a suggestion, and a right one."""
    numbers, tables = (SUGGESTED, BESIDE) if compare else ("suggested, agreed", "datasets_tagchange c")
    counted = (
        "UPDATE datasets_tagaction SET (changed, suggested, agreed) ="  # noqa: S608
        f" (SELECT changed + count(*), {numbers} FROM {tables} WHERE {mine[0]})"
        " WHERE id = %s RETURNING changed, suggested, agreed"
    )
    return counted, [*mine[1], action.pk]


def bring_back_labels(action: TagAction, user: User, changes: "QuerySet[TagChange]") -> dict[str, int]:
    """Labels that went since and are needed again return; where the name was taken anew, that one serves.

    Those that were purged do not: how many pictures cannot have theirs again, by its name.
    """
    needed = changes.filter(image__last_action=action).values("before")
    returned = 0
    for gone in Label.every.filter(Q(pk__in=needed) | Q(removal=action)).exclude(removed_at=None):
        heir = action.dataset.labels.filter(name=gone.name).first()
        if heir:
            TagChange.objects.filter(action=action, before=gone).update(before=heir)
        elif not gone.purged_at:
            returned += Label.every.filter(pk=gone.pk).update(removed_at=None, removal=None)
    if returned:
        note_labels(action.dataset, user)
    if action.kind not in CHANGES_LABELS:
        return {}
    lost = with_purged_labels(changes).filter(image__last_action=action).order_by("before__name")
    return dict(lost.values_list("before__name").annotate(pictures=Count("pk")))


def with_purged_labels(changes: "QuerySet[TagChange]") -> "QuerySet[TagChange]":
    """Those on pictures whose label of before cannot come back."""
    return changes.exclude(before__purged_at=None)


def given_back(action: TagAction) -> "QuerySet[Image]":
    """The pictures that an undo gave back and nobody changed since: what doing it again means.

    Each is where it was before the act, so its last act is the one that came before.
    """
    before = TagChange.objects.filter(action=action, image=OuterRef("pk")).values("previous_action")[:1]
    mine = Image.objects.filter(dataset=action.dataset, changes__action=action).annotate(
        before=Subquery(before)
    )
    return mine.filter(Q(last_action=F("before")) | Q(last_action=None, before=None))
