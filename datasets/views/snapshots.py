"""Snapshots: the list, taking and naming one, comparing two, restoring one."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from datasets.access import dataset_for, snapshot_of
from datasets.bulk_restoring import restore as restore_tags
from datasets.comparing import KINDS, Change, Kind, difference
from datasets.exporting import role_for
from datasets.models import Dataset, Image, Snapshot
from datasets.restore_plans import outlook
from datasets.snapshots import rename_snapshot, rows_now, rows_of, take_named, uses_of
from datasets.told import told_act
from datasets.views.acknowledging import person
from jobs.models import Job
from projects.access import may
from projects.models import Role
from web.sentences import Refusal

SNAPSHOTS_A_PAGE, PICTURES_A_PAGE = 50, 60
MAY_MANAGE = Role.ENGINEER
NOW = "now"


def about(request: HttpRequest, dataset: Dataset) -> dict[str, Any]:
    """What every page of this room's snapshots shows."""
    return {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "may_manage": may(request.user, dataset.project, at_least=MAY_MANAGE),
        "may_export": may(request.user, dataset.project, at_least=role_for(dataset.project)),
    }


@login_required
@require_safe
def snapshot_list(request: HttpRequest, pk: int) -> HttpResponse:
    """What was frozen, by whom, and what learned from it."""
    dataset = dataset_for(request.user, pk)
    found = dataset.snapshots.select_related("created_by", "dataset").order_by("-id")
    shown = Paginator(found, SNAPSHOTS_A_PAGE).get_page(request.GET.get("page"))
    uses = uses_of(list(shown))
    context = about(request, dataset) | {
        "page": shown,
        "rows": [(each, uses.get(each.pk, [])) for each in shown],
        "several": found.count() > 1,
        "tagged": dataset.images.live().exclude(label=None).count(),
    }
    return render(request, "datasets/snapshot_list.html", context)


@login_required
@require_POST
def take(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze what is tagged now."""
    dataset = dataset_for(request.user, pk, at_least=MAY_MANAGE, scope="label")
    try:
        made = take_named(dataset=dataset, user=person(request), name=request.POST.get("name", ""))
        messages.success(request, _("Snapshot “%(name)s” taken.") % {"name": made.name})
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("datasets:snapshots", pk)


@login_required
@require_POST
def rename(request: HttpRequest, pk: int, snapshot_pk: int) -> HttpResponse:
    """Another name; the content never changes."""
    dataset = dataset_for(request.user, pk, at_least=MAY_MANAGE, scope="label")
    found = snapshot_of(dataset, snapshot_pk)
    try:
        rename_snapshot(snapshot=found, name=request.POST.get("name", ""), user=person(request))
        messages.success(request, _("Saved."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("datasets:snapshots", pk)


@login_required
@require_safe
def compare(request: HttpRequest, pk: int, snapshot_pk: int) -> HttpResponse:
    """What changed from this snapshot to another one, or to now."""
    dataset = dataset_for(request.user, pk)
    before, other = snapshot_of(dataset, snapshot_pk), request.GET.get("with", NOW)
    after = None if other == NOW else snapshot_of(dataset, number(other))
    found = difference(rows_of(before), rows_of(after) if after else rows_now(dataset))
    kinds = [each for each in KINDS if each == request.GET.get("kind")] or [
        each for each in KINDS if found.of(each)
    ]
    kind: Kind = kinds[0] if kinds else "added"
    shown = Paginator(found.of(kind), PICTURES_A_PAGE).get_page(request.GET.get("page"))
    context = about(request, dataset) | {
        "before": before,
        "after": after,
        "snapshots": dataset.snapshots.order_by("-id")[:200],
        "difference": found,
        "kind": kind,
        "other": other,
        "page": shown,
        "pictures": with_images(dataset, list(shown)),
        "query": urlencode({"with": other, "kind": kind}),
    }
    return render(request, "datasets/snapshot_compare.html", context)


def number(text: str) -> int:
    """A snapshot's number in an address."""
    if not text.isdecimal() or len(text) > 18:
        raise Http404
    return int(text)


def with_images(dataset: Dataset, changes: list[Change]) -> list[tuple[Change, Image | None]]:
    """Each change with its picture, if that is still there; known by content."""
    hashes = [each.sha256 for each in changes]
    there = {each.sha256: each for each in dataset.images.filter(sha256__in=hashes)}
    return [(each, there.get(each.sha256)) for each in changes]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def restore(request: HttpRequest, pk: int, snapshot_pk: int) -> HttpResponse:
    """What it would change, then the change: one act, with its undo in the list of changes."""
    dataset = dataset_for(request.user, pk, at_least=MAY_MANAGE, scope="label")
    snapshot = snapshot_of(dataset, snapshot_pk)
    again = "again" in request.POST
    if request.method == "POST" and not again:
        return set_back(request, snapshot)
    found = outlook(snapshot=snapshot, user=person(request), again=again)
    job = found if isinstance(found, Job) else None
    context = about(request, dataset) | {"snapshot": snapshot, "job": job, "plan": None if job else found}
    if again:
        return redirect(request.path)
    if "part" not in request.GET:
        return render(request, "datasets/snapshot_restore.html", context)
    response = render(request, "datasets/_restore_plan.html", context)
    if job is None or job.ended:
        response["HX-Redirect"] = request.path
    return response


def set_back(request: HttpRequest, snapshot: Snapshot) -> HttpResponse:
    """Restore, and show the act where it can be undone."""
    untag = request.POST.get("others") == "untag"
    try:
        action, job = restore_tags(snapshot=snapshot, user=person(request), untag_others=untag)
        if not job:  # the page of changes shows how far a job is
            messages.success(request, told_act(action))
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("datasets:snapshot-restore", snapshot.dataset_id, snapshot.pk)
    return redirect("datasets:changes", snapshot.dataset_id)
