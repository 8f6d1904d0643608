"""Services: publishing a version, and everything that happens to it afterwards."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Router, Schema, Status
from pydantic import Field

from projects.access import project_for
from projects.models import AccessToken, Role
from serving import publication, revisions
from serving.access import listed_services, service_for
from serving.addresses import predict_url
from serving.api.callers import asking
from serving.models import Service
from serving.tokens import make_service_token, revoke_service_token
from training.access import version_for
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router()
Slug = Field(pattern=r"^[a-z0-9-]{3,63}$", description="Unique in the installation.")


class ServiceIn(Schema):
    """What a new service needs. `version` is the number within the model."""

    name: str = Field(min_length=1, max_length=80, pattern=r"\S")
    slug: str = Slug
    model: int
    version: int
    description: str = ""
    threshold: float | None = Field(None, ge=0, le=1, description="Below this score no label is predicted.")


class ShareOut(Schema):
    """A version and its part of the requests, in per cent."""

    version: int
    share: int


class ServiceOut(Schema):
    """A service. `model` is an id, `versions` are numbers of that model."""

    slug: str
    name: str
    description: str
    state: str
    message: str
    url: str
    model: int
    revision: int
    versions: list[ShareOut]
    threshold: float | None


class ShareIn(Schema):
    """A version's number and its part of the requests, in per cent."""

    version: int
    share: int = Field(100, ge=1, le=100)


class SwitchIn(Schema):
    """What to serve from now on."""

    versions: list[ShareIn] = Field(min_length=1)
    file: Literal["onnx", "onnx-int8"] = "onnx"
    threshold: float | None = Field(None, ge=0, le=1, description="As before where it is left out.")


class RollbackIn(Schema):
    """Which revision to bring back; the one before where it is left out."""

    revision: int | None = None


class TokenIn(Schema):
    """A new token of a service."""

    name: str = Field(min_length=1, max_length=80, pattern=r"\S")
    expires: datetime | None = None


class TokenOut(Schema):
    """A service's token, without the secret."""

    id: int
    name: str
    prefix: str
    expires: datetime | None = Field(None, validation_alias="expires_at")
    revoked: datetime | None = Field(None, validation_alias="revoked_at")
    last_used: datetime | None = Field(None, validation_alias="last_used_at")


class NewTokenOut(Schema):
    """A new token; the secret is shown this once."""

    token: str
    id: int
    name: str
    prefix: str
    expires: datetime | None


def shape(service: Service, request: HttpRequest) -> dict[str, Any]:
    """A service as the API shows it."""
    revision = service.revision
    versions = revision.versions if revision else []
    return {
        "slug": service.slug,
        "name": service.name,
        "description": service.description,
        "state": service.state,
        "message": str(service.sentence),
        "url": predict_url(service.slug, request),
        "model": service.model_id,
        "revision": revision.number if revision else 0,
        "versions": [{"version": entry["number"], "share": entry["share"]} for entry in versions],
        "threshold": revision.threshold if revision else None,
    }


@router.get("/services", response={200: Page[ServiceOut], **PROBLEMS})
def list_services(
    request: HttpRequest, limit: Limit, cursor: Cursor, project: int | None = None
) -> dict[str, Any]:
    """The services of the caller's projects."""
    services = listed_services(asking(request))
    if project is not None:
        services = services.filter(project=project_for(asking(request), project))
    return page(services, lambda service: shape(service, request), limit=limit, cursor=cursor)


@router.post("/services", response={201: ServiceOut, **PROBLEMS})
def make_service(request: HttpRequest, data: ServiceIn) -> Status[dict[str, Any]]:
    """Ask for a version to be published; an owner approves, unless the project waives that."""
    caller = asking(request)
    version = version_for(caller, data.model, data.version, at_least=Role.ENGINEER, scope="publish")
    service = publication.request_service(
        project=version.model.project,
        version=version,
        name=data.name.strip(),
        slug=data.slug,
        description=data.description,
        threshold=data.threshold,
        by=caller,
    )
    return Status(201, shape(service, request))


@router.get("/services/{slug}", response={200: ServiceOut, **PROBLEMS})
def show_service(request: HttpRequest, slug: str) -> dict[str, Any]:
    """One service."""
    return shape(service_for(asking(request), slug), request)


