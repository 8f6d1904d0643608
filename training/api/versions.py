"""Versions in the JSON API: asking for them, following them, stopping them, taking their files."""

from datetime import datetime
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import FileResponse, HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from pydantic import Field

from projects.access import caller
from projects.models import Role
from training import notes, removing, versions
from training.access import model_for, version_for
from training.files import open_export
from training.models import Application, Metric, ModelVersion, VersionState
from training.notes import LONGEST
from training.provenance import provenance_of
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router(tags=["training"])


class DataIn(Schema):
    """A data set and its labels that take part; labels of one name from several data sets are one class."""

    dataset: int
    labels: list[str] | Literal["all"] = "all"


class VersionsIn(Schema):
    """What to train: one version for each application."""

    applications: list[Application] = Field(min_length=1)
    optimise_for: Metric = Metric.TOP1
    data: list[DataIn] = Field(min_length=1)
    max_minutes: float = Field(12, ge=1, allow_inf_nan=False)
    options: dict[str, Any] = {}


class VersionOut(Schema):
    """A version. `metrics` is empty until it is evaluated; `usable`: it can validate and serve."""

    id: int
    model: int
    number: int
    application: Application
    optimise_for: Metric
    state: VersionState
    stage: str
    progress: float
    message: str
    ended_because: str | None
    usable: bool
    metrics: dict[str, Any]
    max_minutes: float
    data: list[dict[str, Any]]
    labels: list[str]
    split: dict[str, dict[str, int]]
    split_facts: dict[str, Any]
    backbone: str
    weights: str
    file_bytes: int
    file_sha256: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    notes: str
    archived: bool
    own_file: str | None


class VersionWhole(VersionOut):
    """A version with what produced it: settings, data, seed, libraries, code, machine.

    `trained_with`: the numbers of the versions that the same training makes.
    """

    trained_with: list[int]
    produced_by: dict[str, Any]


class VersionPatch(Schema):
    """What can be changed of a version: its notes, and whether it is put away."""

    notes: str | None = Field(None, max_length=LONGEST)
    archived: bool | None = None


def shape(version: ModelVersion) -> dict[str, Any]:
    """A version as the API gives it."""
    plain = (
        "number",
        "application",
        "optimise_for",
        "state",
        "stage",
        "progress",
        "usable",
        "metrics",
        "max_minutes",
    )
    made = ("data", "labels", "backbone", "weights", "file_bytes", "file_sha256")
    times = ("created_at", "started_at", "finished_at")
    return {name: getattr(version, name) for name in (*plain, *made, *times)} | {
        "id": version.pk,
        "model": version.model_id,
        "message": str(version.sentence),
        "ended_because": version.ended_because or None,
        "split": version.split_counts,
        "split_facts": version.split_facts,
        "notes": version.notes,
        "archived": version.archived_at is not None,
        "own_file": version.own_file or None,
    }


def whole(version: ModelVersion) -> dict[str, Any]:
    """With what produced it."""
    produced_by = provenance_of(version)
    return shape(version) | {"produced_by": produced_by, "trained_with": produced_by["trained_with"]}


@router.get("/models/{int:pk}/versions", response={200: Page[VersionOut], **PROBLEMS})
def list_versions(
    request: HttpRequest, pk: int, limit: Limit, cursor: Cursor, archived: Annotated[bool, Query()] = False
) -> dict[str, Any]:
    """The versions of a model, from the first; those that were put away only where they are asked for."""
    model = model_for(request.auth, pk)  # type: ignore[attr-defined]
    return page(model.versions.filter(archived_at__isnull=not archived), shape, limit=limit, cursor=cursor)


@router.post("/models/{int:pk}/versions", response={202: list[VersionOut], **PROBLEMS})
def train(request: HttpRequest, pk: int, data: VersionsIn) -> Status[list[dict[str, Any]]]:
    """Queue one version for each application, all on the data as they are now.

    `cloud-general` and `edge-general` are one training where they take the same network. `options`: `fine_tuning`
    (`auto`, `off`), `max_latency_ms` (networks that were measured slower are passed over), `warm_start` (the number of
    an earlier version of this model to go on from), `split`, `patience`, `max_epochs`, `class_weights` (labels of
    unequal size: `auto`, `weighted`, `balanced`, `off`).
    """
    asking = caller(request.auth)  # type: ignore[attr-defined]
    made = versions.request_versions(
        model=model_for(asking, pk, at_least=Role.ENGINEER, scope="train"),
        user=asking.user,
        applications=data.applications,
        optimise_for=data.optimise_for,
        data=[item.dict() for item in data.data],
        max_minutes=data.max_minutes,
        options=data.options,
    )
    return Status(202, [shape(version) for version in made])


