"""Django's entry to the app."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class TrainingConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "training"
    verbose_name = _("Models")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The training job, the steps of the project home, and the feature extractor for data sets."""
        from datasets.embeddings import register_provider
        from datasets.snapshots import register_uses
        from jobs.registry import register as register_job
        from projects.steps import register as register_step
        from training import jobs, steps
        from training.extractors import provided
        from training.snapshot_uses import versions_from

        register_job(jobs.TRAIN)
        register_job(jobs.JUDGE)
        register_step(steps.TRAIN)
        register_step(steps.REPORT)
        register_provider(provided)
        register_uses(versions_from)
