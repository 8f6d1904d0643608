"""`manage.py prepare`: tables, static files and the first account, where web and workers run on their own."""

from typing import Any

from django.core.management.base import BaseCommand

from config import groundwork
from config.embedded import CannotStart
from config.up import tell


class Command(BaseCommand):
    """Run once before each new version starts; `up` does the same by itself."""

    help = "Bring the database and the static files up to date, and make the first account."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Do it, or say in a sentence why not."""
        try:
            groundwork.lay(tell)
        except CannotStart as error:
            raise SystemExit(str(error)) from error
