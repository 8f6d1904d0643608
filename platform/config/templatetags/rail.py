"""The left rail: where one can go within the project that the page is about."""

from typing import Any

from django import template
from django.template.context import Context
from django.urls import reverse
from django.utils.translation import gettext as _

from projects.models import Project

register = template.Library()


@register.simple_tag(takes_context=True)
def rail_entries(context: Context) -> list[dict[str, Any]]:
    """The page's `project` as {name, url, icon, active[, count, poll_url]}; none outside a project."""
    project, active = context.get("project"), context.get("active")
    if not isinstance(project, Project):
        return []
    places = [
        ("home", _("Home"), "project"),
        ("data", _("Data"), "datasets:list"),
        ("models", _("Models"), "training:models"),
        ("services", _("Services"), "serving:list"),
        ("members", _("Members"), "projects:members"),
        ("jobs", _("Jobs"), "jobs:list"),
    ]
    entries: list[dict[str, Any]] = [
        {"name": name, "url": reverse(url, args=[project.pk]), "icon": key, "active": key == active}
        for key, name, url in places
    ]
    entries[-1] |= {
        "count": project.jobs.told().active().count(),
        "poll_url": reverse("jobs:count", args=[project.pk]),
    }
    return entries
