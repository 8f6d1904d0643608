"""`manage.py reset_link USERNAME`: prints a link at which this person chooses a new password."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects.reset_links import reset_link


class Command(BaseCommand):
    """For the operator to hand over; no mail server is needed."""

    help = "Print a link at which a person chooses a new password: once, within a day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user “{options['username']}”.")
        self.stdout.write(reset_link(user))
