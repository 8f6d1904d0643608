"""The doors to a service: for those who see it, and for those who only call it."""

from typing import NoReturn

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_noop

from projects.access import Caller, Forbidden, Who, allowed_projects, caller, check, listed_projects
from projects.models import Role
from serving.models import Service


def services_of(who: Who) -> QuerySet[Service]:
    """The services of the caller's projects that were not given up."""
    services = Service.objects.filter(project__in=allowed_projects(who), released_at=None)
    return services.select_related("project", "model", "revision")


def listed_services(who: Who) -> QuerySet[Service]:
    """`services_of`, for a list: Forbidden for a token that may not read."""
    listed_projects(who)
    return services_of(who)


def service_for(who: Who, slug: str, *, at_least: Role = Role.VIEWER, scope: str = "read") -> Service:
    """The door to a service, by its slug."""
    service = services_of(who).filter(slug=slug).first()
    if service is None:
        no_such_service(caller(who))
    check(who, service.project, at_least=at_least, scope=scope)
    return service


def service_to_call(who: Who, slug: str) -> Service:
    """The door for predicting: members from labeller up, tokens that may predict, a service's own token."""
    asking = caller(who)
    if asking.token is None or not asking.token.resource:
        return service_for(who, slug, at_least=Role.LABELLER, scope="predict")
    services = Service.objects.filter(
        project=asking.token.project_id, project__archived_at=None, released_at=None
    )
    service = services.select_related("project", "revision").filter(slug=slug).first()
    if service is None or service.resource != asking.token.resource:
        raise Forbidden(gettext_noop("This access token is not for this service."))
    check(who, service.project, at_least=Role.LABELLER, scope="predict")
    return service


def no_such_service(asking: Caller) -> NoReturn:
    """Who may not list services is not told either which there are: 403, and 404 to the others."""
    listed_projects(asking)
    raise Http404
