"""The page of a service, and what its buttons do."""

from collections.abc import Callable
from typing import Any, BinaryIO

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from projects.access import Forbidden, caller, may
from projects.models import AccessToken, Role
from serving import publication, revisions
from serving.access import service_for, service_to_call
from serving.addresses import predict_url
from serving.dialects.bodies import stream_of
from serving.dialects.taxon import as_json, objects_of
from serving.forms import SwitchForm, TokenForm
from serving.guide import recipes
from serving.models import Service, ServiceState
from serving.online import NotOnline, Overloaded, Picture, predict
from serving.pictures import BadPicture
from serving.previews import bars, preview
from serving.records import calls_today
from serving.revisions import BadShares, NothingEarlier, Share, VersionArchived, VersionUnusable
from serving.sessions import ModelUnavailable
from serving.tokens import make_service_token, revoke_service_token

TIMELINE = 50


def context_of(request: HttpRequest, service: Service, **more: Any) -> dict[str, Any]:
    """What the page of a service shows; `more` adds a fresh secret or the result of a test."""
    url = predict_url(service.slug, request)
    project = service.project
    shares = (
        {entry["number"]: entry["share"] for entry in service.revision.versions} if service.revision else {}
    )
    versions = service.model.versions.usable().order_by("-number")
    tokens = (
        AccessToken.objects.live().filter(resource=service.resource).select_related("user").order_by("-id")
    )
    return {
        "project": project,
        "service": service,
        "url": url,
        "recipes": recipes(url, more.get("secret", "")),
        "calls_today": calls_today(service),
        "versions": [{"version": version, "share": shares.get(version.number, 0)} for version in versions],
        "timeline": service.revisions.select_related("created_by", "repeats").order_by("-number")[:TIMELINE],
        "earlier": revisions.earlier_than(service.revision),
        "tokens": tokens,
        "token_form": TokenForm(),
        "is_owner": may(request.user, project, at_least=Role.OWNER),
        "is_engineer": may(request.user, project, at_least=Role.ENGINEER),
        "may_call": may(request.user, project, at_least=Role.LABELLER),
        "needs_other_eyes": project.four_eyes and service.created_by_id == request.user.pk,
        "active": "services",
        **more,
    }


@login_required
@require_safe
def detail(request: HttpRequest, slug: str) -> HttpResponse:
    """Status and control, try it, the result, how to call it, and what was served when."""
    service = service_for(request.user, slug)
    return render(request, "serving/service_detail.html", context_of(request, service))


@login_required
@require_safe
def status(request: HttpRequest, slug: str) -> HttpResponse:
    """The live state while it warms up; afterwards the whole page is another."""
    service = service_for(request.user, slug)
    response = render(request, "serving/_service_state.html", {"service": service})
    if service.state != ServiceState.WARMING:
        response["HX-Redirect"] = reverse("serving:detail", args=[slug])
    return response


@login_required
@require_POST
def decide(request: HttpRequest, slug: str, act: Callable[..., Service]) -> HttpResponse:
    """Approve, reject, take offline, bring online."""
    service = service_for(request.user, slug, at_least=Role.OWNER)
    try:
        act(service=service, by=request.user)
    except (publication.WrongState, Forbidden) as error:
        messages.error(request, str(error))
    return redirect("serving:detail", slug)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def release(request: HttpRequest, slug: str) -> HttpResponse:
    """Give the service up; its address is typed to confirm."""
    service = service_for(request.user, slug, at_least=Role.OWNER)
    if request.method == "POST" and request.POST.get("name", "").strip() == service.slug:
        publication.release(service=service, by=request.user)
        messages.success(request, _("“%(slug)s” was given up. The address is free again.") % {"slug": slug})
        return redirect("serving:list", service.project_id)
    wrong = request.method == "POST"
    context = context_of(request, service, wrong=wrong)
    return render(request, "serving/service_release.html", context, status=422 if wrong else 200)


def is_number(text: str) -> bool:
    """Whether `int` takes it and a column holds it."""
    return text.isdecimal() and len(text) < 10


