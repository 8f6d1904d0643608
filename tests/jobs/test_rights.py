"""Whoever asked for work must still be allowed to, when it begins."""

from collections.abc import Callable

import pytest
from django.db import transaction
from django.utils import timezone

from jobs import registry
from jobs.models import Job, State
from jobs.queue import enqueue
from projects.models import Membership, Project, Role
from tests.factories import Team

Work = Callable[[], None]


def demoted(team: Team) -> None:
    Membership.objects.filter(user=team.people["labeller"]).update(role=Role.VIEWER)


def removed(team: Team) -> None:
    Membership.objects.filter(user=team.people["labeller"]).delete()


def disabled(team: Team) -> None:
    team.people["labeller"].is_active = False
    team.people["labeller"].save()


def deleted(team: Team) -> None:
    team.people["labeller"].delete()


def archived(team: Team) -> None:
    Project.objects.filter(pk=team.project.pk).update(archived_at=timezone.now())


@pytest.mark.parametrize("change", [demoted, removed, disabled, deleted, archived])
def test_who_may_not_any_more_gets_a_refusal_and_nothing_is_done(
    work: Work, team: Team, change: Callable[[Team], None]
) -> None:
    done: list[int] = []
    registry.register(
        registry.Kind("test", "quick", "Test", lambda attempt: done.append(1), at_least=Role.LABELLER)
    )
    try:
        with transaction.atomic():
            job = enqueue("test", {}, project=team.project, user=team.people["labeller"])
        change(team)
        work()
    finally:
        registry._kinds.pop("test")
    job = Job.objects.get(pk=job.pk)
    assert (job.state, done) == (State.FAILED, [])
    assert str(job.sentence) in (
        "Whoever asked for this may no longer do so in the project.",
        "The project was deleted before this began.",
    )


def test_every_kind_that_a_person_asks_for_names_the_role_it_needs() -> None:
    follow_imports = {"datasets.embed", "datasets.alike"}  # nobody asks for them by name
    ours = [kind for kind in registry._kinds.values() if not kind.name.startswith("tests.")]
    without = {kind.name for kind in ours if kind.at_least is None and not kind.upkeep}
    assert without == follow_imports
