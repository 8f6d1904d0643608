"""Exports in the JSON API: ask for one, look how far it is, fetch the zip."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from datasets.access import dataset_for, export_for, snapshot_of
from datasets.downloading import answer_with
from datasets.exporting import begin_export, remove_export, role_for
from datasets.models import Dataset, Export
from projects.access import caller, check
from web.addresses import link_to
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router()


class ExportIn(Schema):
    """What is wanted; without `snapshot`: the data set as it is."""

    format: Annotated[
        str, Field(max_length=40, description="imagefolder, csv, huggingface, labelstudio, vertex")
    ]
    snapshot: int | None = None


class ExportOut(Schema):
    """An export. `url` answers 202 until the zip is ready, then the zip; parts of it (Range) too."""

    id: int
    state: str
    url: str
    format: str
    snapshot: int | None
    bytes: int
    images: int
    left_out: int
    progress: float
    message: str
    created_at: datetime
    expires_at: datetime | None


def shape(found: Export, request: HttpRequest) -> dict[str, Any]:
    """As clients see it."""
    return {
        "id": found.pk,
        "state": found.state,
        "url": link_to("api:export-file", found.dataset_id, found.pk, request=request),
        "format": found.format,
        "snapshot": found.snapshot_id,
        "bytes": found.bytes,
        "images": found.images,
        "left_out": found.left_out,
        "progress": found.fraction,
        "message": str(found.sentence),
        "created_at": found.created_at,
        "expires_at": found.expires_at,
    }


def exported(request: HttpRequest, pk: int) -> Dataset:
    """The door for what goes out: who may is a setting of the project."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, scope="export")
    check(who, dataset.project, at_least=role_for(dataset.project), scope="export")
    return dataset


@router.get("/datasets/{int:pk}/exports", response={200: Page[ExportOut], **PROBLEMS})
def list_exports(request: HttpRequest, pk: int, limit: Limit, cursor: Cursor) -> dict[str, Any]:
    """The exports of a data set, latest first."""
    found = exported(request, pk).exports.select_related("job")
    return page(found, lambda each: shape(each, request), limit=limit, cursor=cursor, order="-id")


@router.post("/datasets/{int:pk}/exports", response={202: ExportOut, **PROBLEMS})
def make_export(request: HttpRequest, pk: int, data: ExportIn) -> Status[dict[str, Any]]:
    """Pack the data set, or a snapshot of it. The same that is under way is not packed twice."""
    dataset = exported(request, pk)
    snapshot = snapshot_of(dataset, data.snapshot) if data.snapshot is not None else None
    user = caller(request.auth).user  # type: ignore[attr-defined]
    begun = begin_export(dataset=dataset, user=user, format=data.format, snapshot=snapshot)
    return Status(202, shape(begun, request))


@router.get("/datasets/{int:pk}/exports/{int:export_pk}", response={200: ExportOut, **PROBLEMS})
def show_export(request: HttpRequest, pk: int, export_pk: int) -> dict[str, Any]:
    """How far it is, and where to fetch it."""
    return shape(export_for(request.auth, pk, export_pk), request)  # type: ignore[attr-defined]


@router.delete("/datasets/{int:pk}/exports/{int:export_pk}", response={204: None, **PROBLEMS})
def delete_export(request: HttpRequest, pk: int, export_pk: int) -> Status[None]:
    """Cancel it where it is under way, and take the zip away."""
    remove_export(export_for(request.auth, pk, export_pk))  # type: ignore[attr-defined]
    return Status(204, None)


@router.api_operation(
    ["GET", "HEAD"],
    "/datasets/{int:pk}/exports/{int:export_pk}/file",
    response={202: ExportOut, **PROBLEMS},
    url_name="export-file",
)
def export_file(request: HttpRequest, pk: int, export_pk: int) -> Any:
    """The zip, or a part of it (Range, If-Range); 202 with Retry-After until it is packed."""
    found = export_for(request.auth, pk, export_pk)  # type: ignore[attr-defined]
    if found.unfinished:
        waiting = HttpResponse(
            ExportOut(**shape(found, request)).model_dump_json(), content_type="application/json", status=202
        )
        waiting["Retry-After"] = "2"
        return waiting
    return answer_with(request, found)
