"""Pages of one version while it is made: live state, stop, cancel."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from projects.access import may
from projects.models import Role
from projects.notices import mails
from training import versions
from training.access import version_for
from training.live import before, curve_of, held_up, is_fresh, time_of, watch_of
from training.models import ModelVersion, VersionState
from training.networks import sentences_of
from training.together import others_of
from web.sentences import Refusal

STAGES = (VersionState.PREPARING, VersionState.TRAINING, VersionState.EXPORTING, VersionState.EVALUATING)


@login_required
@require_safe
def version(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """What a version is doing, or what became of it."""
    return render(request, "training/version_detail.html", run_context(request, model_pk, number))


@login_required
@require_safe
def live(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """The part of the page that changes; once a version has succeeded it leads to the report."""
    context = run_context(request, model_pk, number)
    response = render(request, "training/_version_live.html", context)
    if context["version"].state == VersionState.SUCCEEDED:  # type: ignore[attr-defined]
        response["HX-Redirect"] = reverse("training:report", args=[model_pk, number])
    return response


@login_required
@require_POST
def stop(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Keep the best so far."""
    return act(request, version_for(request.user, model_pk, number, at_least=Role.ENGINEER), "stop")


@login_required
@require_POST
def cancel(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Throw away what there is."""
    return act(request, version_for(request.user, model_pk, number, at_least=Role.ENGINEER), "cancel")


def act(request: HttpRequest, version: ModelVersion, verb: str) -> HttpResponse:
    """Stop or cancel, say what happens, and show the version."""
    try:
        if verb == "stop":
            versions.stop(version, request.user)  # type: ignore[arg-type]
            messages.info(request, _("Stopping; the best so far is kept."))
        else:
            versions.cancel(version, request.user)  # type: ignore[arg-type]
            messages.info(request, _("Cancelling; nothing is kept."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("training:version", version.model_id, version.number)


def run_context(request: HttpRequest, model_pk: int, number: int) -> dict[str, object]:
    """What the page and its live part show."""
    version = version_for(request.user, model_pk, number)
    reached = STAGES.index(version.state) if version.state in STAGES else -1
    stages = [
        (stage.label, "done" if at < reached or version.usable else "now" if at == reached else "")
        for at, stage in enumerate(STAGES)
    ]
    engineer, watch = may(request.user, version.model.project, at_least=Role.ENGINEER), watch_of(version)
    return {
        "project": version.model.project,
        "model": version.model,
        "version": version,
        "stages": stages,
        "time": time_of(version),
        "before": before(version),
        "held_up": held_up(version),
        "others": [each for each in others_of(version) if version.ended or not each.ended],
        "passed_over": sentences_of(version.choice.get("passed_over", [])),
        "curve": curve_of(version),
        "machine": watch.machine if watch and not version.ended and is_fresh(watch) else None,
        "log": watch.log if watch and engineer else "",
        "may_train": engineer,
        "is_mine": version.created_by_id == request.user.pk,
        "mails": mails(request.user),  # type: ignore[arg-type]
        "mail_server": settings.MAIL_SERVER,
        "active": "models",
    }
