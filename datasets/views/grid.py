"""The grid's pieces: a page of thumbnails, one picture large, its look-alikes."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_safe

from datasets.access import dataset_for
from datasets.filters import Filter
from datasets.grid import bare, page_of
from datasets.history import history_of, origin_of
from datasets.lookalikes import lookalikes_of
from datasets.models import Dataset, Image
from datasets.selection import images_with_ids, ordering
from datasets.views.acknowledging import MAY_EDIT_LABELS
from datasets.views.narrowing import filter_of, view_query
from datasets.views.pictures import picture_for
from projects.access import may
from projects.models import Role
from web.sentences import Refusal

PER_PAGE, MOST_AT_ONCE = 120, 960
SHOWN = ("name", "width", "height", "label", "skipped_at")
ALIKE = 12


@login_required
@require_safe
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


def thumbnails(request: HttpRequest, dataset: Dataset, wanted: Filter) -> dict[str, Any]:
    """One page of the grid by its key, and the address of the next."""
    limit = request.GET.get("limit", "")
    count = min(int(limit), MOST_AT_ONCE) if limit.isdecimal() and len(limit) < 5 and int(limit) else PER_PAGE
    confirming = wanted.state == "suggested"

    def shown(found: "QuerySet[Image]") -> "QuerySet[Image]":
        # A page shows few labels: each is read once, not with every picture
        order = [each for each in bare(ordering(wanted)) if not each.startswith("suggestion__")]
        if not confirming:
            return found.only(*SHOWN, *order).prefetch_related("label")
        suggested = found.select_related("suggestion").prefetch_related("suggestion__label")
        return suggested.only(*SHOWN, *order, "suggestion__label", "suggestion__confidence")

    cursor = request.GET.get("cursor", "")
    found, following = page_of(dataset, wanted, limit=count, cursor=cursor, shown=shown)
    at = reverse("datasets:image", args=[0]).removesuffix("0/")
    for each in found:  # one address looked up, not five hundred
        each.at, each.number = f"{at}{each.pk}/", str(each.pk)  # type: ignore[attr-defined]
    return {"images": found, "next": following, "query": view_query(wanted), "confirming": confirming}


@login_required
@require_safe
def image(request: HttpRequest, pk: int) -> HttpResponse:
    """One picture large, with its facts and history; a fragment for the bench, a page by itself."""
    found = picture_for(request, pk)
    alone = request.headers.get("X-Requested-With") != "XMLHttpRequest"
    context = {
        "project": found.dataset.project,
        "active": "data",
        "dataset": found.dataset,
        "image": found,
        "changes": history_of(found)[:20],
        "origin": origin_of(found),
        "may_edit": may(request.user, found.dataset.project, at_least=MAY_EDIT_LABELS),
        "is_example": bool(found.label and found.label.examples.filter(pk=found.pk).exists()),
    }
    if alone:
        context["alike"] = alike_of(found)
    return render(request, "datasets/image_detail.html" if alone else "datasets/_image.html", context)


@login_required
@require_safe
def alike(request: HttpRequest, pk: int) -> HttpResponse:
    """The pictures that look most like one, for the foot of its preview."""
    found = picture_for(request, pk)
    return render(request, "datasets/_image_alike.html", {"image": found, "alike": alike_of(found)})


def alike_of(image: Image) -> list[Image]:
    """The nearest few outside the trash, the most alike first."""
    ids = lookalikes_of(image.dataset, image.pk, 4 * ALIKE)
    live = images_with_ids(image.dataset, ids).filter(trashed_at=None).select_related("label").in_bulk()
    return [live[each] for each in ids if each in live][:ALIKE]
