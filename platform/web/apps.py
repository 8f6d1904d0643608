"""Django's entry to the app."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "web"
    default_auto_field = "django.db.models.BigAutoField"
