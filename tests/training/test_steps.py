"""The steps Train and Report on the project home, and who may write on a version."""

import pytest

from datasets.models import Dataset
from jobs.attempts import Attempt, LostLease
from jobs.models import Job
from tests.factories import Team
from tests.training.makers import asked
from training.models import ModelVersion, RegisteredModel
from training.steps import report_state, train_state
from training.writing import Writer


def test_without_versions_the_step_leads_to_the_form(team: Team) -> None:
    state = train_state(team.project)
    assert (state.done, state.url) == (False, f"/projects/{team.project.pk}/train/")
    assert report_state(team.project).url == ""


def test_a_training_that_waits_is_counted_and_leads_to_the_models(
    team: Team, model: RegisteredModel, discs: Dataset
) -> None:
    asked(model, team.people["engineer"], discs)
    state = train_state(team.project)
    assert (state.done, state.summary, state.url) == (
        False,
        "1 training",
        f"/projects/{team.project.pk}/models/",
    )


def test_a_usable_version_is_done_and_its_report_is_next(team: Team, version: ModelVersion) -> None:
    assert train_state(team.project).done
    state = report_state(team.project)
    assert (state.done, state.url) == (True, f"/models/{version.model_id}/versions/1/report/")
    assert "75.0" in state.summary


def test_an_overtaken_attempt_changes_nothing_on_its_version(
    team: Team, model: RegisteredModel, discs: Dataset
) -> None:
    (version,) = asked(model, team.people["engineer"], discs)
    attempt = Attempt.claim(version.job_id or 0)
    assert attempt
    writer = Writer(attempt, version)
    writer.write(progress=0.3)
    Job.objects.update(attempt=2)
    with pytest.raises(LostLease):
        writer.write(progress=0.9)
    version.refresh_from_db()
    assert version.progress == 0.3
