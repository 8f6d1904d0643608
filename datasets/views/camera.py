"""Pictures straight from a camera, under one label: the page, and the undo of a burst."""

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_POST, require_safe

from datasets.access import dataset_for
from datasets.imports import UNFINISHED, cancel_import
from datasets.models import Dataset, Image
from datasets.tagging import trash_images
from datasets.told import told_act
from datasets.views.acknowledging import person
from projects.models import Role
from web.problems import refusal
from web.sentences import Conflict

MARK = "burst-"
# Only here; web.middleware closes the camera everywhere else.
PERMISSIONS = "camera=(self), microphone=(), geolocation=()"


class StillComingIn(Conflict):
    """A burst whose import has not ended."""

    code = "import-not-ended"


@login_required
@require_safe
def camera(request: HttpRequest, pk: int) -> HttpResponse:
    """Hold a button, and pictures go into the label."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER, scope="upload")
    context: dict[str, Any] = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "labels": dataset.labels.all(),
    }
    response = render(request, "datasets/import_camera.html", context)
    response.headers["Permissions-Policy"] = PERMISSIONS
    return response


@login_required
@require_POST
def undo_burst(request: HttpRequest, pk: int) -> HttpResponse:
    """Move the person's own burst to the trash; what has not come in yet does not come in."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER, scope="upload")
    try:
        told = take_back(dataset, request, request.POST.get("group", ""))
    except StillComingIn as error:
        return refusal(error)
    return JsonResponse({"message": told})


def take_back(dataset: Dataset, request: HttpRequest, group: str) -> str:
    """What was done, in a sentence. Raises StillComingIn."""
    user = person(request)
    mine = dataset.imports.filter(group=group, created_by=user).exclude(group="")
    if not group.startswith(MARK):
        mine = mine.none()
    for found in mine.filter(state__in=UNFINISHED).select_related("job"):
        cancel_import(found)
    if mine.filter(state__in=UNFINISHED).exists():
        raise StillComingIn(gettext_noop("The burst is still coming in; try again in a moment."))
    chosen = Image.objects.filter(source__in=mine, group=group)
    return told_act(trash_images(dataset=dataset, user=user, chosen=chosen))
