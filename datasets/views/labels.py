"""Labels of a data set: add, change, order, archive, merge into another, delete."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from datasets.access import dataset_for
from datasets.label_changes import MOST_EXAMPLES, Wish, change_label, examples_of, show_example
from datasets.label_looks import KEYS, PALETTE, place_of, with_keys
from datasets.labels import create_label, delete_label
from datasets.models import Dataset, Label
from datasets.none_of_these import add_none_of_these
from datasets.told import told_removal
from datasets.views.acknowledging import MAY_EDIT_LABELS, Asked, Done, acknowledged, person
from web.problems import refusal
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
    except Refusal as error:
        messages.error(request, str(error))
    return redirect(back_to(request, dataset))


@login_required
@require_POST
def add_none(request: HttpRequest, pk: int) -> HttpResponse:
    """The label for pictures that are none of these."""
    dataset = dataset_for(request.user, pk, at_least=MAY_EDIT_LABELS, scope="label")
    try:
        label = add_none_of_these(dataset=dataset, user=person(request))
        said = _("“%(name)s” was added. Tag pictures with it that show nothing of the others.")
        messages.success(request, said % {"name": label.name})
    except Refusal as error:
        messages.error(request, str(error))
    return redirect(back_to(request, dataset))


def back_to(request: HttpRequest, dataset: Dataset) -> str:
    """The bench as it stood."""
    query = request.POST.get("view", "")
    return reverse("datasets:detail", args=[dataset.pk]) + (f"?{query}" if query else "")


@login_required
@require_safe
def label(request: HttpRequest, pk: int, label_pk: int) -> HttpResponse:
    """Change a label, or take it away saying where its pictures go; in a dialog or a page by itself."""
    dataset, found = labels_door(request, pk, label_pk)
    context = {"project": dataset.project, "active": "data", "view": request.GET.get("view", "")}
    context |= about(dataset, found)
    alone = request.headers.get("X-Requested-With") != "XMLHttpRequest"
    return render(request, "datasets/label_detail.html" if alone else "datasets/_label.html", context)


def about(dataset: Dataset, found: Label) -> dict[str, Any]:
    """What there is to say of a label, and to choose for it."""
    labels = with_keys(list(dataset.labels.all()))
    mine = next(each for each in labels if each.pk == found.pk)
    owners = {each.key: each.name for each in labels if each.key}  # type: ignore[attr-defined]
    return {
        "dataset": dataset,
        "label": mine,
        **places(labels, mine),
        "count": dataset.images.live().filter(label=found).count(),
        "others": [each for each in labels if each.pk != found.pk and each.in_use],
        "colours": [(colour, place, place == place_of(found)) for place, colour in enumerate(PALETTE)],
        "keys": [(key, owners.get(key, "")) for key in KEYS],
        "examples": examples_of(found),
        "most_examples": MOST_EXAMPLES,
    }


def places(labels: list[Label], mine: Label) -> dict[str, int | None]:
    """Where the label would stand one further up or down among those that are shown with it; None at an end."""
    beside = [place for place, each in enumerate(labels) if each.in_use == mine.in_use]
    at = beside.index(labels.index(mine))
    up, down = beside[at - 1] if at else None, beside[at + 1] if at + 1 < len(beside) else None
    return {"up": up, "down": down}


@login_required
@require_POST
def change(request: HttpRequest, pk: int, label_pk: int) -> HttpResponse:
    """Another name, colour, key, description or place, or into and out of the archive: what the form names."""
    dataset, found = labels_door(request, pk, label_pk)
    by_script = request.headers.get("X-Requested-With") == "XMLHttpRequest"
    try:
        change_label(label=found, user=person(request), wish=wish_of(request))
    except Refusal as error:
        if by_script:
            return refusal(error)
        messages.error(request, str(error))
        return redirect("datasets:label", pk, label_pk)
    if by_script:
        return HttpResponse(status=204)
    messages.success(request, _("%(label)s is changed.") % {"label": found.name})
    if request.POST.get("stay"):
        return redirect("datasets:label", pk, label_pk)
    return redirect(back_to(request, dataset))


def wish_of(request: HttpRequest) -> Wish:
    """From the form's fields; those that it has not stay as they are."""
    sent = request.POST
    place = sent.get("position", "")
    return Wish(
        name=sent.get("name"),
        colour=sent.get("colour"),
        key=sent.get("key"),
        description=sent.get("description"),
        position=int(place) if place.isdecimal() and len(place) < 9 else None,
        archived=sent["archived"] == "1" if "archived" in sent else None,
    )


@login_required
@require_POST
def example(request: HttpRequest, pk: int, label_pk: int) -> HttpResponse:
    """A picture stands for the label, or no longer does (`remove`)."""
    dataset, found = labels_door(request, pk, label_pk)
    number = request.POST.get("image", "")
    image = get_object_or_404(
        dataset.images, pk=int(number) if number.isdecimal() and len(number) < 19 else 0
    )
    shown, by_script = not request.POST.get("remove"), request.headers.get("X-Requested-With")
    try:
        show_example(label=found, image=image, shown=shown)
    except Refusal as error:
        if by_script:
            return refusal(error)
        messages.error(request, str(error))
        return redirect("datasets:label", pk, label_pk)
    told = _("It is an example of %(label)s now.") if shown else _("It is no example of %(label)s any more.")
    if by_script:
        return JsonResponse({"message": told % {"label": found.name}})
    messages.success(request, told % {"label": found.name})
    there = request.POST.get("next", "")
    if url_has_allowed_host_and_scheme(there, allowed_hosts=None):
        return redirect(there)
    return redirect("datasets:label", pk, label_pk)


@login_required
@require_POST
def delete(request: HttpRequest, pk: int, label_pk: int) -> HttpResponse:
    """Take a label away; its pictures get another one (`move_to`) or none. An act, so it can be undone."""
    dataset, found = labels_door(request, pk, label_pk)

    def act(asked: Asked) -> Done:
        wanted = asked.body.get("move_to")
        heir = get_object_or_404(dataset.labels, pk=asked.number("move_to")) if wanted else None
        action = delete_label(label=found, user=asked.user, move_to=heir)
        told = told_removal(found.name, heir.name if heir else "", action.changed)
        return Done(told, action.changed, action.pk, labels_changed=True)

    return acknowledged(request, dataset, act)
