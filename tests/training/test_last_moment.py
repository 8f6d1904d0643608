"""A cancel in the last moment: what the person was told holds."""

import pytest

from datasets.models import Dataset
from jobs.attempts import Attempt, Cancelled
from tests.factories import Team
from tests.training.makers import asked
from training import versions
from training.models import EndedBecause, ModelVersion, RegisteredModel, VersionState
from training.running import ENDINGS
from training.writing import Writer


@pytest.fixture
def writer(team: Team, model: RegisteredModel, discs: Dataset) -> Writer:
    """Of a training that is about to end."""
    (version,) = asked(model, team.people["engineer"], discs)
    attempt = Attempt.claim(version.job_id or 0)
    assert attempt
    ModelVersion.objects.update(state=VersionState.EVALUATING)
    version.refresh_from_db()
    return Writer(attempt, version)


def end(writer: Writer) -> None:
    """As a training that went well does it."""
    because = EndedBecause.CONVERGED
    writer.end(VersionState.SUCCEEDED, because, ENDINGS[because], usable=True)


def test_a_cancel_before_the_last_write_is_kept_to(team: Team, writer: Writer) -> None:
    versions.cancel(ModelVersion.objects.get(), team.people["engineer"])
    with pytest.raises(Cancelled):
        end(writer)
    assert ModelVersion.objects.get().state == VersionState.EVALUATING  # the job's end says the rest


def test_one_after_it_hears_that_it_came_too_late(team: Team, writer: Writer) -> None:
    end(writer)
    with pytest.raises(versions.AlreadyEnded):
        versions.cancel(ModelVersion.objects.get(), team.people["engineer"])
    assert ModelVersion.objects.get().usable
