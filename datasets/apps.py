"""Django's entry to the app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _

# Of the API: what changes rows and nothing else, so that act and answer can be one transaction.
ACTS = (
    r"/api/v1/datasets/\d+/(tag|skip|accept-suggestions|labels)",
    r"/api/v1/datasets/\d+/(tag-actions/\d+/undo|labels/\d+/merge|snapshots/\d+/restore)",
    r"/api/v1/datasets/\d+/(conflicts/\d+/settle|mislabels/\d+/dismiss)",
    r"/api/v1/projects/\d+/trash/restore",
)


class DatasetsConfig(AppConfig):
    """Registers what other rooms may use of this one."""

    name = "datasets"
    verbose_name = _("data sets")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The kinds of background work and the steps of the project home."""
        from datasets import (
            bulk_restoring,
            bulk_tagging,
            bulk_undoing,
            copying,
            embeddings,
            exporting,
            followers,
            importing,
            imports,
            mislabels,
            purging,
            releasing,
            restore_plans,
            steps,
            suggesting,
            tidying,
        )
        from jobs import registry
        from jobs.periodic import register_periodic
        from projects.models import Role
        from projects.steps import register
        from web.idempotency import register_acts

        register_acts(*ACTS)
        registry.register(
            registry.Kind(
                imports.KIND, "bulk", _("Import of pictures"), importing.run, imports.ended,
                again=imports.tried_again, at_least=Role.LABELLER,
            )
        )  # fmt: skip
        registry.register(registry.Kind(embeddings.KIND, "bulk", _("Embeddings"), embeddings.run))
        tagging = registry.Kind(
            bulk_tagging.KIND, "quick", _("Bulk tagging"), bulk_tagging.run, at_least=Role.LABELLER
        )
        registry.register(tagging)
        restoring = registry.Kind(
            bulk_restoring.KIND,
            "quick",
            _("Restoring a snapshot"),
            bulk_restoring.run,
            at_least=Role.ENGINEER,
        )
        registry.register(restoring)
        for kind, title, run, role in (
            (bulk_undoing.KIND, _("Undo"), bulk_undoing.run, Role.LABELLER),
            (restore_plans.KIND, _("What restoring a snapshot would change"), restore_plans.run, Role.VIEWER),
        ):
            registry.register(registry.Kind(kind, "quick", title, run, at_least=role))
        registry.register(
            registry.Kind(suggesting.KIND, "quick", _("Suggestions"), suggesting.run, upkeep=True)
        )
        copy = registry.Kind(copying.KIND, "bulk", _("Copy of pictures"), copying.run, at_least=Role.ENGINEER)
        registry.register(copy)
        registry.register(
            registry.Kind(
                exporting.KIND, "bulk", _("Export of pictures"), exporting.run, exporting.ended,
                at_least=Role.VIEWER,  # a member still; which role may export, each project says
            )
        )  # fmt: skip
        registry.register(
            registry.Kind(purging.KIND, "bulk", _("Emptying of the trash"), purging.run, upkeep=True)
        )
        registry.register(
            registry.Kind(
                releasing.KIND, "bulk", _("Release of pictures"), releasing.run, at_least=Role.OWNER
            )
        )
        register_periodic(purging.KIND, purging.EVERY)
        registry.register(
            registry.Kind(exporting.UPKEEP, "quick", _("Expired exports"), exporting.upkeep, upkeep=True)
        )
        register_periodic(exporting.UPKEEP, exporting.EVERY)
        registry.register(
            registry.Kind(tidying.KIND, "quick", _("Abandoned uploads"), tidying.run, upkeep=True)
        )
        register_periodic(tidying.KIND, tidying.EVERY)
        registry.register(
            registry.Kind(mislabels.KIND, "quick", _("Likely mislabels"), mislabels.run, upkeep=True)
        )
        followers.follow(suggesting.KIND, suggesting.suggest_soon)
        followers.follow(mislabels.KIND, mislabels.look_soon)
        self.count_and_compare()
        for step in steps.STEPS:
            register(step)

    def count_and_compare(self) -> None:
        """Tallies that the database keeps, and look-alikes."""
        from datasets import followers, likeness, near_duplicates, tally
        from jobs import registry

        registry.register(registry.Kind(likeness.KIND, "bulk", _("Look-alikes"), likeness.run, upkeep=True))
        registry.register(
            registry.Kind(near_duplicates.KIND, "bulk", _("Near-duplicates"), near_duplicates.run)
        )
        followers.read_embeddings(likeness.compare_soon)
        post_migrate.connect(tally.after_migrate, sender=self)
