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
    """The entries of the page's `project`, as {name, url, icon, active, count}; none outside a project."""
    project, active = context.get("project"), context.get("active")
    if not isinstance(project, Project):
        return []
    places = [
        ("home", _("Home"), "project", 0),
        ("data", _("Data"), "datasets:list", 0),
        ("models", _("Models"), "training:models", 0),
        ("services", _("Services"), "serving:list", 0),
        ("members", _("Members"), "projects:members", 0),
        ("jobs", _("Jobs"), "jobs:list", project.jobs.active().count()),
    ]
    return [
        {"name": name, "url": reverse(url, args=[project.pk]), "icon": key, "active": key == active, "count": count}
        for key, name, url, count in places
    ]
