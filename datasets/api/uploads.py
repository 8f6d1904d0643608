"""tus 1.0: large files in pieces that go on where a line dropped. https://tus.io/protocols/resumable-upload

Core with the extensions creation, creation-with-upload, checksum, termination and expiration. The routes
speak in headers, so they stand outside of the OpenAPI document; refusals are problem documents all the same.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.urls import reverse
from django.utils.http import http_date
from django.utils.translation import gettext_noop
from ninja import Router

from datasets.imports import refuse_declared
from datasets.models import Upload
from datasets.uploads import (
    ALGORITHMS,
    ChecksumMismatch,
    checksum_of,
    create_upload,
    discard,
    metadata_of,
    offset_of,
    receive,
)  # fmt: skip
from projects.access import caller, default_project, project_for
from projects.models import Role
from web.problems import refusal
from web.sentences import Refusal

router = Router()
VERSION = "1.0.0"
PIECE = "application/offset+octet-stream"
EXTENSIONS = "creation,creation-with-upload,checksum,termination,expiration"
STALLED_SECONDS = (
    30.0  # a line that brings nothing for so long is given up, and the upload freed for the next
)
LONGEST_METADATA = 8192


class BadHeader(Refusal):
    """A tus header that is missing or makes no sense."""

    code = "bad-tus-header"


class WrongVersion(Refusal):
    """Another version of the protocol."""

    code = "tus-version"
    status = 412


class NotAPiece(Refusal):
    """A PATCH of another type."""

    code = "not-a-piece"
    status = 415


class LengthNeeded(Refusal):
    """A piece that does not say how long it is."""

    code = "length-needed"
    status = 411


def told(
    upload: Upload | None = None, status: int = 204, headers: Mapping[str, str] | None = None
) -> HttpResponse:
    """An answer without a body; for an upload, where it stands and until when it is kept."""
    answer = HttpResponse(status=status, headers={"Cache-Control": "no-store", **(headers or {})})
    del answer["Content-Type"]
    if upload is not None:
        answer["Upload-Offset"] = str(offset_of(upload))
        answer["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    return answer


def spoken(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Every answer of a view names the protocol's version, its refusals too."""

    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
        try:
            answer = view(request, *args, **named)
        except ChecksumMismatch as error:  # a status that tus alone knows
            answer = HttpResponse(str(error), "text/plain; charset=utf-8", error.status, "Checksum Mismatch")
        except Refusal as error:
            answer = refusal(error)
        answer["Tus-Resumable"] = answer["Tus-Version"] = VERSION
        return answer

    return answered


def require_version(request: HttpRequest) -> None:
    """Raises WrongVersion."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise WrongVersion(gettext_noop("Send the header Tus-Resumable: %(version)s."), version=VERSION)


def number(request: HttpRequest, header: str) -> int:
    """A header that is a whole number, not below 0."""
    text = request.headers.get(header, "")
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise BadHeader(gettext_noop("The header %(header)s must be a whole number."), header=header)
    return int(text)


def parsed(request: HttpRequest, header: str, parse: Callable[[str], Any]) -> Any:
    """A header by its own grammar."""
    try:
        return parse(request.headers.get(header, ""))
    except ValueError as error:
        raise BadHeader(gettext_noop("The header %(header)s cannot be read."), header=header) from error


def upload_for(request: HttpRequest, pk: UUID) -> Upload:
    """The door to an upload: whoever may upload to its project and knows its id."""
    upload = Upload.objects.filter(pk=pk).first()
    if upload is None:
        raise Http404
    project_for(request.auth, upload.project_id, at_least=Role.LABELLER, scope="upload")  # type: ignore[attr-defined]
    return upload


@contextmanager
def patient(request: HttpRequest) -> Iterator[None]:
    """While a piece arrives, a silent line counts as dropped (under gunicorn; others have limits of their own)."""
    line = request.META.get("gunicorn.socket")
    if line is None:
        yield
        return
    line.settimeout(STALLED_SECONDS)
    try:
        yield
    finally:
        line.settimeout(None)


def take_piece(request: HttpRequest, upload: Upload, offset: int) -> None:
    """Append a request's body."""
    if "Content-Length" not in request.headers:
        raise LengthNeeded(gettext_noop("Send the header Content-Length."))
    checksum = (
        parsed(request, "Upload-Checksum", checksum_of) if "Upload-Checksum" in request.headers else None
    )
    count = number(request, "Content-Length")
    with patient(request):
        receive(upload, request, offset=offset, count=count, checksum=checksum)


