"""Labels in the JSON API."""

from typing import Annotated, Any, Literal

from django.http import Http404, HttpRequest
from ninja import Field, Query, Router, Schema, Status

from datasets.access import dataset_for
from datasets.api.tagging import Acted, acted
from datasets.label_changes import LONGEST_DESCRIPTION, Wish, change_label
from datasets.label_looks import colour_of, keys_of
from datasets.labels import create_label, delete_label, labels_with_counts, merge_labels
from datasets.models import Dataset, Label
from datasets.none_of_these import add_none_of_these
from projects.access import caller
from projects.models import Role
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router()


class LabelIn(Schema):
    """A label's name. With the role `none_of_these` it may be left out, and a label of that name gets the role."""

    name: str = ""
    role: Literal["", "none_of_these"] = ""


class LabelChange(Schema):
    """What is to change; what is not named stays.

    `colour` is one of the palette's; `key` a digit or letter, or "" for one by the label's place; whoever had
    the key gets this label's. `position` counts from 0. An archived label keeps its pictures, but is neither
    offered for tagging nor trained by default.
    """

    name: str | None = None
    colour: str | None = None
    key: str | None = None
    description: str | None = Field(None, max_length=LONGEST_DESCRIPTION)
    position: int | None = Field(None, ge=0, le=2**31)
    archived: bool | None = None


class MergeIn(Schema):
    """The label that takes the pictures over."""

    into: int


class LabelOut(Schema):
    """A label with how many pictures outside the trash have it; `key` is null where none is left for it."""

    id: int
    name: str
    images: int
    colour: str
    key: str | None
    description: str
    position: int
    archived: bool
    role: str | None
    examples: list[int]


def shape(label: Label, keys: dict[int, str]) -> dict[str, Any]:
    """As clients see it."""
    return {
        "id": label.pk,
        "name": label.name,
        "images": getattr(label, "images_count", 0),
        "colour": colour_of(label),
        "key": keys.get(label.pk),
        "description": label.description,
        "position": label.position,
        "archived": label.archived_at is not None,
        "role": label.role or None,
        "examples": sorted(image.pk for image in label.examples.all() if not image.trashed_at),
    }


def shape_of(label: Label) -> dict[str, Any]:
    """One label, whose key depends on the others'."""
    return shape(label, keys_of(Label.objects.filter(dataset=label.dataset_id)))


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
    """The data set's labels, the archived ones too, in the order they were made."""
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    keys = keys_of(dataset.labels.all())
    counted = labels_with_counts(dataset).prefetch_related("examples").order_by("pk")
    return page(counted, lambda label: shape(label, keys), limit=limit, cursor=cursor)


@router.post("/datasets/{int:pk}/labels", response={201: LabelOut, **PROBLEMS})
def make_label(request: HttpRequest, pk: int, data: LabelIn) -> Status[dict[str, Any]]:
    """A new label."""
    dataset = to_change(request, pk)
    user = caller(request.auth).user  # type: ignore[attr-defined]
    if data.role:
        return Status(201, shape_of(add_none_of_these(dataset=dataset, user=user, name=data.name)))
    return Status(201, shape_of(create_label(dataset=dataset, name=data.name, user=user)))


@router.patch("/datasets/{int:pk}/labels/{int:label_pk}", response={200: LabelOut, **PROBLEMS})
def edit_label(request: HttpRequest, pk: int, label_pk: int, data: LabelChange) -> dict[str, Any]:
    """Another name, colour, key, description or place, or into and out of the archive; the pictures stay."""
    dataset = to_change(request, pk)
    user = caller(request.auth).user  # type: ignore[attr-defined]
    change_label(label=label_of(dataset, label_pk), user=user, wish=Wish(**data.dict()))
    return shape_of(label_of(dataset, label_pk))


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
