"""Copying a data set; copying or moving pictures to another one."""

from typing import Any
from urllib.parse import parse_qsl

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from datasets.access import dataset_for, datasets_of
from datasets.copying import Copied, copy_dataset, send
from datasets.models import Dataset
from datasets.selection import Selection
from datasets.views.acknowledging import person
from projects.access import allowed_projects, project_for
from projects.models import Membership, Project, Role
from web.sentences import Refusal

MAY_COPY = Role.ENGINEER
SHOWN = 12


def open_projects(request: HttpRequest) -> "QuerySet[Project]":
    """The projects in which this person may make data sets."""
    mine = Membership.objects.filter(user=person(request), role__gte=MAY_COPY)
    return allowed_projects(request.user).filter(pk__in=mine.values("project")).order_by("name")


def number(text: str) -> int:
    """A number in a form."""
    if not text.isdecimal() or len(text) > 18:
        raise Http404
    return int(text)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def copy(request: HttpRequest, pk: int) -> HttpResponse:
    """The whole data set under another name."""
    dataset = dataset_for(request.user, pk, at_least=MAY_COPY, scope="upload")
    name = request.POST.get("name", _("%(name)s (copy)") % {"name": dataset.name[:70]}).strip()[:80]
    if request.method == "POST" and name:
        wanted = request.POST.get("project", "")
        project = dataset.project
        if wanted:
            project = project_for(request.user, number(wanted), at_least=MAY_COPY, scope="upload")
        try:
            made, job = copy_dataset(dataset=dataset, name=name, project=project, user=person(request))
        except Refusal as refusal:
            messages.error(request, str(refusal))
        else:
            if job:
                messages.info(request, _("The pictures are being copied; Jobs shows how far it is."))
            return redirect("datasets:detail", made.pk)
    context = about(request, dataset) | {"name": name, "pictures": dataset.images.live().count()}
    return render(request, "datasets/dataset_copy.html", context)


def about(request: HttpRequest, dataset: Dataset) -> dict[str, Any]:
    """What both pages show."""
    return {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "projects": open_projects(request),
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def move(request: HttpRequest, pk: int) -> HttpResponse:
    """Chosen pictures, or all that match a filter; first where to, then the act."""
    dataset = dataset_for(request.user, pk, at_least=MAY_COPY, scope="label")
    sent = request.POST if request.method == "POST" else request.GET
    by_filter = not sent.getlist("images") or bool(sent.get("all"))
    images = [] if by_filter else [number(each) for each in sent.getlist("images")]
    query = sent.get("filter", "")
    try:
        chosen = (
            Selection.of(dataset, filter=dict(parse_qsl(query)))
            if by_filter
            else Selection.of(dataset, images=images)
        )
        if request.method == "POST" and sent.get("to"):
            to = dataset_for(request.user, number(sent["to"]), at_least=MAY_COPY, scope="label")
            act = sent.get("act") == "move"
            done = send(chosen=chosen, source=dataset, to=to, user=person(request), move=act)
            messages.success(request, told(done, to, moved=act))
            return redirect("datasets:detail", pk)
    except Refusal as refusal:
        messages.error(request, str(refusal))
        return redirect("datasets:detail", pk)
    context = about(request, dataset) | {
        "others": others(request, dataset),
        "images": images,
        "query": query,
        "count": chosen.filter(trashed_at=None).count(),
        "shown": chosen.filter(trashed_at=None)[:SHOWN],
    }
    return render(request, "datasets/image_move.html", context)


def others(request: HttpRequest, dataset: Dataset) -> "QuerySet[Dataset]":
    """Where pictures can go."""
    found = datasets_of(request.user).filter(project__in=open_projects(request)).exclude(pk=dataset.pk)
    return found.select_related("project").order_by("project__name", "name")


def told(done: Copied, to: Dataset, *, moved: bool) -> str:
    """“12 pictures moved to Cats; 3 were there already and stay.”"""
    if done.job:
        return _("This goes on in the background; Jobs shows how far it is.")
    if moved:
        text = ngettext(
            "%(count)s picture moved to %(name)s.", "%(count)s pictures moved to %(name)s.", done.copied
        )
    else:
        text = ngettext(
            "%(count)s picture copied to %(name)s.", "%(count)s pictures copied to %(name)s.", done.copied
        )
    said = text % {"count": intcomma(done.copied), "name": to.name}
    if done.there:
        stay = ngettext(
            "%(count)s was there already and stays as it is.",
            "%(count)s were there already and stay as they are.",
            done.there,
        )
        said += " " + stay % {"count": intcomma(done.there)}
    return said
