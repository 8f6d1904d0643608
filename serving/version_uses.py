"""Which services serve a version, or can be rolled back to it, for the room that may put it away or delete it."""

from django.urls import reverse

from serving.models import Revision, Service
from training.models import ModelVersion
from training.removing import Use


def services_of(version: ModelVersion) -> list[Use]:
    """Each service once. One that was given up for good counts too: its records name the version."""
    services = Service.objects.filter(model=version.model_id).select_related("revision")
    revisions = Revision.objects.filter(service__in=services)
    ever = {each.service_id for each in revisions if names(each, version)}
    return [
        Use(
            service.slug,
            "" if service.released_at else reverse("serving:detail", args=[service.slug]),
            live=service.released_at is None
            and service.revision is not None
            and names(service.revision, version),
        )
        for service in services
        if service.pk in ever
    ]


def names(revision: Revision, version: ModelVersion) -> bool:
    """Whether a revision serves the version."""
    return any(entry["version"] == version.pk for entry in revision.versions)
