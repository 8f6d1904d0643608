"""Training's steps on the project home: Train and Report."""

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from projects.models import Project
from projects.steps import Step, StepState
from training.models import ModelVersion


def train_state(project: Project) -> StepState:
    """Done once there is a usable version."""
    versions = ModelVersion.objects.filter(model__project=project)
    running, usable = versions.active().count(), versions.usable().count()
    url = reverse("training:train", args=[project.pk])
    if running:
        summary = ngettext("%(n)s training", "%(n)s trainings", running) % {"n": running}
        return StepState(bool(usable), summary, reverse("training:models", args=[project.pk]))
    if not usable:
        return StepState(False, _("No version yet"), url)
    return StepState(True, ngettext("%(n)s version", "%(n)s versions", usable) % {"n": usable}, url)


def report_state(project: Project) -> StepState:
    """Done once there is a report to read; it leads to the newest."""
    latest = (
        ModelVersion.objects.filter(model__project=project)
        .usable()
        .select_related("model")
        .order_by("-id")
        .first()
    )
    if latest is None:
        return StepState(False, "", "")
    accuracy = latest.metrics.get("accuracy", {}).get("value")
    summary = "" if accuracy is None else _("%(share)s %% right") % {"share": f"{100 * accuracy:.1f}"}
    return StepState(True, summary, reverse("training:report", args=[latest.model_id, latest.number]))


TRAIN = Step(30, "train", gettext_lazy("Train"), train_state)
REPORT = Step(40, "report", gettext_lazy("Report"), report_state)
