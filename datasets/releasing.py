"""Releasing: pictures of the trash go at once and for good, those that snapshots hold too, to free their storage."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.models import Dataset, Image, Label, Snapshot
from datasets.purging import delete_dataset, delete_images, in_batches, members, purge_labels, sweep_freed
from datasets.snapshots import Use, uses_of
from datasets.trash import Chosen, Place
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import Job
from projects import audit
from projects.models import Project
from web.sentences import Conflict, Sentence

KIND = "datasets.release"
RELEASING = Sentence(gettext_noop("Freeing the storage"))


class NotInTrash(Conflict):
    """Only what lies in the trash is released."""

    code = "not-in-trash"


class WrongName(Conflict):
    """The name that was typed to confirm is another."""

    code = "wrong-name"


@dataclass(frozen=True)
class Cost:
    """What a release would free, and what was made with it."""

    images: int
    bytes: int
    users: Sequence[Use]


def cost_of(images: "QuerySet[Image]") -> Cost:
    """The size of the pictures, and the versions that learned from any of them."""
    size = images.order_by().aggregate(sum=Sum("bytes"))["sum"] or 0
    ids = np.fromiter(images.order_by().values_list("pk", flat=True), dtype=np.int64)
    snapshots = Snapshot.objects.filter(dataset__in=images.order_by().values("dataset").distinct())
    using = [snapshot for snapshot in snapshots if np.isin(members(snapshot.key), ids).any()]
    users = {use.name: use for uses in uses_of(using).values() for use in uses}
    return Cost(len(ids), size, list(users.values()))


def cost_of_all(chosen: Chosen) -> Cost:
    """Of the pictures, and of whole data sets with all that they hold."""
    cost = cost_of(chosen.images)
    for dataset in chosen.datasets:
        more = cost_of(Place(dataset.project, dataset).every_image())
        users = [*cost.users, *(use for use in more.users if use not in cost.users)]
        cost = Cost(cost.images + more.images, cost.bytes + more.bytes, users)
    return cost


def release_chosen(*, place: Place, user: User, chosen: Chosen, everything: bool, typed: str) -> Job:
    """Queue it: all that lies there but for data sets, or what was chosen; a data set with its name typed.

    Raises WrongName.
    """
    if everything:
        return empty(place=place, user=user)
    names = [dataset.name for dataset in chosen.datasets]
    if names and typed.strip() != names[0]:
        raise WrongName(
            gettext_noop("Type the name of the data set, %(name)s, to release it."), name=names[0]
        )
    if len(names) > 1:
        raise WrongName(gettext_noop("Release one data set at a time."))
    found = {"images": chosen.images, "labels": chosen.labels, "datasets": chosen.datasets}
    ids = {kind: list(rows.values_list("pk", flat=True)) for kind, rows in found.items()}
    return release(project=place.project, user=user, **ids)


@transaction.atomic
def release(
    *,
    project: Project,
    user: User,
    images: Collection[int] = (),
    labels: Collection[int] = (),
    datasets: Collection[int] = (),
) -> Job:
    """Queue it. All must lie in the trash of the project now; raises NotInTrash."""
    chosen = {
        "images": Image.objects.filter(pk__in=images, dataset__project=project).exclude(trashed_at=None),
        "labels": Label.every.filter(pk__in=labels, dataset__project=project, purged_at=None).exclude(
            removed_at=None
        ),
        "datasets": Dataset.objects.filter(pk__in=datasets, project=project).exclude(trashed_at=None),
    }
    asked = {"images": set(images), "labels": set(labels), "datasets": set(datasets)}
    payload: dict[str, list[int]] = {}
    for kind, found in chosen.items():
        payload[kind] = sorted(found.values_list("pk", flat=True))
        if len(payload[kind]) < len(asked[kind]):
            raise NotInTrash(gettext_noop("Only what lies in the trash can be released."))
    counts = {kind: len(ids) for kind, ids in payload.items()}
    audit.note(user, "trash.release", project=project, counts=counts)
    return queue.enqueue(KIND, payload, project=project, user=user)


@transaction.atomic
def empty(*, place: Place, user: User) -> Job:
    """Queue the release of all pictures and labels that lie there now; what is deleted later is not meant."""
    payload = {
        "project": place.project.pk,
        "dataset": place.number,
        "until": timezone.now().isoformat(),
        "labels": list(place.labels().values_list("pk", flat=True)),
        "datasets": [],
    }
    audit.note(user, "trash.empty", project=place.project, images=place.images().count())
    return queue.enqueue(KIND, payload, project=place.project, user=user)


def run(attempt: Attempt) -> None:
    """The job. What was restored meanwhile stays; what is gone already is no fault."""
    trashed = Dataset.objects.exclude(trashed_at=None).filter(pk__in=attempt.payload["datasets"])
    for dataset in trashed:
        release_images(attempt, dataset, Image.objects.filter(dataset=dataset))
        with transaction.atomic():
            attempt.hold()
            delete_dataset(dataset)
    images = chosen(attempt.payload)
    for dataset in Dataset.objects.filter(pk__in=images.values("dataset")):
        release_images(attempt, dataset, images.filter(dataset=dataset))
    with transaction.atomic():
        attempt.hold()
        labels = Label.every.exclude(removed_at=None).filter(pk__in=attempt.payload["labels"], images=None)
        purge_labels(labels)
    sweep_freed(attempt)


def chosen(payload: dict[str, Any]) -> "QuerySet[Image]":
    """The pictures that are still in the trash."""
    images = Image.objects.exclude(trashed_at=None)
    if "until" not in payload:
        return images.filter(pk__in=payload["images"])
    images = images.filter(dataset__project=payload["project"], trashed_at__lte=payload["until"])
    return images.filter(
        dataset__trashed_at=None, **({"dataset": payload["dataset"]} if payload["dataset"] else {})
    )


def release_images(attempt: Attempt, dataset: Dataset, images: "QuerySet[Image]") -> None:
    """Batch by batch; each snapshot of the data set counts how many of its pictures went."""
    done, total = 0, images.count()
    snapshots = list(dataset.snapshots.values_list("pk", "key"))
    for ids in in_batches(images):
        attempt.check()
        with transaction.atomic():
            attempt.hold()
            for pk, key in snapshots:
                lost = int(np.isin(members(key), ids).sum())
                if lost:
                    Snapshot.objects.filter(pk=pk).update(released=F("released") + lost)
            delete_images(Image.objects.filter(pk__in=ids.tolist()))
        done += len(ids)
        attempt.progress(done, total, RELEASING)
