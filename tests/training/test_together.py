"""Cloud, general and Edge, general: one training, two versions; one of them that leaves does not harm the other."""

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from datasets.models import Dataset
from jobs.attempts import Attempt
from jobs.ends import try_again
from jobs.models import Job, State
from tests.factories import Team
from tests.training.makers import asked, model_of, tagged
from tests.training.test_interruptions import engines, once_it_learns
from training import removing, versions
from training.models import ModelVersion, RegisteredModel
from training.networks import Choice
from training.running import Run
from training.writing import Writer

Work = Callable[[], None]
Page = Callable[[str], Client]
BOTH = ("cloud-general", "edge-general")


@pytest.fixture
def pair(team: Team, discs: Dataset, model: RegisteredModel) -> tuple[ModelVersion, ModelVersion]:
    """Both, waiting."""
    leader, follower = asked(model, team.people["engineer"], discs, applications=BOTH)
    return leader, follower


def fresh(*some: ModelVersion) -> list[ModelVersion]:
    for each in some:
        each.refresh_from_db()
    return list(some)


def test_the_two_general_applications_are_one_job_and_others_have_their_own(
    team: Team, discs: Dataset, model: RegisteredModel
) -> None:
    made = asked(model, team.people["engineer"], discs, applications=(*BOTH, "edge-fast", "cloud-accurate"))
    assert [each.number for each in made] == [1, 2, 3, 4]
    assert made[1].trained_with == made[0] and made[1].job == made[0].job
    assert len({each.job_id for each in made}) == 3


def test_asked_for_one_after_the_other_they_are_two_trainings(
    team: Team, discs: Dataset, model: RegisteredModel
) -> None:
    made = [asked(model, team.people["engineer"], discs, applications=[each])[0] for each in BOTH]
    assert made[1].trained_with is None and made[0].job != made[1].job


def test_they_are_apart_where_they_would_take_different_networks(
    team: Team, discs: Dataset, model: RegisteredModel, settings: Settings, tmp_path: Path
) -> None:
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = tmp_path, False
    for name in (
        "resnet18",
        "mobilenet_v3_large",
    ):  # cloud likes the first better, edge knows the second alone
        (tmp_path / f"{name}.pth").write_bytes(b"w")
    made = asked(model, team.people["engineer"], discs, applications=BOTH)
    assert made[1].trained_with is None and made[0].job != made[1].job


