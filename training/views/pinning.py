"""Pages' acts on a model's pinned test set: pin what a version held back, or a snapshot; unpin."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from datasets.models import Snapshot
from projects.models import Role
from training import pinning
from training.access import model_for, snapshot_for
from training.models import PinnedSet, RegisteredModel
from web.sentences import Refusal


@login_required
@require_POST
def pin(request: HttpRequest, pk: int) -> HttpResponse:
    """`source`: `version:NUMBER` or `snapshot:ID`."""
    model = model_for(request.user, pk, at_least=Role.ENGINEER)
    kind, _colon, number = request.POST.get("source", "").partition(":")
    if kind not in ("version", "snapshot") or not (number.isdecimal() and len(number) < 10):
        messages.error(request, _("Choose what to pin."))
        return redirect("training:model", pk)
    try:
        made = pinned_from(request, model, **{kind: int(number)})
        said = _("Pinned: the next versions are judged on these %(n)s pictures and never learn from them.")
        messages.success(request, said % {"n": made.pictures})
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("training:model", pk)


@login_required
@require_POST
def unpin(request: HttpRequest, pk: int) -> HttpResponse:
    """The next versions hold back pictures of their own again."""
    model = model_for(request.user, pk, at_least=Role.ENGINEER)
    try:
        pinning.unpin(model=model, user=request.user)  # type: ignore[arg-type]
        messages.success(request, _("Unpinned: the next versions hold back pictures of their own."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("training:model", pk)


def pinned_from(
    request: HttpRequest, model: RegisteredModel, *, version: int = 0, snapshot: int = 0
) -> PinnedSet:
    """Pin it; Http404 for what the model or its project does not have. Raises Refusal."""
    if snapshot:
        found = snapshot_for(request.user, model, snapshot)
        return pinning.pin_snapshot(model=model, snapshot=found, user=request.user)  # type: ignore[arg-type]
    one = model.versions.select_related("model__project").filter(number=version).first()
    if one is None:
        raise Http404
    return pinning.pin_version(version=one, user=request.user)  # type: ignore[arg-type]


def about_pinning(model: RegisteredModel) -> dict[str, object]:
    """For the model's page: the test set, and what could be pinned."""
    found = pinning.test_set_of(model)
    if found:
        return {"test_set": found}
    named = Snapshot.objects.filter(dataset__project=model.project_id, dataset__trashed_at=None)
    return {
        "test_set": None,
        "pinnable": model.versions.usable().filter(own_file="").exclude(manifest_key="").order_by("-number"),
        "pinnable_snapshots": named.exclude(name="").select_related("dataset").order_by("-pk"),
    }
