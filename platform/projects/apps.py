"""Django's entry to the app."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "projects"
    default_auto_field = "django.db.models.BigAutoField"
