"""The door to a job."""

from django.http import Http404

from jobs.models import Job
from projects.access import Who, allowed_projects, check
from projects.models import Role


def job_for(who: Who, pk: int, *, at_least: Role = Role.VIEWER, scope: str = "read") -> Job:
    """The door to a job of one of the caller's projects."""
    job = Job.objects.select_related("project").filter(pk=pk, project__in=allowed_projects(who)).first()
    if job is None or job.project is None:
        raise Http404
    check(who, job.project, at_least=at_least, scope=scope)
    return job