def test_a_follower_that_is_cancelled_is_dropped_and_the_training_goes_on(
    team: Team, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    attempt = Attempt.claim(pair[0].job_id or 0)
    assert attempt
    versions.cancel(pair[1], team.people["engineer"])
    Writer(attempt, pair[0]).write(progress=0.5)
    leader, follower = fresh(*pair)
    assert (follower.state, follower.usable, follower.progress) == ("cancelled", False, 0)
    assert (leader.state, leader.progress, leader.job.cancel_requested) == ("queued", 0.5, False)  # type: ignore[union-attr]


@pytest.mark.parametrize("running", [False, True])
def test_where_the_leader_is_cancelled_the_follower_is_trained_by_itself(
    team: Team, pair: tuple[ModelVersion, ModelVersion], running: bool
) -> None:
    first = pair[0].job
    assert first
    attempt = Attempt.claim(first.pk) if running else None
    versions.cancel(pair[0], team.people["engineer"])
    leader, follower = fresh(*pair)
    first.refresh_from_db()
    assert follower.trained_with is None and follower.job and follower.job != first
    assert (follower.state, follower.job.state) == ("queued", "queued")
    assert follower.job.payload == {"version": follower.pk}
    if attempt:
        Writer(attempt, leader).write(progress=0.7)  # what still comes of the old job is not the follower's
        assert first.cancel_requested and fresh(follower)[0].progress == 0
    else:
        assert (leader.state, first.state) == ("cancelled", State.CANCELLED)


def test_a_stop_before_it_began_ends_that_version_alone(
    team: Team, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    versions.stop(pair[1], team.people["engineer"])
    leader, follower = fresh(*pair)
    assert (follower.state, follower.usable) == ("stopped", False)
    assert (leader.state, leader.stop_requested) == ("queued", False)


def test_a_stop_while_it_runs_is_for_both(team: Team, pair: tuple[ModelVersion, ModelVersion]) -> None:
    assert Attempt.claim(pair[0].job_id or 0)
    versions.stop(pair[1], team.people["engineer"])
    assert [each.stop_requested for each in fresh(*pair)] == [True, True]


def test_what_ends_the_job_ends_both_and_trying_again_tries_both(
    team: Team, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    job = pair[0].job
    assert job
    Job.objects.filter(pk=job.pk).update(state=State.PARKED, attempt=3)
    job.refresh_from_db()
    versions.job_ended(job)
    assert [each.state for each in fresh(*pair)] == ["failed", "failed"]
    removing.remove(version=pair[0], user=team.people["engineer"])
    assert try_again(job)
    (follower,) = fresh(pair[1])
    job.refresh_from_db()
    assert (follower.state, job.payload) == ("queued", {"version": follower.pk})


def test_at_the_start_a_follower_that_takes_another_network_after_all_is_trained_by_itself(
    pair: tuple[ModelVersion, ModelVersion], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = Attempt.claim(pair[0].job_id or 0)
    assert attempt
    found = {pair[0].pk: Choice(), pair[1].pk: Choice(extractor=object())}  # type: ignore[arg-type]
    monkeypatch.setattr(Run, "choice_for", lambda self, version: found[version.pk])
    assert Run(attempt, pair[0], tmp_path).network() is None
    leader, follower = fresh(*pair)
    assert (leader.backbone, follower.backbone) == ("scratch", "")
    assert follower.trained_with is None and follower.job and follower.job != leader.job


def test_the_pages_say_which_version_is_made_with_it(
    page: Page, pair: tuple[ModelVersion, ModelVersion]
) -> None:
    url = f"/models/{pair[0].model_id}/versions/2/"
    text = page("engineer").get(url).content.decode()
    assert "Trained together with" in text and "version 1 (Cloud, general)" in text
    assert "together with 2" in page("engineer").get(f"/models/{pair[0].model_id}/").content.decode()


@pytest.mark.slow
def test_one_training_ends_with_two_versions_of_the_same_file(
    team: Team, work: Work, settings: Settings
) -> None:
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = None, False
    dataset = tagged(team.project, {"red": 12, "blue": 12})
    made = asked(
        model_of(team.project), team.people["engineer"], dataset, applications=BOTH,
        max_minutes=1.0, options={"max_epochs": 2},
    )  # fmt: skip
    work()
    one, two = fresh(*made)
    assert (one.state, two.state) == ("succeeded", "succeeded"), str(one.sentence)
    assert one.usable and two.usable and one.file_sha256 == two.file_sha256 != ""
    assert one.report == two.report and one.report["overall"]["n"] and one.made_with == two.made_with
    assert Job.objects.filter(kind="training.run").count() == 1
    removing.remove(version=one, user=team.people["engineer"])  # its file is still the other's
    from web import storage

    assert storage.read(fresh(two)[0].file_key)


@pytest.mark.slow
def test_a_leader_that_is_cancelled_while_it_learns_leaves_a_whole_version_behind(
    team: Team, work: Work, settings: Settings
) -> None:
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = None, False
    dataset = tagged(team.project, {"red": 12, "blue": 12})
    made = asked(
        model_of(team.project), team.people["engineer"], dataset, applications=BOTH,
        max_minutes=5.0, options={"patience": 1000},
    )  # fmt: skip

    def cancel(seen: ModelVersion) -> None:
        ModelVersion.objects.update(options={"max_epochs": 2})
        versions.cancel(seen, team.people["engineer"])

    thread = once_it_learns(made[0], cancel)
    work()
    thread.join()
    leader, follower = fresh(*made)
    assert (leader.state, leader.usable, leader.file_key) == ("cancelled", False, "")
    assert (follower.state, follower.usable) == ("succeeded", True), str(follower.sentence)
    assert follower.report["about"]["epochs"] == 2 and follower.job != leader.job


@pytest.mark.slow
def test_after_a_crash_of_the_engine_both_end_alike(team: Team, work: Work, settings: Settings) -> None:
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = None, False
    dataset = tagged(team.project, {"red": 12, "blue": 12})
    made = asked(model_of(team.project), team.people["engineer"], dataset, applications=BOTH, max_minutes=5.0)

    def kill(seen: ModelVersion) -> None:
        for pid in engines(seen):
            os.kill(pid, signal.SIGKILL)

    thread = once_it_learns(made[0], kill)
    work()
    thread.join()
    one, two = fresh(*made)
    assert one.job and one.job.attempt == 2
    assert one.usable and two.usable and one.file_sha256 == two.file_sha256, str(one.sentence)
