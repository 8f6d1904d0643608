"""`manage.py verify`: whether rows and files agree; exit code 1 where they do not."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from config.verify import findings


class Command(BaseCommand):
    """Reads everything, changes nothing."""

    help = "Check that every row has its file, every file its row, and that sums and states hold."

    def add_arguments(self, parser: CommandParser) -> None:
        """How closely to look."""
        parser.add_argument("--quick", action="store_true", help="do not read the files")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print each finding as it comes."""
        count = 0
        for wrong in findings(quick=options["quick"]):
            self.stdout.write(str(wrong))
            count += 1
        if count:
            raise SystemExit(_("%(count)d findings.") % {"count": count})
        self.stdout.write(_("Everything is in order."))
