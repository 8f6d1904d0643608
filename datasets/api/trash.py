"""The trash in the JSON API: what lies there, the way back, and the way out for good."""

from collections.abc import Collection
from datetime import datetime
from typing import Annotated, Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_noop
from ninja import Query, Router, Schema, Status
from pydantic import Field, model_validator

from datasets.models import Dataset, Image, Label
from datasets.releasing import NotInTrash, cost_of_all, release_chosen
from datasets.trash import Chosen, Place, chosen_in, days_left, everything_in, restore, with_who
from projects.access import Forbidden, caller, project_for
from projects.models import Project, Role
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router()
MAY_SEE, MAY_RESTORE, MAY_RELEASE = Role.LABELLER, Role.ENGINEER, Role.OWNER
MOST = 10_000
OfDataset = Annotated[int | None, Query(description="A data set's trash alone.")]
Numbers = Annotated[list[int], Field(max_length=MOST)]


class ChosenIn(Schema):
    """What of the trash: by numbers, or `all` of the project's, or of one data set's (`dataset`)."""

    images: Numbers = []
    labels: Numbers = []
    datasets: Numbers = []
    all: bool = False
    dataset: int | None = None

    @model_validator(mode="after")
    def one_of_two(self) -> "ChosenIn":
        """Neither would mean nothing, both would be unclear."""
        if self.all == bool(self.images or self.labels or self.datasets):
            raise ValueError("give either all, or some of images, labels and datasets")
        return self


class ReleaseIn(ChosenIn):
    """`confirm` does it; `name` is that of the data set, where one is released."""

    confirm: bool = False
    name: str = ""


class TrashedImage(Schema):
    """A picture in the trash; after `days_left` it is purged, unless a snapshot holds it."""

    id: int
    dataset: int
    file: str
    label: str | None
    bytes: int
    trashed_at: datetime
    trashed_by: str | None
    days_left: int


class TrashedLabel(Schema):
    """A deleted or merged label."""

    id: int
    dataset: int
    name: str
    merged_into: str | None
    trashed_at: datetime
    trashed_by: str | None
    days_left: int


class TrashedDataset(Schema):
    """A data set with all that it holds."""

    id: int
    name: str
    images: int
    trashed_at: datetime
    trashed_by: str | None
    days_left: int


class Restored(Schema):
    """How many things came back."""

    restored: int


class UseOut(Schema):
    """A version that learned from some of it."""

    name: str
    url: str


class CostOut(Schema):
    """What a release frees, and what was made with it; `job` does it, null: nothing was done yet."""

    images: int
    bytes: int
    labels: int
    datasets: list[str]
    used_by: list[UseOut]
    job: int | None = None


def place_in(request: HttpRequest, pk: int, dataset: int | None, at_least: Role, scope: str) -> Place:
    """The door to a project's trash, or to that of one of its data sets."""
    who = request.auth  # type: ignore[attr-defined]
    project = project_for(who, pk, at_least=at_least, scope=scope)
    return Place(project, set_in(project, dataset))


def set_in(project: Project, pk: int | None) -> Dataset | None:
    """A data set of this project; Http404."""
    if pk is None:
        return None
    return get_object_or_404(project.datasets, pk=pk, trashed_at=None)


def name_of(user: Any) -> str | None:
    """A person's."""
    return user.get_username() if user else None


@router.get("/projects/{int:pk}/trash/images", response={200: Page[TrashedImage], **PROBLEMS})
def trashed_images(
    request: HttpRequest, pk: int, limit: Limit, cursor: Cursor, dataset: OfDataset = None
) -> dict[str, Any]:
    """The pictures in the trash, but for those of data sets that lie there as a whole."""
    found = with_who(place_in(request, pk, dataset, MAY_SEE, "read").images())
    return page(found, image_out, limit=limit, cursor=cursor, order="-id")


def image_out(image: Image) -> dict[str, Any]:
    """As clients see it."""
    assert image.trashed_at
    return {
        "id": image.pk,
        "dataset": image.dataset_id,
        "file": image.name,
        "label": image.label.name if image.label else None,
        "bytes": image.bytes,
        "trashed_at": image.trashed_at,
        "trashed_by": image.trashed_by,  # type: ignore[attr-defined]
        "days_left": days_left(image.trashed_at),
    }


