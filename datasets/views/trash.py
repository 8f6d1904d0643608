"""The trash of a project or of one data set: what lies there, the way back, and the way out for good."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from datasets.access import dataset_for
from datasets.models import Dataset
from datasets.releasing import cost_of_all, release_chosen
from datasets.trash import Chosen, Place, chosen_in, days_left, everything_in, restore, with_who
from datasets.views.acknowledging import person
from projects.access import may, project_for
from projects.models import Project, Role
from web.sentences import Refusal

A_PAGE = 60
MAY_SEE, MAY_RESTORE, MAY_RELEASE = Role.LABELLER, Role.ENGINEER, Role.OWNER


@login_required
@require_safe
def of_project(request: HttpRequest, project_pk: int) -> HttpResponse:
    """Everything that was moved to the trash in the project."""
    return show(request, Place(project_for(request.user, project_pk, at_least=MAY_SEE)))


@login_required
@require_safe
def of_dataset(request: HttpRequest, pk: int) -> HttpResponse:
    """What was moved to the trash in one data set."""
    dataset = dataset_for(request.user, pk, at_least=MAY_SEE)
    return show(request, Place(dataset.project, dataset))


def show(request: HttpRequest, place: Place) -> HttpResponse:
    """The page behind both."""
    shown = Paginator(with_who(place.images()), A_PAGE).get_page(request.GET.get("page"))
    first = shown.number == 1
    context = {
        "project": place.project,
        "active": "data",
        "dataset": place.dataset,
        "page": shown,
        "in_trash": shown.paginator.count,
        "images": [(image, days_left(image.trashed_at)) for image in shown if image.trashed_at],
        "labels": [
            (label, days_left(label.removed_at)) for label in place.labels() if label.removed_at and first
        ],
        "datasets": [
            (each, days_left(each.trashed_at)) for each in place.datasets() if each.trashed_at and first
        ],
        "may_restore": may(request.user, place.project, at_least=MAY_RESTORE),
        "may_release": may(request.user, place.project, at_least=MAY_RELEASE),
    }
    return render(request, "datasets/trash_page.html", context)


def asked_for(request: HttpRequest, place: Place) -> Chosen:
    """What the form means: the ticked things, or all that lie in its trash."""
    if request.POST.get("all"):
        return everything_in(place)
    return chosen_in(
        place,
        images=numbers(request, "images"),
        labels=numbers(request, "labels"),
        datasets=numbers(request, "datasets"),
    )


def dataset_in(request: HttpRequest, project: Project) -> Dataset | None:
    """The data set whose trash the form stands in."""
    number = request.POST.get("dataset", "")
    known = number.isdecimal() and len(number) < 19
    return get_object_or_404(project.datasets, pk=int(number), trashed_at=None) if known else None


def numbers(request: HttpRequest, kind: str) -> list[int]:
    """The ticked ones."""
    return [int(each) for each in request.POST.getlist(kind) if each.isdecimal() and len(each) < 19]


def back(request: HttpRequest, project: Project) -> HttpResponse:
    """To the trash where the form stood."""
    if dataset := dataset_in(request, project):
        return redirect("datasets:trash", dataset.pk)
    return redirect("datasets:project-trash", project.pk)


@login_required
@require_POST
def bring_back(request: HttpRequest, project_pk: int) -> HttpResponse:
    """Take things out of the trash: pictures with their labels, labels with their pictures, whole data sets."""
    project = project_for(request.user, project_pk, at_least=MAY_RESTORE)
    place = Place(project, dataset_in(request, project))
    try:
        count = restore(user=person(request), chosen=asked_for(request, place))
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return back(request, project)
    if count:
        told = ngettext("%(count)s thing is back.", "%(count)s things are back.", count)
        messages.success(request, told % {"count": count})
    else:
        messages.info(request, _("Nothing was ticked."))
    return back(request, project)


@login_required
@require_POST
def let_go(request: HttpRequest, project_pk: int) -> HttpResponse:
    """First says what a release frees and which versions used it; with the word given, releases.

    Emptying leaves whole data sets: each is released by itself, with its name typed.
    """
    project = project_for(request.user, project_pk, at_least=MAY_RELEASE)
    place = Place(project, dataset_in(request, project))
    everything = bool(request.POST.get("all"))
    chosen = asked_for(request, place)
    if everything:
        chosen = chosen.without_datasets()
    if chosen.nothing:
        messages.info(request, _("Nothing was ticked."))
        return back(request, project)
    if "confirmed" in request.POST:
        typed = request.POST.get("typed", "")
        try:
            release_chosen(
                place=place, user=person(request), chosen=chosen, everything=everything, typed=typed
            )
            messages.success(request, _("The storage is being freed; Jobs shows how far it is."))
            return back(request, project)
        except Refusal as refusal:
            messages.error(request, str(refusal))
    return render(request, "datasets/trash_release.html", about_release(place, chosen, everything))


def about_release(place: Place, chosen: Chosen, everything: bool) -> dict[str, Any]:
    """How much it is, and what was made with it."""
    ticked = {"images": chosen.images, "labels": chosen.labels, "datasets": chosen.datasets}
    return {
        "project": place.project,
        "active": "data",
        "cost": cost_of_all(chosen),
        "all": everything,
        "chosen": {} if everything else {kind: [row.pk for row in rows] for kind, rows in ticked.items()},
        "names": [dataset.name for dataset in chosen.datasets],
        "labels": [label.name for label in chosen.labels],
        "dataset": place.dataset,
    }
