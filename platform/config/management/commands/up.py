"""`manage.py up`: the whole product in the foreground, until SIGTERM or Ctrl-C."""

from contextlib import suppress
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils.translation import gettext as _

from config.embedded import CannotStart
from config.up import StopAsked, running_product, tell


class Command(BaseCommand):
    """Queue, database, web server and workers under one roof."""

    help = "Run the whole product on this machine; SIGTERM or Ctrl-C stops all of it."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        """The address to listen on."""
        parser.add_argument("--port", type=int, default=8000)
        parser.add_argument("--host", default="127.0.0.1")

    def handle(self, *args: Any, **options: Any) -> None:
        """Start everything, say where, and stay."""
        try:
            with suppress(StopAsked), running_product(port=options["port"], host=options["host"]) as product:
                tell(_("Taxon is running at %(url)s") % {"url": product.url})
                product.wait()
        except CannotStart as error:
            raise SystemExit(str(error)) from error  # one sentence, exit code 1
