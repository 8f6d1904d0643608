"""The page of a running training: its place in the line, time, curve, machine, log; and who is told at the end."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone

from datasets.models import Dataset
from jobs.models import Job, State
from projects.models import Notice, Webhook
from tests.factories import Team
from tests.training.makers import asked
from training import logs, versions
from training.live import before, curve_of, last_alike
from training.logs import ENGINE_LOG, EVENTS_LOG, Watcher, event_line, tail
from training.machine import Machine, card_in
from training.models import ModelVersion, RegisteredModel, RunWatch, VersionState
from training.notices import version_ended

Page = Callable[[str], Client]
HEAD, TUNED = {"method": "head", "metric": 0.8}, {"method": "fine-tuned", "metric": 0.9}


@pytest.fixture
def running(model: RegisteredModel, version: ModelVersion) -> ModelVersion:
    """A version half-way."""
    ModelVersion.objects.filter(pk=version.pk).update(
        state=VersionState.TRAINING, usable=False, finished_at=None, started_at=timezone.now() - timedelta(seconds=30),
        history=[{"epoch": 1, **HEAD}, {"epoch": 2, **HEAD}, {"epoch": 3, **TUNED}],
    )  # fmt: skip
    version.refresh_from_db()
    return version


def page_of(version: ModelVersion) -> str:
    return f"/models/{version.model_id}/versions/{version.number}/"


def test_a_waiting_training_knows_its_place(
    team: Team, model: RegisteredModel, discs: Dataset, page: Page
) -> None:
    first, second, third = asked(
        model, team.people["engineer"], discs, applications=["edge-fast", "cloud-general", "cloud-accurate"]
    )
    assert [before(each) for each in (first, second, third)] == [0, 1, 2]
    assert "2 trainings before this one" in page("viewer").get(page_of(third)).content.decode()
    Job.objects.filter(pk=first.job_id or 0).update(state=State.RUNNING)
    assert before(third) == 2
    assert "Next in line" not in page("viewer").get(page_of(second)).content.decode()


def test_time_left_is_what_the_limit_leaves_and_the_last_one_like_it(
    running: ModelVersion, page: Page
) -> None:
    content = page("viewer").get(page_of(running)).content.decode()
    assert "at most 1 min 2" in content or "at most 1 min 30" in content
    assert last_alike(running) is None and "the last one like it" not in content


def test_the_curve_says_where_fine_tuning_begins(running: ModelVersion, page: Page) -> None:
    curve = curve_of(running)
    assert (curve["tuned"], curve["best"], curve["best_is_tuned"]) == (3, 0.9, True)
    assert "by fine-tuning" in page("viewer").get(page_of(running)).content.decode()
    running.history = running.history[:2]
    assert curve_of(running)["tuned"] is None
    running.history = [{"epoch": 1, "method": "", "metric": 0.5}, {"epoch": 2, "method": "", "metric": None}]
    assert curve_of(running)["tuned"] is None


def test_the_log_is_for_engineers_and_the_machine_for_everybody(running: ModelVersion, page: Page) -> None:
    machine = Machine().look()
    RunWatch.objects.create(
        version=running, machine=machine, log='12:00:00 stage stage="<fit>"', at=timezone.now()
    )
    assert machine["memory_total"] > machine["ours"] > 0
    seen = {role: page(role).get(page_of(running)).content.decode() for role in ("labeller", "engineer")}
    assert "&lt;fit&gt;" in seen["engineer"] and "&lt;fit&gt;" not in seen["labeller"]
    assert "this training" in seen["labeller"]
    RunWatch.objects.update(at=timezone.now() - timedelta(minutes=1))
    assert "this training" not in page("viewer").get(page_of(running)).content.decode()


def test_the_tail_has_the_last_lines_of_each_fit_without_secrets(tmp_path: Path) -> None:
    fit = tmp_path / "attempt-2" / "first"
    fit.mkdir(parents=True)
    lines = [event_line({"event": "epoch", "epoch": at, "metric": 0.123456}) for at in range(300)]
    (fit / EVENTS_LOG).write_text("".join(lines))
    (fit / ENGINE_LOG).write_text(
        "warning: postgres://taxon:pa55word@db/x \x1b[31m txa_0123456789abcdef\n" + "x" * 999
    )
    found = tail(tmp_path).splitlines()
    assert len(found) == logs.LINES and "epoch=299 metric=0.1235" in found[-3]
    assert "pa55word" not in found[-2] and "0123456789" not in found[-2] and "\x1b" not in found[-2]
    assert len(found[-1]) == logs.WIDTH
    assert tail(tmp_path / "nothing") == ""


def test_a_watcher_writes_while_work_goes_on(running: ModelVersion, tmp_path: Path) -> None:
    fit = tmp_path / "attempt-1" / "first"
    fit.mkdir(parents=True)
    (fit / EVENTS_LOG).write_text(event_line({"event": "stage", "stage": "fitting"}))
    watcher = Watcher(running.pk, tmp_path)
    watcher._write(Machine().look(), tail(tmp_path))
    assert 'stage="fitting"' in RunWatch.objects.get(version=running).log


def test_a_line_of_the_card_drivers_program_is_read_or_left_out() -> None:
    card = card_in("34, 1024, 143771, NVIDIA H200")
    assert card == {"name": "NVIDIA H200", "busy": 0.34, "used": 1024**3, "total": 143771 * 1024**2}
    assert card_in("[N/A], 1, 2, Orin") is None and card_in("No devices were found") is None


def test_a_training_that_ends_badly_is_told_of_once(
    team: Team, model: RegisteredModel, discs: Dataset
) -> None:
    engineer = team.people["engineer"]
    Webhook.objects.create(project=team.project, url="https://example.org/", salt="1")
    (version,) = asked(model, engineer, discs)
    versions.cancel(version, engineer)
    notice = Notice.objects.get()
    assert notice.body["state"] == "cancelled" and notice.body["usable"] is False
    assert notice.body["url"].endswith(page_of(version)) and notice.body["event"] == "training.ended"
    assert "ended without a model" in json.dumps(notice.subject)


def test_a_training_that_went_well_is_told_of_once_with_its_figure(team: Team, version: ModelVersion) -> None:
    Webhook.objects.create(project=team.project, url="https://example.org/", salt="1")
    for _ in range(2):  # the job may end twice, after a crash
        version_ended(version.pk)
    body = Notice.objects.get().body
    assert (body["state"], body["usable"], body["accuracy"]["value"]) == ("succeeded", True, 0.75)
    assert body["url"].endswith(f"{page_of(version)}report/") and len(body["say"]) == 3


def test_a_version_that_is_still_being_made_is_not_told_of(team: Team, running: ModelVersion) -> None:
    Webhook.objects.create(project=team.project, url="https://example.org/", salt="1")
    version_ended(running.pk)
    assert not Notice.objects.exists()