def wanted_shares(request: HttpRequest, service: Service) -> list[Share]:
    """The one version chosen, or the shares written for several; raises BadShares."""
    chosen = request.POST.get("version", "")
    if chosen and chosen != "several":
        return [Share(int(chosen))] if is_number(chosen) else []
    shares = []
    for version in service.model.versions.usable():
        text = request.POST.get(f"share-{version.number}", "").strip()
        if text and text != "0":
            shares.append(Share(version.number, int(text) if is_number(text) else -1))
    return shares


@login_required
@require_POST
def switch(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve other versions."""
    service = service_for(request.user, slug, at_least=Role.OWNER)
    form = SwitchForm(request.POST)
    if not form.is_valid():
        messages.error(request, " ".join(map(str, form.errors["threshold"])))
        return redirect("serving:detail", slug)
    try:
        revision = revisions.switch(
            service=service,
            shares=wanted_shares(request, service),
            by=request.user,
            threshold=form.cleaned_data["threshold"],
        )
        messages.success(request, _("Revision %(number)s is live.") % {"number": revision.number})
    except (BadShares, VersionUnusable, VersionArchived, ModelUnavailable, revisions.NotDecided) as error:
        messages.error(request, str(error))
    return redirect("serving:detail", slug)


@login_required
@require_POST
def rollback(request: HttpRequest, slug: str) -> HttpResponse:
    """Serve what was served before, or a revision of the timeline."""
    service = service_for(request.user, slug, at_least=Role.OWNER)
    wanted = request.POST.get("revision", "")
    try:
        revision = revisions.roll_back(
            service=service, by=request.user, to=int(wanted) if is_number(wanted) else None
        )
        origin = revision.repeats.number if revision.repeats else revision.number
        messages.success(request, _("Rolled back: revision %(number)s is live again.") % {"number": origin})
    except (NothingEarlier, ModelUnavailable, revisions.NotDecided) as error:
        messages.error(request, str(error))
    return redirect("serving:detail", slug)


@login_required
@require_POST
@never_cache
def make_token(request: HttpRequest, slug: str) -> HttpResponse:
    """A token for a program; its secret is on this very answer and nowhere else."""
    service = service_for(request.user, slug, at_least=Role.ENGINEER, scope="publish")
    form, secret = TokenForm(request.POST), ""
    if form.is_valid():
        secret = make_service_token(service=service, name=form.cleaned_data["name"], by=request.user)[1]
        form = TokenForm()
    context = context_of(request, service, secret=secret, token_form=form)
    return render(request, "serving/service_detail.html", context, status=200 if secret else 422)


@login_required
@require_POST
def revoke_token(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """End a program's token at once."""
    service = service_for(request.user, slug, at_least=Role.ENGINEER, scope="publish")
    token = get_object_or_404(AccessToken, pk=pk, resource=service.resource)
    revoke_service_token(token=token, service=service, by=request.user)
    messages.success(request, _("The token “%(name)s” no longer opens anything.") % {"name": token.name})
    return redirect("serving:detail", slug)


@login_required
@require_POST
def try_it(request: HttpRequest, slug: str) -> HttpResponse:
    """The online test without scripts: one picture, answered on the page."""
    service = service_to_call(request.user, slug)
    file = request.FILES.get("images")
    result: dict[str, Any] = {"refusal": _("Choose a picture first."), "status": 422}
    if file:
        result = tested(request, service, stream_of(file), file.name or "")
    context = context_of(request, service, result=result)
    return render(request, "serving/service_detail.html", context, status=result["status"])


def tested(request: HttpRequest, service: Service, picture: BinaryIO, name: str) -> dict[str, Any]:
    """What the service says to one picture, for the page."""
    seen = {"preview": preview(picture)}
    try:
        answered = predict(service, [Picture(picture, name)], asking=caller(request.user))
    except (NotOnline, BadPicture, ModelUnavailable, Overloaded) as error:
        return seen | {"refusal": str(error), "status": error.status}
    (answer,) = objects_of(answered)
    return seen | {"answer": answer, "bars": bars(answer["scores"]), "json": as_json(answer), "status": 200}
