"""Pages about background work: the list of a project, the progress of one, its cancel, another try."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from jobs.access import job_for
from jobs.ends import try_again
from jobs.models import Job
from jobs.queue import cancel
from projects.access import may, project_for
from projects.models import Role
from web.sentences import Refusal

SHOWN = 100


@login_required
@require_safe
def project_jobs(request: HttpRequest, project_pk: int) -> HttpResponse:
    """What runs, waits and ended lately."""
    project = project_for(request.user, project_pk)
    jobs = project.jobs.told().select_related("created_by").order_by("-id")[:SHOWN]
    is_engineer = may(request.user, project, at_least=Role.ENGINEER)
    context = {"project": project, "jobs": jobs, "is_engineer": is_engineer, "active": "jobs"}
    return render(request, "jobs/job_list.html", context)


@login_required
@require_safe
def job_count(request: HttpRequest, project_pk: int) -> HttpResponse:
    """How many are under way: the number beside “Jobs” in the rail."""
    project = project_for(request.user, project_pk)
    url = reverse("jobs:count", args=[project.pk])
    return render(
        request, "_rail_count.html", {"count": project.jobs.told().active().count(), "poll_url": url}
    )


@login_required
@require_safe
def job_progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar of one job, polled until it ends."""
    return render(request, "jobs/_progress.html", {"job": job_for(request.user, pk)})


@login_required
@require_POST
def cancel_job(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask a job to end: one's own, or as an engineer anybody's (a training, say)."""
    job = own_or_as_engineer(request, pk)
    cancel(job)
    return redirect("jobs:list", job.project_id)


@login_required
@require_POST
def try_job_again(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a job that was set aside back in line."""
    job = own_or_as_engineer(request, pk)
    try:
        if try_again(job):
            messages.success(request, _("It is tried again."))
    except Refusal as error:
        messages.error(request, str(error))
    return redirect("jobs:list", job.project_id)


def own_or_as_engineer(request: HttpRequest, pk: int) -> Job:
    """One's own job, or as an engineer anybody's."""
    job = job_for(request.user, pk, at_least=Role.LABELLER)
    if job.created_by_id != request.user.pk:
        job = job_for(request.user, pk, at_least=Role.ENGINEER)
    return job