@router.api_operation(["OPTIONS"], "/uploads", auth=None, include_in_schema=False)
@spoken
def abilities(request: HttpRequest) -> HttpResponse:
    """What this server can do."""
    headers = {"Tus-Extension": EXTENSIONS, "Tus-Checksum-Algorithm": ",".join(ALGORITHMS)}
    return told(headers=headers | {"Tus-Max-Size": str(settings.MAX_ARCHIVE_BYTES)})


@router.post("/uploads", include_in_schema=False, url_name="uploads")
@spoken
def create(request: HttpRequest) -> HttpResponse:
    """Announce a file. The metadata may give its `filename` and its `project` (a token's goes without saying)."""
    who = request.auth  # type: ignore[attr-defined]
    metadata = parsed(request, "Upload-Metadata", metadata_of)
    named = metadata.get("project", "")
    if named and not (named.isascii() and named.isdigit()):
        raise Http404
    project = default_project(who, int(named) if named else None, at_least=Role.LABELLER, scope="upload")
    require_version(request)
    header = request.headers.get("Upload-Metadata", "")
    if len(header) > LONGEST_METADATA:
        raise BadHeader(gettext_noop("The header %(header)s is too long."), header="Upload-Metadata")
    length = number(request, "Upload-Length")
    refuse_declared(length, slack=0)
    upload = create_upload(
        project=project,
        user=caller(who).user,
        length=length,
        metadata=header,
        name=metadata.get("filename", ""),
    )
    if request.content_type == PIECE and number(request, "Content-Length"):
        take_piece(request, upload, 0)
    return told(upload, 201, {"Location": reverse("api:upload", args=[upload.pk])})


@router.api_operation(["HEAD"], "/uploads/{uuid:upload_id}", include_in_schema=False, url_name="upload")
@spoken
def stands(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """How much has arrived."""
    upload = upload_for(request, upload_id)
    require_version(request)
    answer = told(upload, 200, {"Upload-Length": str(upload.length)})
    if upload.metadata:
        answer["Upload-Metadata"] = upload.metadata
    return answer


@router.patch("/uploads/{uuid:upload_id}", include_in_schema=False)
@spoken
def piece(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """The next piece."""
    upload = upload_for(request, upload_id)
    require_version(request)
    if request.content_type != PIECE:
        raise NotAPiece(gettext_noop("Send the piece as %(type)s."), type=PIECE)
    take_piece(request, upload, number(request, "Upload-Offset"))
    return told(upload)


@router.delete("/uploads/{uuid:upload_id}", include_in_schema=False)
@spoken
def terminate(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """Forget an upload."""
    upload = upload_for(request, upload_id)
    require_version(request)
    discard(upload)
    return told()


@router.post("/uploads/{uuid:upload_id}", include_in_schema=False)
@spoken
def overridden(request: HttpRequest, upload_id: UUID) -> HttpResponse:
    """For lines that let no PATCH or DELETE through: X-HTTP-Method-Override."""
    verbs = {"PATCH": piece, "DELETE": terminate, "HEAD": stands}
    verb = verbs.get(request.headers.get("X-HTTP-Method-Override", ""))
    return verb(request, upload_id) if verb else HttpResponseNotAllowed(["HEAD", "PATCH", "DELETE"])
