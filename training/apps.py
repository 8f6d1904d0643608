"""Django's entry to the app."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "training"
    default_auto_field = "django.db.models.BigAutoField"
