"""Labels of a data set: add, rename, merge into another, delete."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from datasets.access import dataset_for
from datasets.labels import create_label, delete_label, rename_label
from datasets.models import Dataset, Label
from datasets.views.acknowledging import MAY_EDIT_LABELS, Asked, Done, acknowledged, person
from web.sentences import Refusal


def labels_door(request: HttpRequest, pk: int, label_pk: int) -> tuple[Dataset, Label]:
    """A label that the person may change."""
    dataset = dataset_for(request.user, pk, at_least=MAY_EDIT_LABELS, scope="label")
    return dataset, get_object_or_404(dataset.labels, pk=label_pk)


@login_required
@require_POST
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """A new label, from the column's own field."""
    dataset = dataset_for(request.user, pk, at_least=MAY_EDIT_LABELS, scope="label")
    try:
        create_label(dataset=dataset, name=request.POST.get("name", ""), user=person(request))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(back_to(request, dataset))


def back_to(request: HttpRequest, dataset: Dataset) -> str:
    """The bench as it stood."""
    query = request.POST.get("view", "")
    return reverse("datasets:detail", args=[dataset.pk]) + (f"?{query}" if query else "")


@login_required
@require_GET
def label(request: HttpRequest, pk: int, label_pk: int) -> HttpResponse:
    """Rename a label, or take it away saying where its pictures go; in a dialog or a page by itself."""
    dataset, found = labels_door(request, pk, label_pk)
    context = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "label": found,
        "count": dataset.images.live().filter(label=found).count(),
        "others": dataset.labels.exclude(pk=found.pk),
        "view": request.GET.get("view", ""),
    }
    alone = request.headers.get("X-Requested-With") != "XMLHttpRequest"
    return render(request, "datasets/label_detail.html" if alone else "datasets/_label.html", context)


@login_required
@require_POST
def rename(request: HttpRequest, pk: int, label_pk: int) -> HttpResponse:
    """Call a label otherwise."""
    dataset, found = labels_door(request, pk, label_pk)
    before = found.name
    try:
        rename_label(label=found, name=request.POST.get("name", ""), user=person(request))
        told = _("%(before)s is called %(name)s now.") % {"before": before, "name": found.name}
        messages.success(request, told)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect(back_to(request, dataset))


@login_required
@require_POST
def delete(request: HttpRequest, pk: int, label_pk: int) -> HttpResponse:
    """Take a label away; its pictures get another one (`move_to`) or none. An act, so it can be undone."""
    dataset, found = labels_door(request, pk, label_pk)

    def act(asked: Asked) -> Done:
        wanted = asked.body.get("move_to")
        heir = get_object_or_404(dataset.labels, pk=asked.number("move_to")) if wanted else None
        action = delete_label(label=found, user=asked.user, move_to=heir)
        told = _("Label %(label)s deleted.") % {"label": found.name}
        return Done(told, action.changed, action.pk, labels_changed=True)

    return acknowledged(request, dataset, act)
