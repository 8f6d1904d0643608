"""Data sets: the list, a new one, its settings, its changes, the trash."""

from typing import Any

from django.conf import settings as django_settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from datasets.access import dataset_for
from datasets.counts import counts_of
from datasets.creation import NameTaken, create_dataset, describe, restore_dataset, trash_dataset
from datasets.forms import DatasetForm
from datasets.history import recent_actions
from datasets.models import Dataset
from datasets.progress_by_person import Progress, progress_of
from datasets.storage_used import bytes_in, used_by
from datasets.told import told_acts
from datasets.under_way import acts_under_way
from datasets.views.acknowledging import person
from projects.access import may, project_for
from projects.models import Role
from web.pagination import latest_first, number_in

CARDS_A_PAGE = 24
CHANGES_A_PAGE = 50
THUMBNAILS = 4
MAY_MANAGE = Role.ENGINEER


@login_required
@require_safe
def dataset_list(request: HttpRequest, project_pk: int) -> HttpResponse:
    """The project's data sets as cards; and what lies in the trash."""
    project = project_for(request.user, project_pk)
    live = project.datasets.filter(trashed_at=None).order_by("name")
    shown = Paginator(live, CARDS_A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": project,
        "active": "data",
        "page": shown,
        "cards": [card_of(dataset) for dataset in shown],
        "trashed": project.datasets.exclude(trashed_at=None).order_by("-trashed_at"),
        "may_manage": may(request.user, project, at_least=MAY_MANAGE),
    }
    return render(request, "datasets/dataset_list.html", context)


def card_of(dataset: Dataset) -> dict[str, Any]:
    """What a card says."""
    counts = counts_of(dataset)
    return {
        "dataset": dataset,
        "counts": counts,
        "share": counts.labelled / counts.total if counts.total else None,
        "bytes": bytes_in(dataset),
        "images": dataset.images.live().order_by("-id")[:THUMBNAILS],
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, project_pk: int) -> HttpResponse:
    """Make a data set, and go on to its first import."""
    project = project_for(request.user, project_pk, at_least=MAY_MANAGE)
    form = DatasetForm(request.POST or None, instance=Dataset(project=project))
    if request.method == "POST" and form.is_valid():
        dataset = create_dataset(project=project, user=person(request), **form.cleaned_data)
        return redirect("datasets:import", dataset.pk)
    return render(request, "datasets/dataset_new.html", {"project": project, "active": "data", "form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename, describe, or move to the trash."""
    dataset = dataset_for(request.user, pk, at_least=MAY_MANAGE)
    form = DatasetForm(request.POST or None, instance=dataset)
    if request.method == "POST" and form.is_valid():
        describe(dataset=dataset, user=person(request), **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("datasets:settings", pk)
    if request.method == "POST":
        dataset.refresh_from_db()
    context = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "form": form,
        "counts": counts_of(dataset),
        "used": used_by(dataset),
        "trash_days": django_settings.TRASH_DAYS,
    }
    return render(request, "datasets/dataset_settings.html", context)


@login_required
@require_POST
def trash(request: HttpRequest, pk: int) -> HttpResponse:
    """Move a data set to the trash; nothing in it is lost."""
    dataset = dataset_for(request.user, pk, at_least=MAY_MANAGE)
    trash_dataset(dataset=dataset, user=person(request))
    told = _("%(name)s is in the trash. It can be restored below.") % {"name": dataset.name}
    messages.success(request, told)
    return redirect("datasets:list", dataset.project_id)


@login_required
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a data set out of the trash."""
    trashed = get_object_or_404(Dataset.objects.exclude(trashed_at=None).select_related("project"), pk=pk)
    project = project_for(request.user, trashed.project_id, at_least=MAY_MANAGE)
    try:
        restore_dataset(dataset=trashed, user=person(request))
    except NameTaken as error:
        messages.error(request, str(error))
        return redirect("datasets:list", project.pk)
    return redirect("datasets:detail", pk)


@login_required
@require_safe
def changes(request: HttpRequest, pk: int) -> HttpResponse:
    """What was done to the pictures, by whom, each with its undo."""
    dataset = dataset_for(request.user, pk)
    before, after = (number_in(request.GET.get(each, "")) for each in ("before", "after"))
    is_engineer = may(request.user, dataset.project, at_least=Role.ENGINEER)
    shown = latest_first(recent_actions(dataset), before=before, after=after, limit=CHANGES_A_PAGE)
    context = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "stretch": shown,
        "actions": [
            (action, told, is_engineer or action.created_by_id == person(request).pk)
            for action, told in zip(shown.rows, told_acts(shown.rows), strict=True)
        ],
        "progress": progress_for(person(request), dataset),
        "in_trash": dataset.images.exclude(trashed_at=None).count(),
        "may_tag": may(request.user, dataset.project, at_least=Role.LABELLER),
    } | in_background(request, dataset)
    return render(request, "datasets/dataset_changes.html", context)


def in_background(request: HttpRequest, dataset: Dataset) -> dict[str, Any]:
    """The acts that go on; `still`: whether any does."""
    jobs = acts_under_way(dataset)
    is_engineer = may(request.user, dataset.project, at_least=Role.ENGINEER)
    return {"jobs": jobs, "still": not all(job.ended for job in jobs), "is_engineer": is_engineer}


@login_required
@require_safe
def under_way(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the acts in the background are; once none is, the page anew."""
    dataset = dataset_for(request.user, pk)
    context = {"dataset": dataset} | in_background(request, dataset)
    response = render(request, "datasets/_acts_under_way.html", context)
    if not context["still"]:
        response["HX-Redirect"] = reverse("datasets:changes", args=[pk])
    return response


def progress_for(user: User, dataset: Dataset) -> list[Progress]:
    """Who tagged how much: engineers see everybody, labellers themselves."""
    if may(user, dataset.project, at_least=Role.ENGINEER):
        return progress_of(dataset)
    return progress_of(dataset, only=user) if may(user, dataset.project, at_least=Role.LABELLER) else []
