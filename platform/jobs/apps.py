"""Django's entry to the app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
