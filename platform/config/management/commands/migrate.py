"""`manage.py migrate`, where each migration and the note that it was made are one transaction."""

from typing import Any

from django.core.management.commands import migrate
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations import Migration
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.state import ProjectState


class WholeExecutor(MigrationExecutor):
    """Django notes a migration only after its commit where statements (indexes, foreign keys) wait for its end.

    Killed in between, the next start would make the same tables again and fail for ever. So they are run here
    first; nothing waits any longer, and Django notes it inside of the transaction.
    """

    def apply_migration(
        self, state: ProjectState, migration: Migration, fake: bool = False, fake_initial: bool = False
    ) -> ProjectState:
        """Forwards, wholly or not at all."""
        apply = migration.apply

        def to_its_end(
            project_state: ProjectState, schema_editor: BaseDatabaseSchemaEditor, collect_sql: bool = False
        ) -> ProjectState:
            after = apply(project_state, schema_editor, collect_sql)
            while schema_editor.deferred_sql:
                schema_editor.execute(schema_editor.deferred_sql.pop(0), None)
            return after

        migration.apply = to_its_end  # type: ignore[method-assign]
        try:
            return super().apply_migration(state, migration, fake, fake_initial)
        finally:
            migration.apply = apply  # type: ignore[method-assign]


class Command(migrate.Command):
    """Django's own, with that executor: it offers no other way to name one."""

    def handle(self, *args: Any, **options: Any) -> None:
        """As Django does."""
        migrate.MigrationExecutor = WholeExecutor  # type: ignore[attr-defined]
        super().handle(*args, **options)