def owned(request: HttpRequest, slug: str) -> Service:
    """The service, for those who decide about it."""
    return service_for(asking(request), slug, at_least=Role.OWNER, scope="publish")


@router.post("/services/{slug}/approve", response={202: ServiceOut, **PROBLEMS})
def approve(request: HttpRequest, slug: str) -> Status[dict[str, Any]]:
    """Say yes to a request: it warms up and goes online by itself."""
    service = publication.approve(service=owned(request, slug), by=asking(request))
    return Status(202, shape(service, request))


@router.post("/services/{slug}/reject", response={200: ServiceOut, **PROBLEMS})
def reject(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Say no to a request."""
    return shape(publication.reject(service=owned(request, slug), by=asking(request)), request)


@router.post("/services/{slug}/offline", response={200: ServiceOut, **PROBLEMS})
def offline(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Answer nobody from this moment on."""
    return shape(publication.take_offline(service=owned(request, slug), by=asking(request)), request)


@router.post("/services/{slug}/online", response={202: ServiceOut, **PROBLEMS})
def online(request: HttpRequest, slug: str) -> Status[dict[str, Any]]:
    """Warm up again and answer."""
    service = publication.bring_online(service=owned(request, slug), by=asking(request))
    return Status(202, shape(service, request))


@router.post("/services/{slug}/release", response={200: ServiceOut, **PROBLEMS})
def release(request: HttpRequest, slug: str) -> dict[str, Any]:
    """Give the service up for good; its address is free again and its tokens open nothing."""
    return shape(publication.release(service=owned(request, slug), by=asking(request)), request)


@router.post("/services/{slug}/switch", response={200: ServiceOut, **PROBLEMS})
def switch(request: HttpRequest, slug: str, data: SwitchIn) -> dict[str, Any]:
    """Serve other versions; the old ones answer until the new ones are ready, and no request fails."""
    service = owned(request, slug)
    shares = [revisions.Share(each.version, each.share) for each in data.versions]
    chosen = {"threshold": data.threshold} if "threshold" in data.model_fields_set else {}
    revisions.switch(service=service, shares=shares, by=asking(request), file=data.file, **chosen)
    return shape(service, request)


@router.post("/services/{slug}/rollback", response={200: ServiceOut, **PROBLEMS})
def rollback(request: HttpRequest, slug: str, data: RollbackIn | None = None) -> dict[str, Any]:
    """Serve what was served before, as a new revision."""
    service = owned(request, slug)
    revisions.roll_back(service=service, by=asking(request), to=data.revision if data else None)
    return shape(service, request)


def tokened(request: HttpRequest, slug: str) -> Service:
    """The service, for those who may let programs in."""
    return service_for(asking(request), slug, at_least=Role.ENGINEER, scope="publish")


@router.get("/services/{slug}/tokens", response={200: Page[TokenOut], **PROBLEMS})
def list_tokens(request: HttpRequest, slug: str, limit: Limit, cursor: Cursor) -> dict[str, Any]:
    """The service's tokens, without their secrets."""
    service = tokened(request, slug)
    tokens = AccessToken.objects.filter(resource=service.resource)
    return page(tokens, lambda token: token, limit=limit, cursor=cursor)


@router.post("/services/{slug}/tokens", response={201: NewTokenOut, **PROBLEMS})
def make_token(
    request: HttpRequest, response: HttpResponse, slug: str, data: TokenIn
) -> Status[dict[str, Any]]:
    """A token that may predict on this service and nothing else."""
    token, secret = make_service_token(
        service=tokened(request, slug), name=data.name.strip(), by=asking(request), expires_at=data.expires
    )
    shown = {"id": token.pk, "name": token.name, "prefix": token.prefix, "expires": token.expires_at}
    response["Cache-Control"] = "no-store"
    return Status(201, {"token": secret, **shown})


@router.post("/services/{slug}/tokens/{int:pk}/revoke", response={200: TokenOut, **PROBLEMS})
def revoke_token(request: HttpRequest, slug: str, pk: int) -> AccessToken:
    """End a token at once."""
    service = tokened(request, slug)
    token = token_of(service, pk)
    revoke_service_token(token=token, service=service, by=asking(request))
    return token


def token_of(service: Service, pk: int) -> AccessToken:
    """A token of this very service."""
    from django.shortcuts import get_object_or_404

    return get_object_or_404(AccessToken, pk=pk, resource=service.resource)
