"""The last two steps of the project home: validate, publish."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from projects.models import Project
from projects.steps import StepState
from serving.models import Service, ServiceState, Validation
from training.models import ModelVersion


def newest_usable(project: Project) -> ModelVersion | None:
    """The version that one would try next."""
    return ModelVersion.objects.usable().filter(model__project=project).order_by("-id").first()


def validate_step(project: Project) -> StepState:
    """Done once somebody tried pictures on a version."""
    tried = Validation.objects.filter(version__model__project=project).count()
    newest = newest_usable(project)
    url = reverse("serving:validate", args=[newest.model_id, newest.number]) if newest else ""
    summary = ngettext("%(n)s trial", "%(n)s trials", tried) % {"n": tried} if tried else ""
    return StepState(bool(tried), summary, url)


def publish_step(project: Project) -> StepState:
    """Done while a service is online."""
    services = Service.objects.filter(project=project, released_at=None)
    online = services.filter(state=ServiceState.ONLINE).count()
    waiting = services.filter(state=ServiceState.REQUESTED).count()
    if online:
        summary = ngettext("%(n)s service online", "%(n)s services online", online) % {"n": online}
    elif waiting:
        summary = _("Waiting for approval")
    else:
        summary = ""
    return StepState(bool(online), summary, publish_url(project, has_services=services.exists()))


def publish_url(project: Project, *, has_services: bool) -> str:
    """The services where there are some, else the form for the newest version, else nowhere yet."""
    newest = newest_usable(project)
    if has_services:
        return reverse("serving:list", args=[project.pk])
    return reverse("serving:publish", args=[newest.model_id, newest.number]) if newest else ""
