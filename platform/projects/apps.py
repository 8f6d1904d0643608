"""Django's entry to the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ProjectsConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "projects"
    verbose_name = _("Projects")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """A kept answer is given again only to who would still get a new one; signing in proves the password."""
        from django.contrib.auth.signals import user_logged_in

        from projects.auth import admits
        from projects.proving import proof_at_sign_in
        from web import idempotency

        idempotency.admits.append(admits)
        user_logged_in.connect(proof_at_sign_in)
