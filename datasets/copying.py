"""Copying data sets, and copying or moving pictures between them: rows alone, for files lie under their content."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from datasets import chosen_files
from datasets.creation import create_dataset
from datasets.embeddings import embed_soon
from datasets.followers import changed as tell_followers
from datasets.labels import find_label, find_or_create
from datasets.models import Dataset, Image, Label, TagAction
from datasets.none_of_these import ROLE, take_role
from datasets.selection import images_with_ids
from datasets.tagging import trash_images
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import Job
from projects import audit
from projects.access import may
from projects.models import Project, Role
from web.sentences import Conflict, Refusal, Sentence

KIND = "datasets.copy"
BATCH, AT_ONCE = 2_000, 5_000  # pictures a transaction; more than so many go on in the background
TRIES = 5
COPYING = Sentence(gettext_noop("Copying the pictures"))
# What belongs to the place and not to the picture. Whatever else a picture has goes along.
OWN = {
    "id", "dataset", "source", "label", "last_action", "created_at", "trashed_at", "skipped_at", "cluster",
}  # fmt: skip
GOES_ALONG = [field.name for field in Image._meta.concrete_fields if field.name not in OWN]


class SamePlace(Conflict):
    """The pictures are there already."""

    code = "same-data-set"


class MayNotCopy(Refusal):
    """What was allowed when it was asked for is not any more."""

    code = "no-longer-allowed"


@dataclass(frozen=True)
class Copied:
    """What came of it: `there` were in the other data set already and stay as they are, here and there."""

    copied: int
    there: int
    action: TagAction | None = None  # of a move: what took them out of the first data set
    job: Job | None = None  # it goes on in the background


def copy_dataset(*, dataset: Dataset, name: str, project: Project, user: User) -> tuple[Dataset, Job | None]:
    """A new data set with the same labels and pictures, without the trash and the history. Raises NameTaken."""
    with transaction.atomic():
        made = create_dataset(project=project, user=user, name=name, description=dataset.description)
        for label in dataset.labels.all():
            copy_label(label, made)
        audit.note(user, "dataset.copy", project=dataset.project, target=dataset.name, to=name)
        done = send(chosen=dataset.images.live(), source=dataset, to=made, user=user)
    return made, done.job


def copy_label(label: Label, to: Dataset) -> Label:
    """The same name, place and looks."""
    own = {"id", "dataset", "removed_at", "removal", "created_at"}
    names = [field.name for field in Label._meta.concrete_fields if field.name not in own]
    return Label.objects.create(dataset=to, **{each: getattr(label, each) for each in names})


def send(
    *, chosen: "QuerySet[Image]", source: Dataset, to: Dataset, user: User, move: bool = False
) -> Copied:
    """Copy the chosen pictures with their labels, made by name where they are missing; or move them.

    A move puts what was copied into the trash of the first data set: one act, undone like any other. Raises
    SamePlace, TooManyLabels.
    """
    if source.pk == to.pk:
        raise SamePlace(gettext_noop("These pictures are in “%(name)s” already."), name=to.name)
    ids = list(chosen.filter(trashed_at=None).order_by("pk").values_list("pk", flat=True))
    if len(ids) > AT_ONCE:
        return Copied(0, 0, job=queued(ids, source, to, user, move))
    with transaction.atomic():
        copied = copy_all(ids, source, to, user)
        action = None
        if move:
            action = trash_images(dataset=source, user=user, chosen=images_with_ids(source, copied))
        note(source, to, user, move, len(copied))
        arrived(to, user, len(copied))
    return Copied(len(copied), len(ids) - len(copied), action)


def queued(ids: list[int], source: Dataset, to: Dataset, user: User, move: bool) -> Job:
    """The pictures that are chosen now, later."""
    payload = {"selection": chosen_files.keep(ids), "from": source.pk, "to": to.pk, "move": move}
    with transaction.atomic():
        return queue.enqueue(KIND, payload, project=source.project, user=user)


def run(attempt: Attempt) -> None:
    """Batch after batch. A second run finds what the first one copied and goes on behind it."""
    payload = attempt.payload
    source, to = (Dataset.objects.select_related("project").get(pk=payload[each]) for each in ("from", "to"))
    user = check_right(attempt.job.created_by, source, to)
    ids: list[int] = chosen_files.read(payload["selection"])
    for first in range(0, len(ids), BATCH):
        attempt.progress(first, len(ids), COPYING)
        with transaction.atomic():
            copy_batch(ids[first : first + BATCH], source, to, user, attempt.hold)
    hashes = to.images.live().filter(created_at__gte=attempt.job.created_at).values("sha256")
    mine = images_with_ids(source, ids).filter(sha256__in=hashes)
    copied = mine.count()
    with transaction.atomic():
        attempt.hold()
        if payload["move"]:
            trash_images(dataset=source, user=user, chosen=mine)
        note(source, to, user, payload["move"], copied)
        arrived(to, user, copied)
        said = Sentence(
            gettext_noop("%(copied)s pictures copied; %(there)s were there already."),
            copied=copied,
            there=len(ids) - copied,
        )
        attempt.write(done=len(ids), total=len(ids), message=said.to_json())


def check_right(user: object, source: Dataset, to: Dataset) -> User:
    """The world may have changed while the job waited. Raises MayNotCopy."""
    rights = isinstance(user, User) and all(
        may(user, each.project, at_least=Role.ENGINEER) for each in (source, to)
    )
    if not isinstance(user, User) or not rights or source.trashed_at or to.trashed_at:
        raise MayNotCopy(
            gettext_noop("Whoever asked may no longer copy here, or a data set is in the trash.")
        )
    return user


def copy_all(ids: Sequence[int], source: Dataset, to: Dataset, user: User) -> list[int]:
    """The numbers of those that were not there."""
    copied: list[int] = []
    for first in range(0, len(ids), BATCH):
        copied += copy_batch(ids[first : first + BATCH], source, to, user)
    return copied


def copy_batch(
    ids: Sequence[int], source: Dataset, to: Dataset, user: User, hold: Callable[[], None] = lambda: None
) -> list[int]:
    """One batch; once more where an import brings the same pictures in this very moment."""
    for left in reversed(range(TRIES)):
        try:
            with transaction.atomic():
                hold()
                return write(list(images_with_ids(source, ids).select_related("label")), to, user)
        except IntegrityError:
            if not left:
                raise
    return []


def write(pictures: Iterable[Image], to: Dataset, user: User) -> list[int]:
    """New rows; what lies in the trash there comes out of it, what is there already stays as it is."""
    pictures = [each for each in pictures if each.trashed_at is None]
    known = {each.sha256: each for each in to.images.filter(sha256__in=[each.sha256 for each in pictures])}
    labels: dict[str, Label] = {}
    new: list[Image] = []
    back: list[Image] = []
    copied = []
    for picture in pictures:
        there = known.get(picture.sha256)
        if there is not None and there.trashed_at is None:
            continue
        label = label_in(to, picture.label, labels, user)
        if there is None:
            values: dict[str, Any] = {name: getattr(picture, name) for name in GOES_ALONG}
            new.append(Image(dataset=to, label=label, **values))
        else:
            there.trashed_at, there.last_action, there.split = None, None, picture.split
            there.label, there.name = label or there.label, picture.name
            back.append(there)
        copied.append(picture.pk)
    Image.objects.bulk_create(new)
    Image.objects.bulk_update(back, ["trashed_at", "last_action", "split", "label", "name"])
    return copied


def label_in(to: Dataset, label: Label | None, known: dict[str, Label], user: User) -> Label | None:
    """The label of this name, made if need be: then it is for pictures that are none of these, too, if this one is."""
    if label is None:
        return None
    if label.name not in known:
        is_new = find_label(to, label.name) is None
        known[label.name] = find_or_create(dataset=to, name=label.name, user=user)
        if is_new and label.role == ROLE:
            take_role(known[label.name])
    return known[label.name]


def note(source: Dataset, to: Dataset, user: User, move: bool, count: int) -> None:
    """For the audit trail."""
    what = "images.move" if move else "images.copy"
    audit.note(user, what, project=source.project, target=source.name, to=to.name, changed=count)


def arrived(to: Dataset, user: User, count: int) -> None:
    """The new pictures' embeddings are there already in most cases; suggestions follow."""
    if count:
        embed_soon(to, user=user)
        tell_followers(to, user)
