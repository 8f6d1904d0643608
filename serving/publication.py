"""Putting a version online as a service: request, decide, offline and online, give up the address."""

import re
from collections.abc import Iterable

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from projects import audit
from projects.access import Forbidden, Who, caller
from projects.models import AccessToken, Project
from serving import warming
from serving.models import Service, ServiceState
from serving.revisions import add_revision, held, whole
from training.models import ModelVersion
from web.sentences import Conflict, Refusal

SLUG = re.compile(r"[a-z0-9-]{3,63}")


class BadSlug(Refusal):
    """An address that breaks the rule."""

    code = "bad-slug"
    status = 422


class SlugTaken(Conflict):
    """Another service of the installation has this address."""

    code = "slug-taken"

    def __init__(self, slug: str) -> None:
        self.suggestion = free_slug(slug)
        super().__init__(
            gettext_noop("The address “%(slug)s” is taken; “%(suggestion)s” is free."),
            slug=slug,
            suggestion=self.suggestion,
        )


class WrongState(Conflict):
    """The service is not where this act starts from."""

    code = "wrong-state"


def request_service(
    *,
    project: Project,
    version: ModelVersion,
    name: str,
    slug: str,
    by: Who,
    description: str = "",
    threshold: float | None = None,
) -> Service:
    """A new service that waits for approval, or warms up where the project waives that."""
    if not SLUG.fullmatch(slug):
        raise BadSlug(gettext_noop("An address has 3 to 63 lower-case letters, digits and hyphens."))
    try:
        with transaction.atomic():
            (version,) = held(version.model_id, [version.pk])
            versions = [whole(version)]
            service = Service.objects.create(
                project=project,
                model=version.model,
                name=name,
                slug=slug,
                description=description,
                created_by=caller(by).user,
            )
            add_revision(service, versions, threshold=threshold, by=by)
            audit.note(by, "service.request", project=project, target=slug, version=version.number)
            if project.requests_approve_themselves and not project.four_eyes:
                move(service, of=[ServiceState.REQUESTED], to=ServiceState.WARMING)
                warming.start(service, by)
    except IntegrityError as error:
        raise SlugTaken(slug) from error
    return service


@transaction.atomic
def approve(*, service: Service, by: Who) -> Service:
    """Say yes to a request: it warms up and goes online. Saying it twice changes nothing."""
    if service.state in (ServiceState.WARMING, ServiceState.ONLINE):
        return service
    if service.project.four_eyes and service.created_by_id == caller(by).user.pk:
        raise Forbidden(gettext_noop("In this project somebody else than the requester approves a service."))
    move(service, of=[ServiceState.REQUESTED], to=ServiceState.WARMING, **decision(by))
    audit.note(by, "service.approve", project=service.project, target=service.slug)
    warming.start(service, by)
    return service


@transaction.atomic
def reject(*, service: Service, by: Who) -> Service:
    """Say no to a request. The address stays with it until it is given up."""
    if service.state != ServiceState.REJECTED:
        move(service, of=[ServiceState.REQUESTED], to=ServiceState.REJECTED, **decision(by))
        audit.note(by, "service.reject", project=service.project, target=service.slug)
    return service


@transaction.atomic
def take_offline(*, service: Service, by: Who) -> Service:
    """From this moment on the service answers nobody."""
    if service.state != ServiceState.OFFLINE:
        move(service, of=[ServiceState.ONLINE, ServiceState.WARMING], to=ServiceState.OFFLINE)
        audit.note(by, "service.offline", project=service.project, target=service.slug)
    return service


@transaction.atomic
def bring_online(*, service: Service, by: Who) -> Service:
    """Warm up again and answer."""
    if service.state not in (ServiceState.WARMING, ServiceState.ONLINE):
        move(service, of=[ServiceState.OFFLINE], to=ServiceState.WARMING)
        audit.note(by, "service.online", project=service.project, target=service.slug)
        warming.start(service, by)
    return service


@transaction.atomic
def release(*, service: Service, by: Who) -> Service:
    """Give the service up for good: its address is free, its tokens open nothing, its records stay."""
    now = timezone.now()
    anywhere = list(ServiceState)
    move(service, of=anywhere, to=ServiceState.OFFLINE, released_at=now)
    AccessToken.objects.live().filter(resource=service.resource).update(revoked_at=now)
    audit.note(by, "service.release", project=service.project, target=service.slug)
    return service


def move(service: Service, *, of: Iterable[str], to: ServiceState, **fields: object) -> None:
    """Change the state if it is still one of `of`; raises WrongState where somebody was quicker."""
    rows = Service.objects.filter(pk=service.pk, state__in=list(of), released_at=None)
    if not rows.update(state=to, message={}, **fields):
        service.refresh_from_db()
        raise WrongState(
            gettext_noop("The service is in the state “%(state)s”; this cannot be done from there."),
            state=str(service.get_state_display()),
        )
    service.refresh_from_db()


def decision(by: Who) -> dict[str, object]:
    """Who decided, and when."""
    return {"decided_by": caller(by).user, "decided_at": timezone.now()}


def free_slug(slug: str) -> str:
    """The same address with the smallest number that nobody has."""
    stem = re.sub(r"-\d{1,6}$", "", slug)[:56] or slug
    taken = set(
        Service.objects.filter(released_at=None, slug__startswith=stem).values_list("slug", flat=True)
    )
    return next(each for n in range(2, len(taken) + 3) if (each := f"{stem}-{n}") not in taken)
