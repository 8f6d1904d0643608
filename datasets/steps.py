"""The room's steps on the way of a newcomer: pictures in, tags on."""

from django.db.models import Count, Q
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from datasets.models import Dataset, Image
from projects.models import Project
from projects.steps import Step, StepState

ENOUGH_LABELS = 2


def data_step(project: Project) -> StepState:
    """Done once there are pictures."""
    images = Image.objects.live().filter(dataset__project=project, dataset__trashed_at=None).count()
    has_sets = Dataset.objects.filter(project=project, trashed_at=None).exists()
    if images:
        summary = ngettext("%(count)s picture", "%(count)s pictures", images) % {"count": images}
    else:
        summary = _("No pictures yet")
    return StepState(
        bool(images), summary, reverse("datasets:list" if has_sets else "datasets:new", args=[project.pk])
    )


def tag_step(project: Project) -> StepState:
    """Done once every picture has one of at least two labels; leads to where most work waits."""
    untagged = Count("images", filter=Q(images__trashed_at=None, images__label=None))
    sets = (
        Dataset.objects.filter(project=project, trashed_at=None)
        .annotate(untagged=untagged)
        .order_by("-untagged")
    )
    first = sets.first()
    url = reverse("datasets:detail", args=[first.pk]) if first else reverse("datasets:new", args=[project.pk])
    live = Image.objects.live().filter(dataset__project=project, dataset__trashed_at=None)
    tagged, total = live.exclude(label=None).count(), live.count()
    used = live.exclude(label=None).values("label__name").distinct().count()
    if not total:
        return StepState(False, _("Waits for pictures"), url)
    summary = _("%(tagged)s of %(total)s tagged") % {"tagged": tagged, "total": total}
    return StepState(tagged == total and used >= ENOUGH_LABELS, summary, url)


STEPS = (
    Step(10, "data", gettext_lazy("Data"), data_step),
    Step(20, "tag", gettext_lazy("Tag"), tag_step),
)
