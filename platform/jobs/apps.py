"""Django's entry to the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class JobsConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "jobs"
    verbose_name = _("Jobs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """What /readyz reports of the queue; notices of projects are sent by it."""
        from jobs import outgoing, wakes
        from jobs.registry import register
        from projects import notices
        from web import health

        health.degradable["queue"] = wakes.degraded
        register(outgoing.SEND)
        notices.senders.append(outgoing.queue_notice)
