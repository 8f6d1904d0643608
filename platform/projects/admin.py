"""Operators' view of projects; roles are changed on the project's members page, tokens on its tokens page."""

from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from projects import audit
from projects.models import AccessToken, AuditEntry, Invitation, Membership, Project
from projects.reset_links import reset_link
from web.admin import ReadOnlyAdmin

admin.site.unregister(Group)  # rights come from roles in projects
admin.site.unregister(User)


@admin.register(User)
class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """Accounts: making, naming and disabling them. Superusers are made on the command line alone."""

    list_display = ["username", "email", "is_active", "is_superuser", "last_login", "date_joined"]
    list_filter = ["is_active", "is_superuser", "memberships__project"]
    fieldsets = [
        (None, {"fields": ["username", "first_name", "last_name", "email", "is_active"]}),
        (_("Known"), {"fields": ["is_superuser", "last_login", "date_joined"]}),
    ]
    readonly_fields = ["is_superuser", "last_login", "date_joined"]
    filter_horizontal = []
    actions = ["make_reset_links"]

    @admin.action(description=_("Make links to choose a new password"), permissions=["change"])
    def make_reset_links(self, request: HttpRequest, people: Any) -> None:
        """To hand over; each is good once, for a day."""
        for person in people.filter(is_active=True):
            link = reset_link(person, by=request.user, request=request)  # type: ignore[arg-type]
            messages.info(request, f"{person.username}: {link}")


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who belongs to the project; read only."""

    model = Membership
    fk_name = "project"
    fields = ["user", "role", "added_by", "created_at"]
    readonly_fields = ["user", "role", "added_by", "created_at"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Project)
class ProjectAdmin(ReadOnlyAdmin):
    """Projects."""

    list_display = ["name", "created_by", "created_at", "archived_at", "page"]
    list_filter = ["created_at", "archived_at"]
    search_fields = ["name", "description", "memberships__user__username"]
    inlines = [MembershipInline]

    @admin.display(description=_("Page"))
    def page(self, project: Project) -> str:
        """A link to the product's page."""
        return format_html('<a href="{}">{}</a>', reverse("project", args=[project.pk]), _("Open"))


@admin.register(Membership)
class MembershipAdmin(ReadOnlyAdmin):
    """Roles in projects."""

    list_display = ["project", "user", "role", "added_by", "created_at"]
    list_filter = ["role"]
    search_fields = ["project__name", "user__username"]


@admin.register(AccessToken)
class AccessTokenAdmin(ReadOnlyAdmin):
    """Tokens can be revoked here, never read."""

    list_display = [
        "name",
        "prefix",
        "user",
        "project",
        "resource",
        "expires_at",
        "revoked_at",
        "last_used_at",
    ]
    list_filter = ["revoked_at", "expires_at"]
    search_fields = ["name", "prefix", "user__username", "project__name"]
    actions = ["revoke"]
    exclude = ["digest"]

    @admin.action(description=_("Revoke the chosen tokens"), permissions=["view"])
    def revoke(self, request: HttpRequest, tokens: Any) -> None:
        """End them at once."""
        for token in tokens.filter(revoked_at=None):
            token.revoke()
            audit.note(request.user, "token.revoke", project=token.project, target=token.prefix)


@admin.register(Invitation)
class InvitationAdmin(ReadOnlyAdmin):
    """Who was invited; the links cannot be read."""

    list_display = [
        "project",
        "name",
        "role",
        "created_by",
        "expires_at",
        "withdrawn_at",
        "used_at",
        "used_by",
    ]
    list_filter = ["role", "expires_at"]
    search_fields = ["name", "project__name", "created_by__username", "used_by__username"]
    exclude = ["digest"]


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ["at", "user", "token_prefix", "action", "target", "project"]
    list_filter = ["action", "at"]
    search_fields = ["user__username", "target", "project__name"]
    date_hierarchy = "at"
