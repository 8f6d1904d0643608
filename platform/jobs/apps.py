"""Django's entry to the app."""

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """What /readyz reports of the queue."""
        from jobs import wakes
        from web import health

        health.degradable["queue"] = wakes.degraded
