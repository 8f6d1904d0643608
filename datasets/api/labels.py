"""Labels in the JSON API."""

from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Query, Router, Schema, Status

from datasets.access import dataset_for
from datasets.api.tagging import Acted, acted
from datasets.labels import create_label, delete_label, labels_with_counts, merge_labels, rename_label
from datasets.models import Dataset, Label
from projects.access import caller
from projects.models import Role
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router()


class LabelIn(Schema):
    """A label's name."""

    name: str


class MergeIn(Schema):
    """The label that takes the pictures over."""

    into: int


class LabelOut(Schema):
    """A label with how many pictures outside the trash have it."""

    id: int
    name: str
    images: int
    colour: str


def shape(label: Label) -> dict[str, Any]:
    """As clients see it."""
    images = getattr(label, "images_count", 0)
    return {"id": label.pk, "name": label.name, "images": images, "colour": label.colour}


def label_of(dataset: Dataset, pk: int) -> Label:
    """A label of this data set, counted; Http404."""
    label = labels_with_counts(dataset).filter(pk=pk).select_related("dataset__project").first()
    if label is None:
        raise Http404
    return label


def to_change(request: HttpRequest, pk: int) -> Dataset:
    """The data set, for those who may change its labels."""
    return dataset_for(request.auth, pk, at_least=Role.ENGINEER, scope="label")  # type: ignore[attr-defined]


@router.get("/datasets/{int:pk}/labels", response={200: Page[LabelOut], **PROBLEMS})
def list_labels(request: HttpRequest, pk: int, limit: Limit, cursor: Cursor) -> dict[str, Any]:
    """The labels of a data set."""
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    return page(labels_with_counts(dataset), shape, limit=limit, cursor=cursor)


@router.post("/datasets/{int:pk}/labels", response={201: LabelOut, **PROBLEMS})
def make_label(request: HttpRequest, pk: int, data: LabelIn) -> Status[dict[str, Any]]:
    """A new label."""
    dataset = to_change(request, pk)
    user = caller(request.auth).user  # type: ignore[attr-defined]
    return Status(201, shape(create_label(dataset=dataset, name=data.name, user=user)))


@router.patch("/datasets/{int:pk}/labels/{int:label_pk}", response={200: LabelOut, **PROBLEMS})
def change_label(request: HttpRequest, pk: int, label_pk: int, data: LabelIn) -> dict[str, Any]:
    """Another name; the pictures stay with the label."""
    label = label_of(to_change(request, pk), label_pk)
    user = caller(request.auth).user  # type: ignore[attr-defined]
    return shape(rename_label(label=label, name=data.name, user=user))


@router.delete("/datasets/{int:pk}/labels/{int:label_pk}", response={200: Acted, **PROBLEMS})
def remove_label(
    request: HttpRequest, pk: int, label_pk: int, move_to: Annotated[int | None, Query()] = None
) -> dict[str, Any]:
    """Take a label away. Its pictures become untagged or get `move_to`; an undo brings it back."""
    dataset = to_change(request, pk)
    heir = label_of(dataset, move_to) if move_to is not None else None
    user = caller(request.auth).user  # type: ignore[attr-defined]
    label = label_of(dataset, label_pk)
    if heir:
        return acted(merge_labels(label=label, into=heir, user=user))
    return acted(delete_label(label=label, user=user))


@router.post("/datasets/{int:pk}/labels/{int:label_pk}/merge", response={200: Acted, **PROBLEMS})
def merge_label(request: HttpRequest, pk: int, label_pk: int, data: MergeIn) -> dict[str, Any]:
    """All pictures of this label become the other's, and this one goes."""
    dataset = to_change(request, pk)
    label, into = label_of(dataset, label_pk), label_of(dataset, data.into)
    user = caller(request.auth).user  # type: ignore[attr-defined]
    return acted(merge_labels(label=label, into=into, user=user))