@router.get("/projects/{int:pk}/trash/labels", response={200: Page[TrashedLabel], **PROBLEMS})
def trashed_labels(
    request: HttpRequest, pk: int, limit: Limit, cursor: Cursor, dataset: OfDataset = None
) -> dict[str, Any]:
    """The deleted and merged labels."""
    found = place_in(request, pk, dataset, MAY_SEE, "read").labels()
    return page(found, label_out, limit=limit, cursor=cursor, order="-id")


def label_out(label: Label) -> dict[str, Any]:
    """As clients see it."""
    assert label.removed_at
    removal = label.removal
    return {
        "id": label.pk,
        "dataset": label.dataset_id,
        "name": label.name,
        "merged_into": (removal.label_name if removal else "") or None,
        "trashed_at": label.removed_at,
        "trashed_by": name_of(removal.created_by) if removal else None,
        "days_left": days_left(label.removed_at),
    }


@router.get("/projects/{int:pk}/trash/datasets", response={200: Page[TrashedDataset], **PROBLEMS})
def trashed_datasets(request: HttpRequest, pk: int, limit: Limit, cursor: Cursor) -> dict[str, Any]:
    """Whole data sets."""
    found = place_in(request, pk, None, MAY_SEE, "read").datasets()
    counted = found.annotate(images_count=Count("images", filter=Q(images__trashed_at=None)))
    return page(counted, dataset_out, limit=limit, cursor=cursor, order="-id")


def dataset_out(dataset: Dataset) -> dict[str, Any]:
    """As clients see it."""
    assert dataset.trashed_at
    return {
        "id": dataset.pk,
        "name": dataset.name,
        "images": dataset.images_count,  # type: ignore[attr-defined]
        "trashed_at": dataset.trashed_at,
        "trashed_by": name_of(dataset.trashed_by),
        "days_left": days_left(dataset.trashed_at),
    }


def chosen_by(data: ChosenIn, project: Project) -> tuple[Place, Chosen]:
    """What a request means. Raises NotInTrash where it names what does not lie there."""
    place = Place(project, set_in(project, data.dataset))
    if data.all:
        return place, everything_in(place)
    found = chosen_in(place, images=data.images, labels=data.labels, datasets=data.datasets)
    if not (
        same(found.images, data.images)
        and same(found.labels, data.labels)
        and same(found.datasets, data.datasets)
    ):
        raise NotInTrash(gettext_noop("Not all of this lies in the trash of the project."))
    return place, found


def same(found: "QuerySet[Any]", asked: Collection[int]) -> bool:
    """Whether all that was asked for was found."""
    return found.order_by().count() == len(set(asked))


@router.post("/projects/{int:pk}/trash/restore", response={200: Restored, **PROBLEMS})
def take_out(request: HttpRequest, pk: int, data: ChosenIn) -> dict[str, int]:
    """Take it out of the trash: pictures with their labels, labels with their pictures, whole data sets."""
    who = request.auth  # type: ignore[attr-defined]
    project = project_for(who, pk, at_least=MAY_RESTORE, scope="label")
    found = chosen_by(data, project)[1]
    return {"restored": restore(user=caller(who).user, chosen=found)}


@router.post("/projects/{int:pk}/trash/release", response={200: CostOut, 202: CostOut, **PROBLEMS})
def let_go(request: HttpRequest, pk: int, data: ReleaseIn) -> Status[dict[str, Any]]:
    """Without `confirm`: what it would free, and which versions learned from it (200). With it: for good (202).

    Only people may: no access token opens this. `all` leaves whole data sets; one of them at a time is released by
    its number and its `name`.
    """
    asking = caller(request.auth)  # type: ignore[attr-defined]
    project = project_for(asking, pk, at_least=MAY_RELEASE)
    if asking.token:
        raise Forbidden(gettext_noop("An access token cannot release what lies in the trash; people can."))
    place, found = chosen_by(data, project)
    if data.all:
        found = found.without_datasets()
    cost = cost_of_all(found)
    told = {
        "images": cost.images,
        "bytes": cost.bytes,
        "labels": found.labels.count(),
        "datasets": [each.name for each in found.datasets],
        "used_by": [{"name": use.name, "url": use.url} for use in cost.users],
    }
    if not data.confirm:
        return Status(200, told)
    job = release_chosen(place=place, user=asking.user, chosen=found, everything=data.all, typed=data.name)
    return Status(202, told | {"job": job.pk})
