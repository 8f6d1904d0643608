"""What lies in the trash of a project or a data set, since when, by whom, for how long yet; and the way back."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.creation import restore_dataset
from datasets.labels import LabelExists, find_label
from datasets.live import note_labels
from datasets.models import ActionKind, Dataset, Image, Label, TagAction
from datasets.tagging import restore_images, undo
from projects.models import Project


@dataclass(frozen=True)
class Place:
    """Whose trash: a project's, or one data set's of it."""

    project: Project
    dataset: Dataset | None = None

    @property
    def number(self) -> int | None:
        """The data set's."""
        return self.dataset.pk if self.dataset else None

    def images(self) -> "QuerySet[Image]":
        """Pictures in the trash of data sets that are not there themselves; last in, first shown."""
        found = Image.objects.filter(dataset__project=self.project, dataset__trashed_at=None)
        if self.dataset:
            found = Image.objects.filter(dataset=self.dataset)
        return found.exclude(trashed_at=None).order_by("-trashed_at", "-pk")

    def every_image(self) -> "QuerySet[Image]":
        """All pictures of the data set, for one that lies in the trash itself."""
        return Image.objects.filter(dataset=self.dataset)

    def labels(self) -> "QuerySet[Label]":
        """Deleted and merged labels."""
        found = Label.every.filter(dataset__project=self.project, dataset__trashed_at=None)
        if self.dataset:
            found = Label.every.filter(dataset=self.dataset)
        found = (
            found.filter(purged_at=None)
            .exclude(removed_at=None)
            .select_related("dataset", "removal__created_by", "removal__label")
        )
        return found.order_by("-removed_at", "-pk")

    def datasets(self) -> "QuerySet[Dataset]":
        """Whole data sets; a data set's own trash holds none."""
        found = Dataset.objects.filter(project=self.project).exclude(trashed_at=None)
        return found.none() if self.dataset else found.select_related("trashed_by").order_by("-trashed_at")


@dataclass(frozen=True)
class Chosen:
    """Some of what lies in a trash."""

    images: "QuerySet[Image]"
    labels: "QuerySet[Label]"
    datasets: "QuerySet[Dataset]"

    @property
    def nothing(self) -> bool:
        """Whether none of it is there."""
        return not (self.images.exists() or self.labels.exists() or self.datasets.exists())

    def without_datasets(self) -> "Chosen":
        """Pictures and labels alone."""
        return replace(self, datasets=self.datasets.none())


def everything_in(place: Place) -> Chosen:
    """All that lies there."""
    return Chosen(place.images(), place.labels(), place.datasets())


def chosen_in(
    place: Place, *, images: Collection[int], labels: Collection[int], datasets: Collection[int]
) -> Chosen:
    """Those of these numbers that lie there."""
    return Chosen(
        place.images().filter(pk__in=images),
        place.labels().filter(pk__in=labels),
        place.datasets().filter(pk__in=datasets),
    )


def with_who(images: "QuerySet[Image]") -> "QuerySet[Image]":
    """Each picture with the name of who moved it there (`trashed_by`)."""
    acts = TagAction.objects.filter(kind=ActionKind.TRASH, changes__image=OuterRef("pk")).order_by("-pk")
    who = acts.annotate(name=F("created_by__username")).values("name")[:1]
    return images.annotate(trashed_by=Subquery(who)).select_related("dataset", "label")


def days_left(since: datetime) -> int:
    """Whole days until it is purged, begun ones counted; 0: it is due, or a snapshot holds it."""
    end = since + timedelta(days=settings.TRASH_DAYS)
    return max(0, -((timezone.now() - end) // timedelta(days=1)))


@transaction.atomic
def restore(*, user: User, chosen: Chosen) -> int:
    """All of it, or nothing; how many things came back. Raises NameTaken, LabelExists."""
    count, images = 0, chosen.images
    for dataset in Dataset.objects.filter(pk__in=images.order_by().values("dataset")):
        count += restore_images(dataset=dataset, user=user, chosen=images.order_by()).changed
    for label in chosen.labels:
        restore_label(label=label, user=user)
        count += 1
    for trashed in chosen.datasets:
        restore_dataset(dataset=trashed, user=user)
        count += 1
    return count


@transaction.atomic
def restore_label(*, label: Label, user: User) -> None:
    """The label with the pictures that it had, but for those that somebody changed since. Raises LabelExists."""
    if find_label(label.dataset, label.name):
        raise LabelExists(gettext_noop("There is a label “%(name)s” already."), name=label.name)
    if label.removal and not label.removal.undone_at:
        undo(action=label.removal, user=user)
    Label.every.filter(pk=label.pk).update(removed_at=None, removal=None)
    note_labels(label.dataset, user)
