"""Imports in the JSON API."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

import pydantic
from django.http import Http404, HttpRequest
from django.utils.translation import gettext_noop
from ninja import Query, Router, Schema, Status
from ninja.errors import HttpError, ValidationError

from datasets.access import dataset_for
from datasets.api.links import LINKS, import_of_links, import_of_list
from datasets.api.tagging import Acted, acted
from datasets.imports import (
    NothingOffered,
    Said,
    begin_import,
    begin_import_of_upload,
    cancel_import,
    refuse_declared,
    said_in,
    undo_import,
)  # fmt: skip
from datasets.models import Dataset, Import, NotTaken, Outcome, Upload
from projects.access import caller
from projects.models import Role
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page
from web.sentences import Refusal

router = Router()
FILE = {"type": "string", "format": "binary"}
ABOUT = {
    "review": {
        "type": "string",
        "enum": ["false", "auto", "true"],
        "default": "false",
        "description": "Whether the import waits in the state `choosing` for a choice of labels; `auto`: only where"
        " something is unclear.",
    },
    "source_note": {"type": "string", "maxLength": 300, "description": "Where the pictures come from."},
    "licence": {"type": "string", "maxLength": 120},
}
# Read by hand, so that a body that declares too many bytes is refused before it is received.
BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "archive": FILE | {"description": "A zip with a folder a label."},
                        "images": {"type": "array", "items": FILE, "description": "Pictures by themselves."},
                        "manifest": FILE
                        | {
                            "description": "Rows of path,label[,split] for those files; alone: of url[,label]."
                        },
                        "label": {"type": "string", "description": "For pictures without a folder."},
                        "encoding": {
                            "type": "string",
                            "description": "Of unmarked names in the zip, such as gbk.",
                        },
                        "group": {"type": "string", "description": "Pictures of one group, such as a burst."},
                        **ABOUT,
                    },
                }
            },
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "upload": {
                            "type": "string",
                            "format": "uuid",
                            "description": "A file sent to /api/v1/uploads (tus 1.0): its address's last part.",
                        },
                        "links": LINKS,
                        "label": {"type": "string"},
                        "encoding": {"type": "string"},
                        **ABOUT,
                    },
                }
            },
        },
    }
}


class UnknownUpload(Refusal):
    """No finished upload has this id."""

    code = "unknown-upload"
    status = 404


class UploadIn(Schema):
    """A file that came in pieces through /uploads."""

    upload: UUID
    label: str = ""
    encoding: str = ""
    review: bool | str = False
    source_note: str = ""
    licence: str = ""

    def said(self) -> Said:
        """About the file."""
        review = str(self.review)
        return Said(self.label, self.encoding, review, self.source_note, self.licence)


class ImportOut(Schema):
    """An import; once it is ready, total = imported + duplicates + rejected."""

    id: int
    dataset: int
    state: str
    total: int
    imported: int
    duplicates: int
    rejected: int
    progress: float
    message: str
    choose_until: datetime | None
    source_note: str
    licence: str


class RejectionOut(Schema):
    """A file that was not taken, and why."""

    name: str
    code: str
    reason: str


def shape(found: Import) -> dict[str, Any]:
    """As clients see it."""
    return {
        "id": found.pk,
        "dataset": found.dataset_id,
        "state": found.state,
        "total": found.total,
        "imported": found.imported,
        "duplicates": found.duplicates,
        "rejected": found.rejected,
        "progress": round(found.fraction, 4),
        "message": str(found.sentence),
        "choose_until": found.choose_until,
        "source_note": found.source_note,
        "licence": found.licence,
    }


def import_in(request: HttpRequest, pk: int, import_pk: int, **door: Any) -> Import:
    """An import of this data set; Http404."""
    dataset = dataset_for(request.auth, pk, **door)  # type: ignore[attr-defined]
    found = dataset.imports.select_related("job", "dataset__project").filter(pk=import_pk).first()
    if found is None:
        raise Http404
    return found


@router.get("/datasets/{int:pk}/imports", response={200: Page[ImportOut], **PROBLEMS})
def list_imports(request: HttpRequest, pk: int, limit: Limit, cursor: Cursor) -> dict[str, Any]:
    """What was uploaded to a data set, latest first."""
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    return page(dataset.imports.defer("plan"), shape, limit=limit, cursor=cursor, order="-id")


@router.post(
    "/datasets/{int:pk}/imports",
    response={202: ImportOut, **PROBLEMS},
    openapi_extra=BODY,
    url_name="imports",
)
def make_import(request: HttpRequest, pk: int) -> Status[dict[str, Any]]:
    """Begin an import. The folder that directly holds a file is its label; others come untagged."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.LABELLER, scope="upload")
    if request.content_type == "application/json":
        return Status(202, shape(import_of_links(request, dataset) or import_of_upload(request, dataset)))
    if request.content_type != "multipart/form-data":
        raise HttpError(415, "Send multipart/form-data, or JSON that names an upload.")
    refuse_declared(int(request.headers.get("Content-Length") or 0))
    archives, images = request.FILES.getlist("archive"), request.FILES.getlist("images")
    if not archives and not images and "manifest" in request.FILES:
        return Status(202, shape(import_of_list(request, dataset)))
    if bool(archives) == bool(images) or len(archives) > 1:
        raise NothingOffered(gettext_noop("Send either one zip as `archive`, or pictures as `images`."))
    begun = begin_import(
        dataset=dataset,
        user=caller(who).user,
        files=archives or images,
        archive=bool(archives),
        manifest=request.FILES.get("manifest"),
        said=Said(**said_in(request.POST)),
    )
    return Status(202, shape(begun))


