"""Trainings that do not run to their own end: stopped, cancelled, out of time, killed."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from jobs.models import State
from tests.factories import Team
from tests.training.makers import asked, model_of, tagged
from training import versions
from training.models import ModelVersion, VersionState
from training.running import work_folder

Work = Callable[[], None]
Act = Callable[[ModelVersion], None]
PATIENT = {"patience": 1000}


@pytest.fixture(autouse=True)
def no_weights(settings: Settings) -> Iterator[None]:
    """A machine without weights that does not ask the hub."""
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = None, False
    yield


@pytest.fixture
def patient(team: Team, transactional_db: None) -> ModelVersion:
    """A waiting training that would learn for very long."""
    dataset = tagged(team.project, {"red": 12, "blue": 12})
    return asked(model_of(team.project), team.people["engineer"], dataset, options=PATIENT, max_minutes=10)[0]


def once_it_learns(version: ModelVersion, act: Act) -> threading.Thread:
    """Do something in another thread as soon as the engine has finished a round."""

    def watch() -> None:
        until = time.monotonic() + 90
        while time.monotonic() < until:
            seen = ModelVersion.objects.get(pk=version.pk)
            if seen.state == VersionState.TRAINING and seen.history:
                act(seen)
                break
            time.sleep(0.2)
        connection.close()

    thread = threading.Thread(target=watch)
    thread.start()
    return thread


def engines(version: ModelVersion) -> list[int]:
    """The engine processes that work for this version."""
    mark = f"training-{version.pk}/".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if b"training.engine" in command and mark in command and str(work_folder()).encode() in command:
            found.append(int(entry.name))
    return found


@pytest.mark.slow
def test_a_stopped_training_keeps_its_best(team: Team, work: Work, patient: ModelVersion) -> None:
    thread = once_it_learns(patient, lambda seen: versions.stop(seen, team.people["engineer"]))
    work()
    thread.join()
    patient.refresh_from_db()
    assert (patient.state, patient.ended_because, patient.usable) == ("stopped", "stopped", True), (
        patient.sentence
    )
    assert patient.report["overall"]["n"] == 4 and patient.file_bytes > 0
    assert patient.job and patient.job.state == State.SUCCEEDED


@pytest.mark.slow
def test_a_cancelled_training_leaves_nothing(team: Team, work: Work, patient: ModelVersion) -> None:
    began = []

    def cancel(seen: ModelVersion) -> None:
        versions.cancel(seen, team.people["engineer"])
        began.append(time.monotonic())

    thread = once_it_learns(patient, cancel)
    work()
    took = time.monotonic() - began[0]
    thread.join()
    patient.refresh_from_db()
    assert (patient.state, patient.usable, patient.file_key, patient.report) == ("cancelled", False, "", {})
    assert took < 10 and not engines(patient)
    assert not (work_folder() / f"training-{patient.pk}").exists()


@pytest.mark.slow
def test_the_time_limit_is_kept_and_the_best_so_far_too(work: Work, patient: ModelVersion) -> None:
    ModelVersion.objects.update(max_minutes=0.5)
    work()
    patient.refresh_from_db()
    assert (patient.state, patient.ended_because, patient.usable) == ("succeeded", "budget", True)
    assert patient.finished_at and patient.started_at
    assert (
        patient.finished_at - patient.started_at
    ).total_seconds() < 0.5 * 60 + 30  # what is promised, on a busy machine, too


@pytest.mark.slow
def test_a_killed_engine_is_started_again_and_the_training_ends_well(
    work: Work, patient: ModelVersion
) -> None:
    ModelVersion.objects.update(options={})
    killed: list[int] = []

    def kill(seen: ModelVersion) -> None:
        for pid in engines(seen):
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    thread = once_it_learns(patient, kill)
    work()
    thread.join()
    patient.refresh_from_db()
    assert killed and patient.job and patient.job.attempt == 2
    assert (patient.state, patient.usable) == ("succeeded", True)
    assert not (work_folder() / f"training-{patient.pk}").exists()


def test_a_training_whose_data_are_gone_fails_with_its_sentence(work: Work, patient: ModelVersion) -> None:
    from datasets.models import Dataset

    Dataset.objects.all().delete()
    work()
    patient.refresh_from_db()
    assert (patient.state, patient.ended_because, patient.usable) == ("failed", "error", False)
    assert str(patient.sentence) == "A data set of this training was deleted before it began."
