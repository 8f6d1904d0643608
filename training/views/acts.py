"""What people do with a version as a whole: write notes, put it away, bring it back, delete it."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from projects.models import Role
from training import notes as noting
from training import removing
from training.access import version_for
from training.models import ModelVersion
from training.views.history import about
from web.sentences import Refusal


@login_required
@require_POST
def notes(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Keep what was written."""
    version = mine(request, model_pk, number)
    try:
        noting.write_notes(version=version, user=request.user, text=request.POST.get("notes", ""))  # type: ignore[arg-type]
        messages.success(request, _("Notes saved."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("training:details", model_pk, number)


@login_required
@require_POST
def archive(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Put it away."""
    version = mine(request, model_pk, number)
    try:
        noting.archive(version=version, user=request.user)  # type: ignore[arg-type]
        messages.success(request, _("Version %(number)s is archived.") % {"number": number})
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("training:details", model_pk, number)


@login_required
@require_POST
def bring_back(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Into the lists again."""
    noting.bring_back(version=mine(request, model_pk, number), user=request.user)  # type: ignore[arg-type]
    messages.success(request, _("Version %(number)s is back in the list.") % {"number": number})
    return redirect("training:details", model_pk, number)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Say what goes for good; do it once that was confirmed."""
    version = mine(request, model_pk, number)
    error = None
    if request.POST.get("confirmed"):
        try:
            released = removing.remove(version=version, user=request.user)  # type: ignore[arg-type]
            said = _("Version %(number)s is deleted; %(size)s released.")
            messages.success(request, said % {"number": number, "size": filesizeformat(released)})
            return redirect("training:model", model_pk)
        except Refusal as refusal:
            error = refusal
    context = about(request, version) | {
        "uses": removing.uses_of(version),
        "frees": removing.frees(version),
        "error": error,
    }
    return render(request, "training/version_delete.html", context, status=error.status if error else 200)


def mine(request: HttpRequest, model_pk: int, number: int) -> ModelVersion:
    """The version, for engineers."""
    return version_for(request.user, model_pk, number, at_least=Role.ENGINEER)