def import_of_upload(request: HttpRequest, dataset: Dataset) -> Import:
    """The JSON form: what came through /uploads."""
    try:
        asked = UploadIn.model_validate_json(request.body)
    except pydantic.ValidationError as error:
        raise ValidationError(
            [{**each, "loc": ("body", "body", *each["loc"])} for each in error.errors()]
        ) from error
    upload = Upload.objects.filter(pk=asked.upload, project=dataset.project_id).first()
    if upload is None:
        raise UnknownUpload(gettext_noop("There is no upload of this id in the project."))
    return begin_import_of_upload(
        dataset=dataset,
        user=caller(request.auth).user,  # type: ignore[attr-defined]
        upload=upload,
        said=asked.said(),
    )


@router.get("/datasets/{int:pk}/imports/{int:import_pk}", response={200: ImportOut, **PROBLEMS})
def show_import(request: HttpRequest, pk: int, import_pk: int) -> dict[str, Any]:
    """How far an import is."""
    return shape(import_in(request, pk, import_pk))


@router.get(
    "/datasets/{int:pk}/imports/{int:import_pk}/rejections", response={200: Page[RejectionOut], **PROBLEMS}
)
def list_rejections(  # noqa: PLR0917  each is a parameter of the route
    request: HttpRequest,
    pk: int,
    import_pk: int,
    limit: Limit,
    cursor: Cursor,
    outcome: Annotated[Literal["rejected", "duplicate"], Query()] = "rejected",
) -> dict[str, Any]:
    """The files that were not taken, each with its reason; `outcome=duplicate` lists the duplicates."""
    rows = NotTaken.objects.filter(source=import_in(request, pk, import_pk), outcome=Outcome(outcome))
    return page(rows, refused, limit=limit, cursor=cursor)


def refused(row: NotTaken) -> dict[str, str]:
    """One of them."""
    return {"name": row.name, "code": row.code, "reason": str(row.sentence)}


@router.post("/datasets/{int:pk}/imports/{int:import_pk}/cancel", response={202: ImportOut, **PROBLEMS})
def stop_import(request: HttpRequest, pk: int, import_pk: int) -> Status[dict[str, Any]]:
    """Ask an import to end; the pictures it took so far stay."""
    found = import_in(request, pk, import_pk, at_least=Role.LABELLER, scope="upload")
    cancel_import(found)
    found.refresh_from_db()
    return Status(202, shape(found))


@router.post("/datasets/{int:pk}/imports/{int:import_pk}/undo", response={200: Acted, **PROBLEMS})
def take_back_import(request: HttpRequest, pk: int, import_pk: int) -> dict[str, Any]:
    """Move all that an import brought to the trash."""
    found = import_in(request, pk, import_pk, at_least=Role.ENGINEER, scope="label")
    return acted(undo_import(found=found, user=caller(request.auth).user))  # type: ignore[attr-defined]
