"""The door to a service."""

from django.db.models import QuerySet
from django.http import Http404

from projects.access import Role, Who, allowed_projects, check
from serving.models import Service


def services_of(who: Who) -> QuerySet[Service]:
    """The services of the caller's projects that were not given up."""
    return Service.objects.filter(project__in=allowed_projects(who), released_at=None)


def service_for(who: Who, slug: str, *, at_least: Role = Role.VIEWER, scope: str = "read") -> Service:
    """The door to a service, by its slug."""
    service = services_of(who).select_related("project", "model", "revision").filter(slug=slug).first()
    if service is None:
        raise Http404
    check(who, service.project, at_least=at_least, scope=scope)
    return service
