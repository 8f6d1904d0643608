"""Copying data sets, and copying or moving pictures between them, in the JSON API."""

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from datasets.access import dataset_for
from datasets.api.sets import Name
from datasets.api.tagging import Chosen, chosen_by
from datasets.copying import copy_dataset, send
from projects.access import caller, project_for
from projects.models import Role
from web.api import PROBLEMS

router = Router()


class CopyIn(Schema):
    """The copy's name, and its project where it is another one."""

    name: Name
    project: int | None = None


class CopyOut(Schema):
    """The new data set; with `job`, its pictures still arrive."""

    id: int
    name: str
    project: int
    job: int | None


class MoveIn(Chosen):
    """Which pictures go to which data set; with `copy` they stay here too."""

    to: Annotated[int, Field(description="The other data set's number.")]
    copy_only: Annotated[bool, Field(alias="copy")] = False


class MoveOut(Schema):
    """`there`: pictures that the other data set has already; they stay where they are. `action`: undoes the leaving."""

    moved: int
    there: int
    action: int | None
    job: int | None


@router.post("/datasets/{int:pk}/copy", response={201: CopyOut, 202: CopyOut, **PROBLEMS})
def copy(request: HttpRequest, pk: int, data: CopyIn) -> Status[dict[str, Any]]:
    """A new data set with the same labels and pictures, here or in another project of the caller's."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.ENGINEER, scope="upload")
    project = dataset.project
    if data.project is not None:
        project = project_for(who, data.project, at_least=Role.ENGINEER, scope="upload")
    made, job = copy_dataset(dataset=dataset, name=data.name, project=project, user=caller(who).user)
    told = {"id": made.pk, "name": made.name, "project": made.project_id, "job": job.pk if job else None}
    return Status(202 if job else 201, told)


@router.post("/datasets/{int:pk}/move", response={200: MoveOut, 202: MoveOut, **PROBLEMS})
def move(request: HttpRequest, pk: int, data: MoveIn) -> Status[dict[str, Any]]:
    """Move pictures, or copy them, with their labels; what leaves lies in the trash and can be taken back."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.ENGINEER, scope="label")
    to = dataset_for(who, data.to, at_least=Role.ENGINEER, scope="label")
    chosen, user = chosen_by(dataset, data), caller(who).user
    done = send(chosen=chosen, source=dataset, to=to, user=user, move=not data.copy_only)
    told = {
        "moved": done.copied,
        "there": done.there,
        "action": done.action.pk if done.action else None,
        "job": done.job.pk if done.job else None,
    }
    return Status(202 if done.job else 200, told)
