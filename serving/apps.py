"""Django's entry to the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ServingConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "serving"
    verbose_name = _("Services")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The job that warms services, the last two steps of the path, and what /readyz reports."""
        from jobs.registry import Kind, register
        from projects import steps
        from projects.models import Role
        from serving import path, sessions, version_uses, warming
        from training.removing import register_uses
        from web import health

        warm = Kind(
            warming.KIND, "quick", _("Bring a service online"), warming.warm, warming.ended,
            at_least=Role.ENGINEER,
        )  # fmt: skip
        register(warm)
        steps.register(steps.Step(50, "validate", _("Validate"), path.validate_step))
        steps.register(steps.Step(60, "publish", _("Publish"), path.publish_step))
        register_uses(version_uses.services_of)
        health.degradable["models"] = sessions.degraded
