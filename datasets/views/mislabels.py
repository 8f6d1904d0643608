"""The queue of likely mislabels: one picture at a time, accepted or dismissed, each with its undo."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from datasets.access import action_to_undo, dataset_for
from datasets.embeddings import current_extractor
from datasets.mislabels import accept, dismiss, queue_of, reopen
from datasets.models import Dataset, Image, Mislabel
from datasets.tagging import undo
from datasets.told import told_undo
from datasets.views.acknowledging import person
from projects.access import may
from projects.models import Role
from web.sentences import Refusal


@login_required
@require_safe
def queue(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture whose turn it is (`at`, from 0), large, with both labels and what looks like it."""
    dataset = dataset_for(request.user, pk)
    waiting = queue_of(dataset)
    total = waiting.count()
    at = min(number(request.GET.get("at", "")), max(total - 1, 0))
    shown = waiting[at] if total else None
    context = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "total": total,
        "at": at,
        "shown": shown,
        "alike": alike(shown) if shown else [],
        "others": dataset.labels.filter(archived_at=None).exclude(pk__in=[shown.given_id]) if shown else [],
        "undo": undo_of(request, dataset),
        "weak": bool(total) and current_extractor().weak,
        "may_tag": may(request.user, dataset.project, at_least=Role.LABELLER),
    }
    return render(request, "datasets/mislabel_queue.html", context)


def number(text: str) -> int:
    """A number of the address; 0 where it is none."""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


def alike(shown: Mislabel) -> list[Image]:
    """The pictures that look most like it, the nearest first, as far as they are still there."""
    found = shown.dataset.images.live().select_related("label").in_bulk(shown.neighbours)
    return [found[pk] for pk in shown.neighbours if pk in found]


def undo_of(request: HttpRequest, dataset: Dataset) -> dict[str, Any] | None:
    """What was just done here, for its undo."""
    done, pk = request.GET.get("done", ""), number(request.GET.get("of", ""))
    if done == "accepted" and dataset.actions.filter(pk=pk, undone_at=None).exists():
        return {"name": "action", "value": pk}
    if done == "dismissed" and dataset.mislabels.filter(pk=pk).exclude(dismissed_at=None).exists():
        return {"name": "mislabel", "value": pk}
    return None


def door(request: HttpRequest, pk: int, image_pk: int) -> Mislabel:
    """What the person may decide."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER, scope="label")
    return get_object_or_404(dataset.mislabels.select_related("proposed", "given", "dataset"), image=image_pk)


def on(request: HttpRequest, pk: int, **done: Any) -> HttpResponse:
    """To the picture that stands in its place now."""
    place = {"at": number(request.POST.get("at", ""))} | done
    return redirect(f"{reverse('datasets:mislabels', args=[pk])}?{urlencode(place)}")


@login_required
@require_POST
def take(request: HttpRequest, pk: int, image_pk: int) -> HttpResponse:
    """The proposed label, or another one (`label`)."""
    found = door(request, pk, image_pk)
    other = request.POST.get("label")
    label = get_object_or_404(found.dataset.labels, pk=number(other)) if other else None
    try:
        action = accept(mislabel=found, user=person(request), label=label)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return on(request, pk)
    messages.success(request, _("Tagged %(label)s.") % {"label": (label or found.proposed).name})
    return on(request, pk, done="accepted", of=action.pk)


@login_required
@require_POST
def keep(request: HttpRequest, pk: int, image_pk: int) -> HttpResponse:
    """The given label is right; the picture does not come back unless that changes."""
    found = door(request, pk, image_pk)
    dismiss(mislabel=found, user=person(request))
    messages.success(request, _("It stays %(label)s.") % {"label": found.given.name})
    return on(request, pk, done="dismissed", of=found.pk)


@login_required
@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo what was done last."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER, scope="label")
    if request.POST.get("mislabel"):
        reopen(mislabel=get_object_or_404(dataset.mislabels, pk=number(request.POST["mislabel"])))
        messages.success(request, _("Undone."))
    else:
        action = action_to_undo(request.user, pk, number(request.POST.get("action", "")))
        messages.success(request, told_undo(undo(action=action, user=person(request))))
    return on(request, pk)
