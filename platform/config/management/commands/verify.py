"""`manage.py verify`: whether rows and files agree; exit code 1 where they do not."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.translation import gettext as _

from config.embedded import CannotStart
from config.sweeping import forget_without_row
from config.up import data_folder_lock
from config.verify import findings


class Command(BaseCommand):
    """Reads everything, changes nothing (but for --sweep)."""

    help = "Check that every row has its file, every file its row, and that sums and states hold."

    def add_arguments(self, parser: CommandParser) -> None:
        """How closely to look."""
        parser.add_argument("--quick", action="store_true", help="do not read the files")
        parser.add_argument(
            "--sweep",
            action="store_true",
            help="first remove files that no row names; the product must not run",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each finding as it comes."""
        if options["sweep"]:
            self.sweep()
        count = 0
        for wrong in findings(quick=options["quick"]):
            self.stdout.write(str(wrong))
            count += 1
        if count:
            raise SystemExit(_("%(count)d findings.") % {"count": count})
        self.stdout.write(_("Everything is in order."))

    def sweep(self) -> None:
        """Files without a row cost room and nothing else."""
        try:
            with data_folder_lock(settings.DATA_DIR, "manage.py verify --sweep"):
                count = forget_without_row()
        except CannotStart as error:
            raise CommandError(str(error)) from error
        self.stdout.write(_("%(count)d files that no row named were removed.") % {"count": count})
