"""The tagging bench: a data set's page, and the pieces of it that its script fetches."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from datasets.access import dataset_for
from datasets.counts import Counts, counts_of, with_counts
from datasets.history import history_of
from datasets.models import Dataset, Import, ImportState
from datasets.selection import Filter, images_matching
from datasets.views.acknowledging import MAY_DELETE, MAY_EDIT_LABELS
from datasets.views.pictures import picture_for
from projects.access import may
from projects.models import Role
from projects.steps import all_steps
from web.pagination import page
from web.sentences import Refusal

PER_PAGE = 120
MOST_AT_ONCE = 960
KEYS = "1234567890abcdefghijklmnopqrstuvwxyz"
SHOWN_BUTTONS = 9
UNDER_WAY = (ImportState.RECEIVING, ImportState.QUEUED, ImportState.READING, ImportState.STORING)


@login_required
@require_GET
def bench(request: HttpRequest, pk: int) -> HttpResponse:
    """See, choose and tag the pictures of a data set."""
    dataset = dataset_for(request.user, pk)
    try:
        wanted = filter_of(request, dataset)
        counts = counts_of(dataset, wanted)
        context = labels_context(request, dataset, wanted, counts) | thumbnails(request, dataset, wanted)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("datasets:detail", pk)
    context |= {
        "active": "data",
        "without_import": view_query(wanted, source=None),
        "filtered_import": dataset.imports.filter(pk=wanted.source or 0).first(),
        "imports": running(dataset),
        "bench_is_empty": not counts.total,
        "orders": orders(),
        "quick": context["labels"][:SHOWN_BUTTONS],
        "ready": counts.labels_with(dataset.project.minimum_images),
        "train_url": train_url(dataset),
        "may_delete": may(request.user, dataset.project, at_least=MAY_DELETE),
    }
    return render(request, "datasets/dataset_bench.html", context)


@login_required
@require_GET
def images(request: HttpRequest, pk: int) -> HttpResponse:
    """The next thumbnails, as the grid takes them in."""
    dataset = dataset_for(request.user, pk)
    try:
        wanted = filter_of(request, dataset)
        context = thumbnails(request, dataset, wanted)
    except Refusal as refusal:
        return HttpResponse(str(refusal), status=refusal.status, content_type="text/plain; charset=utf-8")
    context |= {"dataset": dataset, "may_tag": may(request.user, dataset.project, at_least=Role.LABELLER)}
    return render(request, "datasets/_images.html", context)


@login_required
@require_GET
def labels(request: HttpRequest, pk: int) -> HttpResponse:
    """The label column, after a label came or went."""
    dataset = dataset_for(request.user, pk)
    try:
        wanted = filter_of(request, dataset)
    except Refusal:
        wanted = Filter()
    context = labels_context(request, dataset, wanted, counts_of(dataset, wanted))
    return render(request, "datasets/_label_column.html", context)


@login_required
@require_GET
def image(request: HttpRequest, pk: int) -> HttpResponse:
    """One picture large, with its facts and history; a fragment for the bench, a page by itself."""
    found = picture_for(request, pk)
    context = {
        "project": found.dataset.project,
        "active": "data",
        "dataset": found.dataset,
        "image": found,
        "changes": history_of(found)[:20],
    }
    alone = request.headers.get("X-Requested-With") != "XMLHttpRequest"
    return render(request, "datasets/image_detail.html" if alone else "datasets/_image.html", context)


def filter_of(request: HttpRequest, dataset: Dataset) -> Filter:
    """From the address. `state=all` says all; nothing opens where the work is: what has no label yet."""
    params = request.GET.dict()
    if not any(params.get(key) for key in ("state", "label", "import")):
        params["state"] = "unlabelled" if dataset.images.live().filter(label=None).exists() else ""
    if params.get("state") == "all":
        params["state"] = ""
    if params.get("state") in ("trashed", "suggested"):
        raise Http404
    return Filter.from_params(params)


def thumbnails(request: HttpRequest, dataset: Dataset, wanted: Filter) -> dict[str, Any]:
    """One page of the grid by its key, and the address of the next."""
    limit = request.GET.get("limit", "")
    count = min(int(limit), MOST_AT_ONCE) if limit.isdecimal() and len(limit) < 5 and int(limit) else PER_PAGE
    found = images_matching(dataset, wanted).select_related("label").defer("sha256", "key", "difference_hash")
    cursor = request.GET.get("cursor", "")
    one_page = page(found, lambda row: row, limit=count, cursor=cursor, order=wanted.field)
    return {"images": one_page["items"], "next": one_page["next"], "query": view_query(wanted)}


def view_query(wanted: Filter, **changes: Any) -> str:
    """The address bar's form of a filter; all are said, because nothing said means the unlabelled."""
    query = wanted.query(**changes)
    says_what = any(key in query for key in ("state=", "label=", "import="))
    return query if says_what else "&".join(filter(None, ["state=all", query]))


def labels_context(request: HttpRequest, dataset: Dataset, wanted: Filter, counts: Counts) -> dict[str, Any]:
    """What the label column and the tabs show."""
    found = with_counts(list(dataset.labels.all()), counts)
    for label, key in zip(found, KEYS, strict=False):
        label.key = key  # type: ignore[attr-defined]
    project = dataset.project
    return {
        "project": project,
        "dataset": dataset,
        "labels": found,
        "counts": counts,
        "wanted": wanted,
        "filter_query": wanted.query(),
        "tabs": tabs(wanted, counts),
        "order_query": f"&order={wanted.order}" if wanted.order != "id" else "",
        "may_tag": may(request.user, project, at_least=Role.LABELLER),
        "may_edit": may(request.user, project, at_least=MAY_EDIT_LABELS),
        "max_labels": settings.MAX_LABELS,
    }


def tabs(wanted: Filter, counts: Counts) -> list[dict[str, Any]]:
    """Unlabelled, Labelled, All: each keeps the other filters, but for a label where none can be."""
    kinds = [
        ("unlabelled", _("Unlabelled"), counts.unlabelled, {"state": "unlabelled", "label": ""}),
        ("labelled", _("Labelled"), counts.labelled, {"state": "labelled"}),
        ("total", _("All"), counts.total, {"state": "", "label": ""}),
    ]
    current = wanted.state or ("labelled" if wanted.label else "total")
    return [
        {"key": key, "name": name, "count": n, "query": view_query(wanted, **there), "active": key == current}
        for key, name, n, there in kinds
    ]


def orders() -> list[tuple[str, str]]:
    """The orders that a person can choose."""
    return [
        ("id", _("First imported first")),
        ("-id", _("Last imported first")),
        ("file", _("By file name")),
        ("-bytes", _("Largest file first")),
        ("width", _("Narrowest first")),
    ]


def running(dataset: Dataset) -> list[Import]:
    """The imports on their way."""
    return list(dataset.imports.filter(state__in=UNDER_WAY).select_related("job").order_by("id"))


def train_url(dataset: Dataset) -> str:
    """Where the project's path goes on from here; the room that trains registers it."""
    step = next((step for step in all_steps() if step.key == "train"), None)
    return step.state(dataset.project).url if step else ""
