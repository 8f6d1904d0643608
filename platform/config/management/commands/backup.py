"""`manage.py backup FILE`: everything that must not be lost, in one file, while people work."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.backup import CannotBackUp, back_up, told


class Command(BaseCommand):
    """Database, stored files and secret key as they are at one moment."""

    help = "Write a backup (database, files, secret key) while the product runs."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Make it, or say in a sentence why not."""
        target = options["file"].absolute()
        try:
            self.stdout.write(told(back_up(target), target))
        except CannotBackUp as error:
            raise CommandError(str(error)) from error
