"""Projects in the JSON API."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router, Schema, Status
from pydantic import Field

from projects.access import Forbidden, caller, listed_projects, project_for
from projects.creation import create_project
from projects.models import Project
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router(tags=["projects"])


class ProjectIn(Schema):
    """What a new project needs."""

    name: str = Field(min_length=1, max_length=80, pattern=r"\S")
    description: str = ""


class ProjectOut(Schema):
    """A project."""

    id: int
    name: str
    description: str
    created_at: datetime


@router.get("/projects", response={200: Page[ProjectOut], **PROBLEMS})
def list_projects(request: HttpRequest, limit: Limit, cursor: Cursor) -> dict[str, Any]:
    """The caller's projects."""
    return page(listed_projects(request.auth), lambda project: project, limit=limit, cursor=cursor)  # type: ignore[attr-defined]


@router.post("/projects", response={201: ProjectOut, **PROBLEMS})
def make_project(request: HttpRequest, data: ProjectIn) -> Status[Project]:
    """A new project, owned by the caller."""
    asking = caller(request.auth)  # type: ignore[attr-defined]
    if asking.token:
        raise Forbidden(gettext_noop("An access token belongs to one project and cannot make others."))
    return Status(201, create_project(user=asking.user, name=data.name.strip(), description=data.description))


@router.get("/projects/{int:pk}", response={200: ProjectOut, **PROBLEMS})
def show_project(request: HttpRequest, pk: int) -> Project:
    """One project."""
    return project_for(request.auth, pk)  # type: ignore[attr-defined]
