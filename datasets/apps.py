"""Django's entry to the app."""

from django.apps import AppConfig


class DatasetsConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "datasets"
    default_auto_field = "django.db.models.BigAutoField"
