"""The project home: the path from pictures to predictions, and what goes on."""

from django.contrib.auth.decorators import login_required
from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from datasets.storage_used import bytes_in_project
from projects.access import allowed_projects, may, project_for
from projects.models import Project, Role
from projects.steps import all_steps
from serving.models import Service
from training.models import ModelVersion

SHOWN = 5


@login_required
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The caller's projects; somebody with just one goes straight there."""
    projects = list(allowed_projects(request.user).order_by("name"))
    if len(projects) == 1 and "all" not in request.GET:
        return redirect("project", projects[0].pk)
    return render(request, "config/project_list.html", {"projects": projects})


def path_of(project: Project) -> list[dict[str, object]]:
    """The steps with their state; the first that is not done is the next one."""
    steps, next_found = [], False
    for step in all_steps():
        state = step.state(project)
        is_next = not state.done and not next_found
        next_found = next_found or is_next
        steps.append({"step": step, "state": state, "is_next": is_next})
    return steps


@login_required
@require_safe
def project_home(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the project stands, with the next step marked."""
    project = project_for(request.user, pk)
    versions = ModelVersion.objects.filter(model__project=project).select_related("model").order_by("-id")
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    services = Service.objects.filter(project=project, released_at=None).annotate(
        calls_today=Count("predictions", filter=Q(predictions__created_at__gte=midnight))
    )
    context = {
        "project": project,
        "path": path_of(project),
        "versions": versions[:SHOWN],
        "services": services.order_by("-id")[:SHOWN],
        "jobs": project.jobs.told().active().order_by("-id")[:SHOWN],
        "storage": bytes_in_project(project),
        "is_owner": may(request.user, project, at_least=Role.OWNER),
        "active": "home",
    }
    return render(request, "config/project_home.html", context)