@router.get("/models/{int:pk}/versions/{int:number}", response={200: VersionWhole, **PROBLEMS})
def show_version(request: HttpRequest, pk: int, number: int) -> dict[str, Any]:
    """One version: how far it is, what came of it, and what produced it."""
    return whole(version_for(request.auth, pk, number))  # type: ignore[attr-defined]


@router.patch("/models/{int:pk}/versions/{int:number}", response={200: VersionWhole, **PROBLEMS})
def change_version(request: HttpRequest, pk: int, number: int, data: VersionPatch) -> dict[str, Any]:
    """Write its notes; put it away or bring it back."""
    asking = caller(request.auth)  # type: ignore[attr-defined]
    version = version_for(asking, pk, number, at_least=Role.ENGINEER, scope="train")
    with transaction.atomic():
        if data.notes is not None:
            notes.write_notes(version=version, user=asking.user, text=data.notes)
        if data.archived is not None:
            act = notes.archive if data.archived else notes.bring_back
            act(version=version, user=asking.user)
    return whole(version)


@router.delete("/models/{int:pk}/versions/{int:number}", response={204: None, **PROBLEMS})
def delete_version(request: HttpRequest, pk: int, number: int) -> Status[None]:
    """Delete it for good and release its files; refused while a service serves it or can be rolled back to it."""
    asking = caller(request.auth)  # type: ignore[attr-defined]
    version = version_for(asking, pk, number, at_least=Role.ENGINEER, scope="train")
    removing.remove(version=version, user=asking.user)
    return Status(204, None)


@router.get(
    "/models/{int:pk}/versions/{int:number}/provenance.json",
    response={200: dict[str, Any], **PROBLEMS},
    url_name="version-provenance",
)
def show_provenance(request: HttpRequest, response: HttpResponse, pk: int, number: int) -> dict[str, Any]:
    """What produced it, as a file to keep."""
    version = version_for(request.auth, pk, number)  # type: ignore[attr-defined]
    response["Content-Disposition"] = f'attachment; filename="version-{pk}-{number}.json"'
    return provenance_of(version)


@router.post("/models/{int:pk}/versions/{int:number}/stop", response={202: VersionOut, **PROBLEMS})
def stop(request: HttpRequest, pk: int, number: int) -> Status[dict[str, Any]]:
    """End the training and keep the best so far, for all versions that it makes (`trained_with`)."""
    asking = caller(request.auth)  # type: ignore[attr-defined]
    version = version_for(asking, pk, number, at_least=Role.ENGINEER, scope="train")
    versions.stop(version, asking.user)
    return Status(202, shape(version))


@router.post("/models/{int:pk}/versions/{int:number}/cancel", response={202: VersionOut, **PROBLEMS})
def cancel(request: HttpRequest, pk: int, number: int) -> Status[dict[str, Any]]:
    """End the training and throw away what there is of this version; those in `trained_with` are made all the same."""
    asking = caller(request.auth)  # type: ignore[attr-defined]
    version = version_for(asking, pk, number, at_least=Role.ENGINEER, scope="train")
    versions.cancel(version, asking.user)
    return Status(202, shape(version))


@router.get(
    "/models/{int:pk}/versions/{int:number}/exports/{form}", response={**PROBLEMS}, url_name="version-export"
)
def export(request: HttpRequest, pk: int, number: int, form: str) -> FileResponse:
    """The model's file: `onnx`, with labels and pixel spec in its metadata, or `bundle`, to run anywhere."""
    version = version_for(request.auth, pk, number, at_least=Role.ENGINEER, scope="model-read")  # type: ignore[attr-defined]
    return open_export(version, form)
