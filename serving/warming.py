"""Bringing a service online in the background: its files are verified and tried before anybody calls."""

from django.db import models, transaction
from django.utils.translation import gettext_noop

from jobs.attempts import Attempt
from jobs.models import Job
from jobs.queue import enqueue
from projects import audit
from projects.access import Who, caller
from serving.models import Service, ServiceState
from serving.sessions import load
from web.sentences import Sentence

KIND = "serving.warm"


def start(service: Service, by: Who) -> Job:
    """Ask for it, inside the transaction that made the service warming."""
    return enqueue(KIND, {"service": service.pk}, project=service.project, user=caller(by).user)


def warm(attempt: Attempt) -> None:
    """The job: try each file of the live revision, then go online unless that was called off meanwhile."""
    service = Service.objects.select_related("revision", "project").get(pk=attempt.payload["service"])
    versions = service.revision.versions if service.revision else []
    for done, entry in enumerate(versions):
        attempt.progress(
            done, len(versions), Sentence(gettext_noop("Trying version %(n)s"), n=entry["number"])
        )
        load(entry["file_key"], entry["file_sha256"])
    with transaction.atomic():
        attempt.hold()
        online = warming_rows(service).update(state=ServiceState.ONLINE, message={})
        if online and attempt.job.created_by:
            audit.note(attempt.job.created_by, "service.warmed", project=service.project, target=service.slug)


def ended(job: Job) -> None:
    """It did not come online: the service says why and stays offline; the approval stands."""
    rows = Service.objects.filter(pk=job.payload["service"], state=ServiceState.WARMING)
    rows.update(state=ServiceState.OFFLINE, message=job.message)


def warming_rows(service: Service) -> models.QuerySet[Service]:
    """The service while it still warms what we tried; a switch in between warms its own files."""
    return Service.objects.filter(pk=service.pk, state=ServiceState.WARMING, released_at=None)
