"""`manage.py restore FILE`: a backup back into an empty data folder."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.embedded import CannotStart
from config.restore import CannotRestore, restore
from config.up import data_folder_lock
from config.verify import findings


class Command(BaseCommand):
    """Everything is checked before anything counts; the product must not be running."""

    help = "Bring a backup back into an empty installation, and verify it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """From where, and whether over what is there."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="replace what is there")

    def handle(self, *args: Any, **options: Any) -> None:
        """Restore, then look at every row and file."""
        try:
            with data_folder_lock(settings.DATA_DIR, "manage.py restore"):
                made = restore(options["file"].absolute(), force=options["force"])
                wrong = [str(each) for each in findings()]
        except (CannotRestore, CannotStart) as error:
            raise CommandError(str(error)) from error
        if wrong:
            raise CommandError("\n".join([_("Restored, but something in it is not in order:"), *wrong]))
        words = _("Restored as of %(when)s: the database and %(count)d files; everything is in order.")
        self.stdout.write(words % {"when": made.made_at, "count": made.files})
