"""Operators' view of projects; roles are changed on the project's members page, tokens on its tokens page."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from projects.models import AccessToken, AuditEntry, Membership, Project
from web.admin import ReadOnlyAdmin


class MembershipInline(admin.TabularInline):  # type: ignore[type-arg]
    """Who belongs to the project; read only."""

    model = Membership
    fk_name = "project"
    fields = ["user", "role", "added_by", "created_at"]
    readonly_fields = fields
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

    list_display = ["name", "prefix", "user", "project", "resource", "expires_at", "revoked_at", "last_used_at"]
    list_filter = ["revoked_at", "expires_at"]
    search_fields = ["name", "prefix", "user__username", "project__name"]
    actions = ["revoke"]
    exclude = ["digest"]

    @admin.action(description=_("Revoke the chosen tokens"), permissions=["view"])
    def revoke(self, request: HttpRequest, tokens: Any) -> None:
        """End them at once."""
        for token in tokens.filter(revoked_at=None):
            token.revoke()


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Who did what."""

    list_display = ["at", "user", "token_prefix", "action", "target", "project"]
    list_filter = ["action", "at"]
    search_fields = ["user__username", "target", "project__name"]
    date_hierarchy = "at"
