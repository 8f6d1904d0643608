"""The tagging bench: a data set's page, and the pieces of it that its script fetches."""

from dataclasses import replace
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from datasets.access import dataset_for
from datasets.conflicts import open_conflicts
from datasets.counts import Counts, counts_of, with_counts
from datasets.exporting import role_for
from datasets.filters import Filter
from datasets.label_looks import with_keys
from datasets.live import latest
from datasets.mislabels import queue_of
from datasets.models import Dataset, Import, ImportState, Label
from datasets.models.images import TRASHED
from datasets.none_of_these import GOOD, LEAST
from datasets.progress_by_person import tagged_today
from datasets.selection import labels_named
from datasets.suggestions import WEAK, Spread, by_label, how_sure, record_of, spread, waiting_in
from datasets.views.acknowledging import MAY_DELETE, MAY_EDIT_LABELS, person
from datasets.views.grid import thumbnails
from datasets.views.narrowing import filter_of, menu_of_filters, orders, tabs, view_query
from projects.access import may, role_in
from projects.models import Role
from projects.steps import all_steps
from web.sentences import Refusal

SHOWN_BUTTONS = 9
USUALLY_SURE, SHOWN_KINDS = 0.9, 12
UNDER_WAY = (
    ImportState.RECEIVING, ImportState.QUEUED, ImportState.READING, ImportState.CHOOSING, ImportState.STORING,
)  # fmt: skip


@login_required
@require_safe
def bench(request: HttpRequest, pk: int) -> HttpResponse:
    """See, choose and tag the pictures of a data set."""
    dataset = dataset_for(request.user, pk)
    live_since = latest(dataset)  # before the pictures are read: what happens meanwhile is told again
    try:
        wanted = filter_of(request, dataset)
        if "" in request.GET.values():  # a form's fields that were left empty say nothing in an address
            return redirect(f"{request.path}?{view_query(wanted)}")
        found = spread(dataset, wanted) if wanted.state == "suggested" else []
        counts = counts_of(dataset, wanted, suggested=waiting_in(found, wanted))
        context = labels_context(request, dataset, wanted, counts) | thumbnails(request, dataset, wanted)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("datasets:detail", pk)
    context |= {
        "active": "data",
        "live_since": live_since,
        "today": tagged_today(dataset, person(request)),
        "without_import": view_query(wanted, source=None),
        **menu_of_filters(dataset, wanted),
        "filtered_import": dataset.imports.filter(pk=wanted.source or 0).first(),
        "imports": running(dataset),
        "conflicts": open_conflicts(dataset).count(),
        "mislabels": queue_of(dataset).count(),
        "bench_is_empty": not counts.total,
        "in_trash": not counts.total and dataset.images.filter(TRASHED).exists(),
        "orders": orders(wanted),
        "quick": context["labels"][:SHOWN_BUTTONS],
        "ready": counts.labels_with(dataset.project.minimum_images),
        "train_url": train_url(dataset),
    }
    if wanted.state == "suggested":
        context |= suggestions_context(dataset, wanted, found)
    if wanted.label and not labels_named(dataset, wanted.label):
        removed = Label.every.filter(dataset=dataset, name=wanted.label).exclude(removed_at=None)
        context |= {"label_unknown": True, "label_removed": removed.exists()}
    return render(request, "datasets/dataset_bench.html", context)


@login_required
@require_safe
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
@require_safe
def suggestions(request: HttpRequest, pk: int) -> HttpResponse:
    """How sure the suggestions are, after some were accepted or came anew."""
    dataset = dataset_for(request.user, pk)
    try:
        wanted = replace(filter_of(request, dataset), state="suggested")
    except Refusal as refusal:
        return HttpResponse(str(refusal), status=refusal.status, content_type="text/plain; charset=utf-8")
    may_tag = may(request.user, dataset.project, at_least=Role.LABELLER)
    found = spread(dataset, wanted)
    context = suggestions_context(dataset, wanted, found) | {"dataset": dataset, "may_tag": may_tag}
    return render(request, "datasets/_suggestions_line.html", context)


def suggestions_context(dataset: Dataset, wanted: Filter, found: Spread) -> dict[str, Any]:
    """What stands above the suggestions: how sure they are, and how right they were so far."""
    latest = dataset.suggestions.order_by("-pk").first()  # all were made at once
    return {
        "steps": [
            (f"{step:.2f}", round(100 * step), count) for step, count in how_sure(dataset, wanted, found)
        ],
        "record": record_of(dataset),
        "weak": latest is not None and latest.source == WEAK,
        "made": latest.created_at.isoformat() if latest else "",
        "filter_query": wanted.query(),
        "query": view_query(wanted),
        "chosen_step": f"{USUALLY_SURE:.2f}",
        "kinds": [
            (name, count, view_query(wanted, label=name), name == wanted.label)
            for name, count in by_label(found, SHOWN_KINDS)
        ],
        "every_kind": view_query(wanted, label=""),
        "kind": wanted.label,
    }


def labels_context(request: HttpRequest, dataset: Dataset, wanted: Filter, counts: Counts) -> dict[str, Any]:
    """What the label column and the tabs show."""
    found = with_keys(with_counts(list(dataset.labels.all()), counts))
    archived = [label for label in found if label.archived_at]
    project = dataset.project
    role = role_in(request.user, project) or 0
    return {
        "project": project,
        "dataset": dataset,
        "labels": [label for label in found if label.in_use],
        "archived_labels": archived,
        "suggest_none": len(found) > 1 and not any(label.role for label in found),
        "none_wanted": (LEAST, GOOD),
        "archived_open": any(label.name == wanted.label for label in archived),
        "counts": counts,
        "wanted": wanted,
        "filter_query": wanted.query(),
        "tabs": tabs(wanted, counts),
        "order_query": ""
        if wanted.by_confidence or wanted.order in ("id", "similar")
        else f"&order={wanted.order}",
        "may_tag": role >= Role.LABELLER,
        "may_edit": role >= MAY_EDIT_LABELS,
        "may_export": role >= role_for(project),
        "may_delete": role >= MAY_DELETE,
        "max_labels": settings.MAX_LABELS,
    }


def running(dataset: Dataset) -> list[Import]:
    """The imports on their way."""
    under_way = dataset.imports.filter(state__in=UNDER_WAY).defer("plan")
    return list(under_way.select_related("job").order_by("id"))


def train_url(dataset: Dataset) -> str:
    """Where the project's path goes on from here; the room that trains registers it."""
    step = next((step for step in all_steps() if step.key == "train"), None)
    return step.state(dataset.project).url if step else ""
