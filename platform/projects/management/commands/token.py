"""`manage.py token USERNAME [--project P]`: prints an access token and nothing else."""

from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from projects.models import Membership
from projects.tokens import make_token


class Command(BaseCommand):
    """A token with all that the person's role allows in the project."""

    help = "Print an access token for a person (default: in their first project)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--project", help="the project's number or name; default: the first one")

    def handle(self, *args: Any, **options: Any) -> None:
        name, project = options["username"], options["project"]
        try:
            user = User.objects.get(username=name, is_active=True)
        except User.DoesNotExist as error:
            raise CommandError(f"There is no active user “{name}”.") from error
        memberships = Membership.objects.filter(user=user, project__archived_at=None).order_by("project_id")
        if project:
            field = {"project_id": int(project)} if project.isdecimal() else {"project__name": project}
            memberships = memberships.filter(**field)
        membership = memberships.select_related("project").first()
        if membership is None:
            where = f"the project “{project}”" if project else "any project"
            raise CommandError(f"“{name}” does not belong to {where}.")
        _, secret = make_token(project=membership.project, user=user, name="manage.py token")
        self.stdout.write(secret)
