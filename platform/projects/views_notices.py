"""Pages about being told: a person's e-mails, a project's webhook."""

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from projects.access import project_for
from projects.forms import NoticeForm
from projects.models import Project, Role, Webhook
from projects.notices import (
    SHOWN,
    new_secret,
    remove_webhook,
    send_again,
    set_webhook,
    try_webhook,
    wish_of,
)
from web.addresses import link_to
from web.sentences import Refusal


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own_notices(request: HttpRequest) -> HttpResponse:
    """Whether, where and in which language this person wants e-mails."""
    wish = wish_of(request.user)  # type: ignore[arg-type]
    if not wish.pk:
        wish.language = get_language() or "en"
    form = NoticeForm(request.POST or None, instance=wish, initial={"email": request.user.email})  # type: ignore[union-attr]
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return redirect("notices")
    context = {"form": form, "mail_server": settings.MAIL_SERVER}
    return render(request, "projects/own_notices.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """Where the project's notices go, and how the last ones fared. A new secret is shown once, on the answer."""
    project = project_for(request.user, pk, at_least=Role.OWNER)
    url, error, secret = "", "", ""
    if request.method == "POST":
        url = request.POST.get("url", "")
        try:
            _found, secret = set_webhook(project=project, url=url, user=request.user)  # type: ignore[arg-type]
        except Refusal as refusal:
            error = str(refusal)
        else:
            messages.success(request, _("Saved."))
            if not secret:
                return redirect("projects:webhook", pk)
    return show_webhook(request, project, url=url, error=error, secret=secret)


def show_webhook(
    request: HttpRequest, project: Project, *, url: str = "", error: str = "", secret: str = ""
) -> HttpResponse:
    """The page; 422 with an error."""
    hook = Webhook.objects.filter(project=project).first()
    context = {
        "project": project,
        "active": "settings",
        "webhook": hook,
        "url": url or (hook.url if hook else ""),
        "error": error,
        "secret": secret,
        "deliveries": hook.notices.order_by("-id")[:SHOWN] if hook else [],
        "switched_off": not settings.WEBHOOKS,
    }
    return render(request, "projects/project_webhook.html", context, status=422 if error else 200)


def webhook_of(request: HttpRequest, pk: int) -> Webhook:
    """The door to a project's webhook: owners only."""
    project = project_for(request.user, pk, at_least=Role.OWNER)
    return get_object_or_404(Webhook.objects.select_related("project"), project=project)


@login_required
@require_POST
@never_cache
def webhook_secret(request: HttpRequest, pk: int) -> HttpResponse:
    """Another secret, shown once."""
    hook = webhook_of(request, pk)
    secret = new_secret(webhook=hook, user=request.user)  # type: ignore[arg-type]
    return show_webhook(request, hook.project, secret=secret)


@login_required
@require_POST
def webhook_try(request: HttpRequest, pk: int) -> HttpResponse:
    """Send a test."""
    hook = webhook_of(request, pk)
    url = link_to("project", pk, request=request)
    try_webhook(hook, user=request.user, url=url)  # type: ignore[arg-type]
    messages.info(request, _("A test is on its way; reload the page to see how it fared."))
    return redirect("projects:webhook", pk)


@login_required
@require_POST
def webhook_again(request: HttpRequest, pk: int, notice_pk: int) -> HttpResponse:
    """Send a given-up message once more."""
    notice = get_object_or_404(webhook_of(request, pk).notices.select_related("project"), pk=notice_pk)
    try:
        send_again(notice, user=request.user)  # type: ignore[arg-type]
        messages.info(request, _("The message is on its way again; reload the page to see how it fared."))
    except Refusal as refusal:
        messages.error(request, str(refusal))
    return redirect("projects:webhook", pk)


@login_required
@require_POST
def webhook_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing is sent any more."""
    remove_webhook(webhook=webhook_of(request, pk), user=request.user)  # type: ignore[arg-type]
    messages.success(request, _("The webhook was removed. Nothing is sent any more."))
    return redirect(reverse("projects:webhook", args=[pk]))
