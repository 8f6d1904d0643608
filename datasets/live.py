"""What just happened in a data set, for those who have it open: noted with each change, read by a number.

A note is written under the data set's lock, so that numbers grow in the order of the commits, and whoever asks for
what came after a number misses nothing. Notes of what changed stay true whenever they are read, because they name
pictures, and the reader is told how these are now.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from datasets.models import Dataset, Happening, HappeningKind, Image, Presence, TagAction, TagChange
from web.statements import Statement, in_one_trip

MOST_HAPPENINGS, MOST_IMAGES = 200, 500  # in one answer
KEPT_FOR = timedelta(days=1)
SWEEP_EVERY = 1000
HERE_FOR = timedelta(minutes=1)
SEEN_EVERY = timedelta(seconds=20)
# By hand, for each act pays for them.
NOTE = (
    "INSERT INTO datasets_happening (dataset_id, kind, action_id, user_id, images, at)"
    " VALUES (%s, %s, %s, %s, %s, %s) RETURNING id"
)
PRESENT = (
    "INSERT INTO datasets_presence (dataset_id, user_id, seen_at) VALUES (%s, %s, %s)"
    " ON CONFLICT (dataset_id, user_id) DO UPDATE SET seen_at = excluded.seen_at"
    " WHERE datasets_presence.seen_at <= %s"
)


def note_act(action: TagAction, images: int) -> None:
    """Said by tagging, in its transaction, which holds the data set's lock."""
    write(action.dataset, HappeningKind.ACT, action.created_by, action=action, images=images)


def note_undo(action: TagAction, user: User, images: int) -> None:
    """As `note_act`."""
    write(action.dataset, HappeningKind.UNDO, user, action=action, images=images)


def note_labels(dataset: Dataset, user: User | None) -> None:
    """A label came, went or changed. Written once that is committed."""
    transaction.on_commit(lambda: write_locked(dataset, HappeningKind.LABELS, user))


def note_pictures(dataset: Dataset, user: User | None, images: int) -> None:
    """An import brought pictures. Written once they are committed, so that an import waits for nobody's tags."""
    if images:
        transaction.on_commit(lambda: write_locked(dataset, HappeningKind.PICTURES, user, images=images))


def write_locked(dataset: Dataset, kind: HappeningKind, user: User | None, *, images: int = 0) -> None:
    """By who does not hold the lock yet. A data set that went meanwhile has nobody to tell."""
    with transaction.atomic():
        if Dataset.objects.select_for_update(no_key=True).filter(pk=dataset.pk).first():
            write(dataset, kind, user, images=images)


def write(
    dataset: Dataset,
    kind: HappeningKind,
    user: User | None,
    *,
    action: TagAction | None = None,
    images: int = 0,
) -> None:
    """The note, and that who did it is here. Old ones go now and then."""
    now = timezone.now()
    by, at = user.pk if user else None, connection.ops.adapt_datetimefield_value(now)
    note = NOTE, [dataset.pk, kind.value, action.pk if action else None, by, images, at]
    made, *_ = in_one_trip(note, *([presence(dataset, user)] if user else []))
    if made.row[0] % SWEEP_EVERY == 0:
        Happening.objects.filter(dataset=dataset, at__lt=now - KEPT_FOR).delete()


def latest(dataset: Dataset) -> int:
    """The number to ask from."""
    return Happening.objects.filter(dataset=dataset).aggregate(last=Max("pk"))["last"] or 0


def happened_since(dataset: Dataset, number: int) -> list[Happening]:
    """What came after a number, in its order; at most MOST_HAPPENINGS."""
    found = Happening.objects.filter(dataset=dataset, pk__gt=number).order_by("pk")
    return list(found.select_related("user", "action")[:MOST_HAPPENINGS])


@dataclass(frozen=True)
class Touched:
    """The pictures that happenings changed, each with who did so last. Those of `large` ones are not listed."""

    by: dict[int, Happening]
    large: list[Happening]


def touched_by(happened: Iterable[Happening]) -> Touched:
    """Few pictures one by one, many as a number: what a bench can show at once."""
    small: list[Happening] = []
    large: list[Happening] = []
    listed = 0
    for each in happened:
        if each.action_id is None:
            continue
        # An undo looks through all that its act had changed
        whole = each.action.changed if each.action else 0
        fits = listed + max(whole, each.images) <= MOST_IMAGES
        listed += max(whole, each.images) if fits else 0
        (small if fits else large).append(each)
    last = {each.action_id: each for each in small}
    rows = TagChange.objects.filter(action__in=last).values_list("action", "image").order_by("action")
    found = sorted(rows, key=lambda row: last[row[0]].pk) if last else []
    return Touched({image: last[action] for action, image in found}, large)


def as_they_are(dataset: Dataset, images: Iterable[int]) -> "QuerySet[Image]":
    """These pictures with their labels."""
    found = Image.objects.filter(dataset=dataset, pk__in=list(images)).select_related("label")
    return found.only("id", "trashed_at", "skipped_at", "label").order_by("pk")


def seen(dataset: Dataset, user: User) -> None:
    """Somebody is here. Writes only where that was not said in the last 20 s."""
    mine = Presence.objects.filter(dataset=dataset, user=user)
    if not mine.filter(seen_at__gt=timezone.now() - SEEN_EVERY).exists():
        in_one_trip(presence(dataset, user))


def presence(dataset: Dataset, user: User) -> Statement:
    """As `seen`, in one statement, for what writes anyway."""
    now = timezone.now()
    now_and_lately = map(connection.ops.adapt_datetimefield_value, (now, now - SEEN_EVERY))
    return PRESENT, [dataset.pk, user.pk, *now_and_lately]


def who_is_here(dataset: Dataset) -> list[User]:
    """The people who looked or acted in the last minute, by name."""
    recent = Presence.objects.filter(dataset=dataset, seen_at__gt=timezone.now() - HERE_FOR)
    return [each.user for each in recent.select_related("user").order_by("user__username")]
