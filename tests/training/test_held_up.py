"""A training that cannot go on says why on its page, and one that runs is not thrown away by a slip of the hand."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone
from rq import Worker
from rq.serializers import JSONSerializer

from datasets.models import Dataset
from jobs import wakes
from jobs.models import Job, State
from tests.factories import Team
from tests.queue import RealQueue
from tests.training.makers import asked
from training.models import ModelVersion, RegisteredModel, VersionState
from web.sentences import Sentence

Page = Callable[[str], Client]
NOBODY = "No worker takes trainings at present"


@pytest.fixture
def waiting(team: Team, model: RegisteredModel, discs: Dataset, redis_server: RealQueue) -> ModelVersion:
    """A version that was asked for a while ago, with nobody who listens."""
    redis_server.flush()
    (version,) = asked(model, team.people["engineer"], discs)
    Job.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    return version


def shown(page: Page, version: ModelVersion, role: str = "engineer") -> str:
    """Its page."""
    return page(role).get(f"/models/{version.model_id}/versions/{version.number}/").content.decode()


def worker_of(queue: str) -> Worker:
    """RQ's entry of a worker that serves a queue."""
    found = wakes.queue_of(queue)
    return Worker([found], connection=found.connection, serializer=JSONSerializer)


def test_it_says_that_nobody_takes_trainings(page: Page, waiting: ModelVersion) -> None:
    assert NOBODY in shown(page, waiting)
    other, worker = worker_of("bulk"), worker_of("training")
    other.register_birth()
    assert NOBODY in shown(page, waiting)
    worker.register_birth()
    assert NOBODY not in shown(page, waiting) and "Next in line" in shown(page, waiting)
    worker.connection.delete(worker.key)  # killed: its entry ran out, its name is still in the list
    assert NOBODY in shown(page, waiting)


def test_a_worker_that_starts_with_the_site_is_not_missed(page: Page, waiting: ModelVersion) -> None:
    Job.objects.update(created_at=timezone.now())
    assert NOBODY not in shown(page, waiting)


def test_it_says_that_the_queue_is_away(
    page: Page, waiting: ModelVersion, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings, "REDIS_URL", "unix:///nowhere/redis.socket")
    assert "The queue does not answer" in shown(page, waiting)


def test_it_says_that_its_worker_was_lost(page: Page, waiting: ModelVersion) -> None:
    said = Sentence("Its worker went away; it goes on by itself.").to_json()
    Job.objects.update(state=State.RETRYING, message=said)
    ModelVersion.objects.update(state=VersionState.TRAINING, started_at=timezone.now())
    assert "Its worker went away; it goes on by itself." in shown(page, waiting)


def test_a_running_training_is_cancelled_in_two_steps_that_name_what_goes(
    page: Page, waiting: ModelVersion
) -> None:
    assert "is thrown away" not in shown(page, waiting)  # nothing is lost yet
    begun = timezone.now() - timedelta(minutes=5, seconds=2)
    ModelVersion.objects.update(state=VersionState.TRAINING, started_at=begun)
    content = shown(page, waiting)
    assert "The work of 5 min" in content and "is thrown away" in content
    assert content.index("Cancel…</summary>") < content.index("Cancel and keep nothing</button>")
    assert "Cancel…" not in shown(page, waiting, "labeller")
