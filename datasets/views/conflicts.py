"""The queue of pictures under two labels: one picture, two labels, one key each."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from datasets.access import action_to_undo, dataset_for
from datasets.conflicts import open_conflicts, reopen, settle
from datasets.models import LabelConflict
from datasets.views.acknowledging import person
from projects.access import may
from projects.models import Role
from web.sentences import Refusal


@login_required
@require_safe
def queue(request: HttpRequest, pk: int) -> HttpResponse:
    """The next one; `after=` leaves those before it for later, `done=` offers to take the last decision back."""
    dataset = dataset_for(request.user, pk)
    conflicts = open_conflicts(dataset)
    after, last = number_in(request, "after"), number_in(request, "done")
    rows = conflicts.select_related("image__label", "image__source", "label", "source", "source__created_by")
    # Round again, when those that were left for later are all that is left
    now = rows.filter(pk__gt=after).first() or rows.first()
    context = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "conflict": now,
        "left": conflicts.count(),
        "last": dataset.conflicts.select_related("image", "label", "action").filter(pk=last).first(),
        "may_tag": may(request.user, dataset.project, at_least=Role.LABELLER),
    }
    return render(request, "datasets/conflict_queue.html", context)


def number_in(request: HttpRequest, key: str) -> int:
    """A number in the address; 0 where there is none."""
    text = request.GET.get(key, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else 0


@login_required
@require_POST
def settle_one(request: HttpRequest, pk: int, conflict_pk: int) -> HttpResponse:
    """Keep the label that the picture has, or give it the other one."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER, scope="label")
    conflict = get_object_or_404(
        LabelConflict.objects.select_related("dataset"), pk=conflict_pk, dataset=dataset
    )
    address = reverse("datasets:conflicts", args=[pk])
    take = {"here": False, "other": True}.get(request.POST.get("take", ""))
    if take is None:
        messages.error(request, _("Say which of the two labels is right."))
        return redirect(f"{address}?after={conflict.pk - 1}")
    try:
        settle(conflict=conflict, user=person(request), take=take)
    except Refusal as error:
        messages.error(request, str(error))
        return redirect(f"{address}?after={conflict.pk}")
    return redirect(f"{address}?after={conflict.pk}&done={conflict.pk}")


@login_required
@require_POST
def reopen_one(request: HttpRequest, pk: int, conflict_pk: int) -> HttpResponse:
    """Take a decision back."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER, scope="label")
    found = LabelConflict.objects.select_related("action__dataset", "dataset")
    conflict = get_object_or_404(found, pk=conflict_pk, dataset=dataset)
    if conflict.action_id:
        action_to_undo(request.user, pk, conflict.action_id)
    reopen(conflict=conflict, user=person(request))
    return redirect(f"{reverse('datasets:conflicts', args=[pk])}?after={conflict.pk - 1}")
