"""Invitations: an owner makes a link, whoever gets it joins, with a new account or the one they have."""

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import UserCreationForm
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from projects.access import project_for
from projects.forms import InvitationForm
from projects.guessing import Tries
from projects.invitations import DeadInvitation, accept, invite, open_invitation, withdraw
from projects.members import AlreadyMember
from projects.models import Invitation, Role
from projects.tokens import digest_of
from projects.views import show_members
from web.addresses import link_to

KEPT = "invitation"  # in the session: the digest of the link that led here


@login_required
@require_POST
@never_cache
def invitation_make(request: HttpRequest, pk: int) -> HttpResponse:
    """A link for one person, shown this once."""
    project = project_for(request.user, pk, at_least=Role.OWNER)
    form = InvitationForm(request.POST)
    if not form.is_valid():
        return show_members(request, project, invitation_form=form)
    _invitation, secret = invite(project=project, by=request.user, **form.cleaned_data)  # type: ignore[arg-type]
    return show_members(request, project, link=link_to("projects:join", secret, request=request))


@login_required
@require_POST
def invitation_withdraw(request: HttpRequest, pk: int, invitation_pk: int) -> HttpResponse:
    """Make a link worthless."""
    project = project_for(request.user, pk, at_least=Role.OWNER)
    withdraw(invitation=get_object_or_404(project.invitations, pk=invitation_pk), by=request.user)  # type: ignore[arg-type]
    messages.success(request, _("The link opens nothing any more."))
    return redirect("projects:members", pk)


@require_safe
@never_cache
def join(request: HttpRequest, secret: str) -> HttpResponse:
    """The link itself: remembers it in the session and leads on, so that the secret leaves the address bar."""
    tries = Tries.at_secrets(request)
    tries.check()
    digest = digest_of(secret)
    try:
        open_invitation(digest)
    except DeadInvitation:
        tries.failed(secret)
        raise
    request.session[KEPT] = digest
    return redirect("projects:joining")


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_post_parameters()
@never_cache
def joining(request: HttpRequest) -> HttpResponse:
    """Join with the own account, or make one."""
    invitation = open_invitation(request.session.get(KEPT, ""))
    if isinstance(request.user, User):
        if request.method == "POST":
            return let_in(request, invitation, request.user)
        return render(request, "projects/join.html", {"invitation": invitation})
    form: UserCreationForm[User] = UserCreationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                user = form.save()
                answer = let_in(request, invitation, user)
        except IntegrityError:
            form.add_error("username", _("Somebody took this name just now."))
        else:
            login(request, user, "django.contrib.auth.backends.ModelBackend")
            return answer
    return render(request, "projects/join.html", {"invitation": invitation, "form": form})


def let_in(request: HttpRequest, invitation: Invitation, user: User) -> HttpResponse:
    """Make the person a member and show them the project."""
    try:
        accept(invitation=invitation, user=user)
    except AlreadyMember as refusal:
        messages.info(request, str(refusal))
    request.session.pop(KEPT, None)
    return redirect("project", invitation.project_id)
