"""Work that is due every so often, and work that waits until things have settled."""

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from jobs import periodic
from jobs.models import Job, State
from jobs.queue import MOST_PAUSES, enqueue_later
from jobs.registry import Kind, register
from tests.factories import Team

KIND = "tests.periodic"
MINUTE = timedelta(minutes=1)


@pytest.fixture(autouse=True)
def kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """One kind, due every hour; nothing else is periodic."""
    register(Kind(KIND, "quick", "Tests", lambda attempt: None))
    monkeypatch.setattr(periodic, "_every", {KIND: timedelta(hours=1)})


def test_what_is_due_is_queued_once_until_it_is_due_again(db: None) -> None:
    assert (periodic.queue_due(), periodic.queue_due()) == (1, 0)
    Job.objects.update(state=State.SUCCEEDED, created_at=timezone.now() - timedelta(minutes=59))
    assert periodic.queue_due() == 0
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=61))
    assert periodic.queue_due() == 1


def test_what_still_waits_or_runs_is_not_queued_again(db: None) -> None:
    periodic.queue_due()
    Job.objects.update(state=State.RUNNING, created_at=timezone.now() - timedelta(days=1))
    assert periodic.queue_due() == 0


@transaction.atomic
def ask(team: Team) -> Job:
    """Once more."""
    return enqueue_later(KIND, {"n": 1}, project=team.project, pause=MINUTE)


def test_asking_again_lets_the_same_job_wait_anew_but_not_for_ever(team: Team) -> None:
    first = ask(team)
    assert first.wake_at and first.wake_at > timezone.now() + 0.9 * MINUTE
    Job.objects.update(wake_at=timezone.now())
    assert ask(team).pk == first.pk
    again = Job.objects.get()
    assert again.wake_at and again.wake_at > timezone.now() + 0.9 * MINUTE
    begun = timezone.now() - MOST_PAUSES * MINUTE
    Job.objects.update(created_at=begun)
    ask(team)
    last = Job.objects.get()
    assert last.wake_at and last.wake_at <= timezone.now()
