"""Django's entry to the app."""

from django.apps import AppConfig


class ServingConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "serving"
    default_auto_field = "django.db.models.BigAutoField"
