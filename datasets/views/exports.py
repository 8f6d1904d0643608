"""Exports: ask for a zip, watch it being packed, fetch it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from datasets.access import dataset_for, export_for, snapshot_of
from datasets.downloading import answer_with
from datasets.exporting import begin_export, remove_export, role_for
from datasets.exports import FORMATS
from datasets.models import Dataset
from datasets.views.acknowledging import person
from projects.access import check
from web.sentences import Refusal

EXPORTS_A_PAGE = 20


def exported(request: HttpRequest, pk: int) -> Dataset:
    """The door for what goes out: who may is a setting of the project."""
    dataset = dataset_for(request.user, pk, scope="export")
    check(request.user, dataset.project, at_least=role_for(dataset.project), scope="export")
    return dataset


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def export_list(request: HttpRequest, pk: int) -> HttpResponse:
    """The exports of a data set, and what one can be asked for."""
    dataset = exported(request, pk)
    if request.method == "POST":
        return begin(request, dataset)
    found = dataset.exports.select_related("job", "snapshot", "created_by").order_by("-id")
    context = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "formats": FORMATS,
        "chosen": request.GET.get("format", "imagefolder"),
        "snapshot": request.GET.get("snapshot", ""),
        "snapshots": dataset.snapshots.exclude(name="").order_by("-id")[:200],
        "page": Paginator(found, EXPORTS_A_PAGE).get_page(request.GET.get("page")),
        "pictures": dataset.images.live().count(),
    }
    return render(request, "datasets/export_list.html", context)


def begin(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Queue one."""
    wanted = request.POST.get("snapshot", "")
    known = wanted.isdecimal() and len(wanted) < 19
    snapshot = snapshot_of(dataset, int(wanted) if known else 0) if wanted else None
    form = request.POST.get("format", "")
    try:
        begin_export(dataset=dataset, user=person(request), format=form, snapshot=snapshot)
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("datasets:exports", dataset.pk)


@login_required
@require_safe
def progress(request: HttpRequest, pk: int, export_pk: int) -> HttpResponse:
    """One export's line; once it has ended, the page anew."""
    found = export_for(request.user, pk, export_pk)
    context = {"export": found, "dataset": found.dataset, "formats": FORMATS}
    response = render(request, "datasets/_export.html", context)
    if not found.unfinished:
        response["HX-Redirect"] = reverse("datasets:exports", args=[pk])
    return response


@login_required
@require_safe
def download(request: HttpRequest, pk: int, export_pk: int) -> HttpResponseBase:
    """The zip."""
    found = export_for(request.user, pk, export_pk)
    if found.unfinished:
        return redirect("datasets:exports", pk)
    try:
        return answer_with(request, found)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("datasets:exports", pk)


@login_required
@require_POST
def remove(request: HttpRequest, pk: int, export_pk: int) -> HttpResponse:
    """Cancel it, or take the zip away."""
    found = export_for(request.user, pk, export_pk)
    told = _("The export was cancelled.") if found.unfinished else _("The export was removed.")
    remove_export(found)
    messages.success(request, told)
    return redirect("datasets:exports", pk)
