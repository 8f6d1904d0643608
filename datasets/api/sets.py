"""Data sets in the JSON API."""

from datetime import datetime
from typing import Annotated, Any

from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from datasets.access import dataset_for, datasets_of
from datasets.creation import create_dataset, describe, trash_dataset
from datasets.models import Dataset
from projects.access import caller, default_project
from projects.models import Role
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router()
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]


class DatasetIn(Schema):
    """What a new data set needs; `project` only of callers with several."""

    name: Name
    description: str = ""
    project: int | None = None


class DatasetPatch(Schema):
    """What can be changed."""

    name: Name | None = None
    description: str | None = None


class DatasetOut(Schema):
    """A data set with how many pictures it holds outside the trash, and how many of them have no label."""

    id: int
    name: str
    description: str
    project: int = Field(alias="project_id")
    images: int = 0
    unlabelled: int = 0
    created_at: datetime


def counted(rows: QuerySet[Dataset]) -> QuerySet[Dataset]:
    """With the two counts."""
    live = Q(images__trashed_at=None)
    return rows.annotate(
        images_count=Count("images", filter=live),
        unlabelled_count=Count("images", filter=live & Q(images__label=None)),
    )


def shape(dataset: Dataset) -> dict[str, Any]:
    """As clients see it."""
    return {
        "id": dataset.pk,
        "name": dataset.name,
        "description": dataset.description,
        "project_id": dataset.project_id,
        "images": getattr(dataset, "images_count", 0),
        "unlabelled": getattr(dataset, "unlabelled_count", 0),
        "created_at": dataset.created_at,
    }


@router.get("/datasets", response={200: Page[DatasetOut], **PROBLEMS})
def list_datasets(
    request: HttpRequest, limit: Limit, cursor: Cursor, project: Annotated[int | None, Query()] = None
) -> dict[str, Any]:
    """The data sets of the caller's projects, or of one of them."""
    found = counted(datasets_of(request.auth, scope="read"))  # type: ignore[attr-defined]
    if project is not None:
        found = found.filter(project=project)
    return page(found, shape, limit=limit, cursor=cursor)


@router.post("/datasets", response={201: DatasetOut, **PROBLEMS})
def make_dataset(request: HttpRequest, data: DatasetIn) -> Status[dict[str, Any]]:
    """A new, empty data set."""
    who = request.auth  # type: ignore[attr-defined]
    project = default_project(who, data.project, at_least=Role.ENGINEER, scope="upload")
    made = create_dataset(
        project=project, user=caller(who).user, name=data.name, description=data.description
    )
    return Status(201, shape(made))


@router.get("/datasets/{int:pk}", response={200: DatasetOut, **PROBLEMS})
def show_dataset(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One data set."""
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    return shape(counted(Dataset.objects.filter(pk=dataset.pk)).get())


@router.patch("/datasets/{int:pk}", response={200: DatasetOut, **PROBLEMS})
def change_dataset(request: HttpRequest, pk: int, data: DatasetPatch) -> dict[str, Any]:
    """Another name or description."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.ENGINEER, scope="upload")
    describe(dataset=dataset, user=caller(who).user, name=data.name, description=data.description)
    return shape(counted(Dataset.objects.filter(pk=pk)).get())


@router.delete("/datasets/{int:pk}", response={204: None, **PROBLEMS})
def remove_dataset(request: HttpRequest, pk: int) -> Status[None]:
    """To the trash, with all its pictures; running imports into it are cancelled."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.ENGINEER, scope="upload")
    trash_dataset(dataset=dataset, user=caller(who).user)
    return Status(204, None)
