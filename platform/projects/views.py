"""Pages about projects: making one, its settings, members and tokens."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from projects import audit
from projects.access import may, project_for
from projects.creation import create_project
from projects.forms import InvitationForm, MemberForm, ProjectForm, SettingsForm, TokenForm
from projects.members import AlreadyMember, LastOwner, add_member, change_role, remove_member
from projects.models import Invitation, Membership, Project, Role
from projects.tokens import make_token


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new_project(request: HttpRequest) -> HttpResponse:
    """Make a project."""
    form = ProjectForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        project = create_project(user=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        return redirect("project", project.pk)
    return render(request, "projects/project_new.html", {"form": form})


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def settings(request: HttpRequest, pk: int) -> HttpResponse:
    """What an owner may change about a project."""
    project = project_for(request.user, pk, at_least=Role.OWNER)
    form = SettingsForm(request.POST or None, instance=project)
    if request.method == "POST" and form.is_valid():
        form.save()
        audit.note(request.user, "project.settings", project=project, **form.cleaned_data)
        messages.success(request, _("Saved."))
        return redirect("projects:settings", pk)
    return render(
        request, "projects/project_settings.html", {"project": project, "form": form, "active": "settings"}
    )


@login_required
@require_safe
def members(request: HttpRequest, pk: int) -> HttpResponse:
    """Who belongs to the project, and who is asked to."""
    return show_members(request, project_for(request.user, pk))


def show_members(request: HttpRequest, project: Project, **more: Any) -> HttpResponse:
    """The members page; `more`: a form with its errors, the link of a new invitation."""
    is_owner = may(request.user, project, at_least=Role.OWNER)
    invitations = (
        Invitation.objects.open().filter(project=project).select_related("created_by").order_by("-id")
    )
    context = {
        "project": project,
        "memberships": project.memberships.select_related("user").order_by("-role", "user__username"),
        "invitations": invitations if is_owner else [],
        "form": MemberForm(),
        "invitation_form": InvitationForm(auto_id="id_invitation_%s"),
        "roles": Role.choices,
        "is_owner": is_owner,
        "active": "members",
    }
    return render(request, "projects/member_list.html", context | more)


@login_required
@require_POST
def member_add(request: HttpRequest, pk: int) -> HttpResponse:
    """Let somebody in."""
    project = project_for(request.user, pk, at_least=Role.OWNER)
    form = MemberForm(request.POST)
    if form.is_valid():
        user, role = form.cleaned_data["username"], form.cleaned_data["role"]
        try:
            add_member(project=project, user=user, role=role, by=request.user)  # type: ignore[arg-type]
            messages.success(request, _("%(name)s can work here now.") % {"name": user.username})
        except AlreadyMember as refusal:
            messages.error(request, str(refusal))
    else:
        for errors in form.errors.values():
            messages.error(request, " ".join(str(error) for error in errors))
    return redirect("projects:members", pk)


@login_required
@require_POST
def member_change(request: HttpRequest, pk: int, member_pk: int) -> HttpResponse:
    """Change a role, or take somebody out (role empty)."""
    project = project_for(request.user, pk, at_least=Role.OWNER)
    membership = get_object_or_404(project.memberships.select_related("user", "project"), pk=member_pk)
    role = request.POST.get("role", "")
    try:
        if role in {str(value) for value in Role.values}:
            change_role(membership=membership, role=int(role), by=request.user)  # type: ignore[arg-type]
        elif not role:
            remove_member(membership=membership, by=request.user)  # type: ignore[arg-type]
    except LastOwner as refusal:
        messages.error(request, str(refusal))
    return redirect("projects:members", pk)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
def tokens(request: HttpRequest, pk: int) -> HttpResponse:
    """The access tokens of a project; a new one's secret is shown once, on the answer to the form itself."""
    project = project_for(request.user, pk, at_least=Role.ENGINEER)
    membership = Membership.objects.get(project=project, user=request.user)  # type: ignore[misc]
    form, secret = TokenForm(request.POST or None, membership=membership), ""
    if request.method == "POST" and form.is_valid():
        token, secret = make_token(project=project, user=request.user, **form.cleaned_data)  # type: ignore[arg-type]
        audit.note(request.user, "token.make", project=project, target=token.prefix, scopes=token.scopes)
        form = TokenForm(membership=membership)
    shown = project.tokens.select_related("user").order_by("-id")
    if membership.role < Role.OWNER:
        shown = shown.filter(user=request.user)  # type: ignore[misc]
    context = {"project": project, "tokens": shown, "form": form, "secret": secret, "active": "tokens"}
    return render(request, "projects/token_list.html", context)


@login_required
@require_POST
def token_revoke(request: HttpRequest, pk: int, token_pk: int) -> HttpResponse:
    """End a token at once: one's own, or as an owner anybody's."""
    project = project_for(request.user, pk, at_least=Role.ENGINEER)
    token = get_object_or_404(project.tokens, pk=token_pk)
    if token.user_id != request.user.pk:
        project_for(request.user, pk, at_least=Role.OWNER)
    token.revoke()
    audit.note(request.user, "token.revoke", project=project, target=token.prefix)
    messages.success(request, _("The token “%(name)s” no longer opens anything.") % {"name": token.name})
    return redirect("projects:tokens", pk)
