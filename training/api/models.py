"""Models in the JSON API."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from projects.access import caller, default_project, listed_projects
from projects.models import Role
from training.access import model_for, models_of
from training.models import RegisteredModel
from training.registry import create_model
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router(tags=["training"])


class ModelIn(Schema):
    """What a new model needs."""

    name: str = Field(min_length=1, max_length=80, pattern=r"\S")
    contact: str = Field("", max_length=200)
    description: str = ""
    project: int | None = None


class ModelOut(Schema):
    """A model. `latest_version` is the highest number so far, 0 for none."""

    id: int
    project: int
    name: str
    contact: str
    description: str
    versions: int
    latest_version: int
    created_at: datetime


def shape(model: RegisteredModel) -> dict[str, Any]:
    """A model as the API gives it."""
    return {
        "id": model.pk,
        "project": model.project_id,
        "name": model.name,
        "contact": model.contact,
        "description": model.description,
        "versions": model.versions.count(),
        "latest_version": model.last_number,
        "created_at": model.created_at,
    }


@router.get("/models", response={200: Page[ModelOut], **PROBLEMS})
def list_models(
    request: HttpRequest, limit: Limit, cursor: Cursor, project: Annotated[int | None, Query()] = None
) -> dict[str, Any]:
    """The models of the caller's projects, or of one."""
    found = models_of(request.auth).filter(project__in=listed_projects(request.auth))  # type: ignore[attr-defined]
    if project is not None:
        found = found.filter(project=project)
    return page(found, shape, limit=limit, cursor=cursor)


@router.post("/models", response={201: ModelOut, **PROBLEMS})
def make_model(request: HttpRequest, data: ModelIn) -> Status[dict[str, Any]]:
    """A new model, without versions yet."""
    asking = caller(request.auth)  # type: ignore[attr-defined]
    project = default_project(asking, data.project, at_least=Role.ENGINEER, scope="train")
    model = create_model(
        project=project, user=asking.user, name=data.name, contact=data.contact, description=data.description
    )
    return Status(201, shape(model))


@router.get("/models/{int:pk}", response={200: ModelOut, **PROBLEMS})
def show_model(request: HttpRequest, pk: int) -> dict[str, Any]:
    """One model."""
    return shape(model_for(request.auth, pk))  # type: ignore[attr-defined]
