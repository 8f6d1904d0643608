"""`manage.py demo`: the main job, end to end, on pictures the project draws itself; then it stays up."""

import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.demo import Api, StepFailed, Story
from config.embedded import CannotStart
from config.up import StopAsked, running_product, tell
from projects.models import Membership, Role
from projects.tokens import make_token


class Command(BaseCommand):
    """Import, tag, train, report, validate, publish, predict, and stay in the foreground."""

    help = "Show the main job end to end on pictures drawn by the project, then keep running."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with running_product(port=options["port"]) as product:
                tell(f"The main job, through {product.url}/api/v1:")
                answer = Story(Api(product.url, owners_token()), tell).tell()
                tell(f"The published endpoint answers:\n{json.dumps(answer, ensure_ascii=False)}")
                tell(f"Taxon is running at {product.url} (Ctrl-C stops it)")
                product.wait()
        except StopAsked:
            return
        except (CannotStart, StepFailed) as error:
            raise CommandError(str(error)) from error


def owners_token() -> str:
    """A token of the first project's owner; never printed."""
    first = (
        Membership.objects.filter(role=Role.OWNER, user__is_active=True).order_by("project_id", "id").first()
    )
    if first is None:
        raise StepFailed("There is no project with an owner.")
    _, secret = make_token(
        project=first.project, user=User.objects.get(pk=first.user_id), name="manage.py demo"
    )
    return secret
