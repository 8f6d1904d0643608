"""Near-duplicates side by side: keep one of each group, or say that they differ."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from datasets.access import action_to_undo, dataset_for
from datasets.alike import (
    counted,
    dismiss,
    keep_best_of_all,
    keep_one,
    members_of,
    open_groups,
    take_back_dismissal,
)
from datasets.models import AlikeGroup, AlikeSearch, TagAction
from datasets.tagging import undo
from datasets.told import told_act, told_undo
from datasets.views.acknowledging import MAY_DELETE, person
from datasets.views.insight import search_of
from projects.access import may
from projects.models import Role

GROUPS_A_PAGE = 20
SHOWN_MEMBERS = 24


@login_required
@require_safe
def near_duplicates(request: HttpRequest, pk: int) -> HttpResponse:
    """The groups, those first whose labels differ."""
    dataset = dataset_for(request.user, pk)
    page = Paginator(open_groups(dataset), GROUPS_A_PAGE).get_page(request.GET.get("page"))
    groups = list(page)
    members = members_of(groups)
    context = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "search": AlikeSearch.objects.filter(dataset=dataset).first(),
        "job": search_of(dataset.pk),
        "counts": counted(dataset),
        "page": page,
        "groups": [
            (group, members[group.pk][:SHOWN_MEMBERS], max(0, len(members[group.pk]) - SHOWN_MEMBERS))
            for group in groups
        ],
        "undo": number(request.GET.get("undo")),
        "differ": number(request.GET.get("differ")),
        "may_tag": may(request.user, dataset.project, at_least=Role.LABELLER),
        "may_delete": may(request.user, dataset.project, at_least=MAY_DELETE),
    }
    return render(request, "datasets/dataset_near_duplicates.html", context)


def number(text: str | None) -> int:
    """An id from the address; 0 for anything else."""
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 19 else 0


@login_required
@require_POST
def keep(request: HttpRequest, pk: int, group_pk: int) -> HttpResponse:
    """Keep the chosen picture; the group's others go to the trash."""
    dataset = dataset_for(request.user, pk, at_least=MAY_DELETE)
    group = get_object_or_404(AlikeGroup.objects.select_related("dataset"), pk=group_pk, dataset=dataset)
    chosen = group.members.filter(image=number(request.POST.get("image")), image__trashed_at=None).first()
    if chosen is None:
        raise Http404
    return done(request, keep_one(group=group, keep=chosen.image, user=person(request)))


@login_required
@require_POST
def keep_all(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the best of every group whose labels agree."""
    dataset = dataset_for(request.user, pk, at_least=MAY_DELETE)
    return done(request, keep_best_of_all(dataset=dataset, user=person(request)))


def done(request: HttpRequest, action: TagAction) -> HttpResponse:
    """Say what went, with the undo on the page."""
    messages.success(request, told_act(action))
    back = reverse("datasets:near-duplicates", args=[action.dataset_id])
    return redirect(f"{back}?undo={action.pk}" if action.changed else back)


@login_required
@require_POST
def differ(request: HttpRequest, pk: int, group_pk: int) -> HttpResponse:
    """These are different pictures; or, again, they are not."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER)
    group = get_object_or_404(AlikeGroup, pk=group_pk, dataset=dataset)
    back = reverse("datasets:near-duplicates", args=[pk])
    if "again" in request.POST:
        take_back_dismissal(group=group)
        return redirect(back)
    dismiss(group=group, user=person(request))
    messages.success(request, _("The group is put aside, and later searches leave these pictures apart."))
    return redirect(f"{back}?differ={group.pk}")


@login_required
@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo what was moved to the trash from this page."""
    action = action_to_undo(request.user, pk, number(request.POST.get("action")))
    messages.success(request, told_undo(undo(action=action, user=person(request))))
    return redirect("datasets:near-duplicates", pk)
