"""Workers and their horses killed, frozen, stopped and set on one another."""

import os
import random
import signal
import time
from pathlib import Path

import pytest

from tests.faults.plant import LONG, Plant, alive, eventually, times

MORTAL = "tests.faults.fixture_app.workers.Mortal"


def test_a_killed_worker_takes_its_horse_along_and_another_goes_on(plant: Plant, dice: random.Random) -> None:
    """J1."""
    plant.reconciler()
    (job,) = plant.ask("steps", steps=times(12, 60), seconds=0.3)
    for _ in range(times(2, 20)):
        worker = plant.worker()
        assert eventually(lambda: plant.state(job) == "running")
        done = len(plant.lines(job, "step"))
        assert eventually(lambda done=done: len(plant.lines(job, "step")) > done)
        time.sleep(dice.random())
        horse = plant.horse(worker)
        os.kill(worker.pid, signal.SIGKILL)
        worker.wait()
        assert eventually(lambda horse=horse: not alive(horse), 5)
    plant.worker()
    assert plant.becomes(job, "succeeded", 60)
    print(f"J1: {times(2, 20)} workers killed, attempt {plant.row(job)['attempt']}")


def test_a_killed_horse_is_told_with_its_signal_and_the_job_goes_on_at_once(
    plant: Plant, dice: random.Random
) -> None:
    """J2. No reconciler: the worker itself puts the row back."""
    worker = plant.worker()
    (job,) = plant.ask("steps", steps=times(8, 60), seconds=0.3)
    kills = times(2, 20)
    for kill in range(kills):
        assert eventually(lambda kill=kill: len(plant.lines(job, "step")) > 2 * kill)
        time.sleep(dice.random() * 0.5)
        os.kill(plant.horse(worker), signal.SIGKILL)
        assert eventually(lambda kill=kill: len(plant.row(job)["failures"]) == kill + 1, 5)
        if plant.state(job) == "succeeded":
            break
    assert plant.becomes(job, "succeeded", 60)
    reasons = {failure["reason"] for failure in plant.row(job)["failures"]}
    assert reasons == {"Its process was ended by signal 9 (SIGKILL)."}
    print(f"J2: {kills} horses killed, attempt {plant.row(job)['attempt']}")


def test_the_third_death_alike_sets_the_job_aside(plant: Plant) -> None:
    """J2, J14: and the worker goes on with the next job."""
    plant.worker()
    (job,) = plant.ask("kill-itself", times=9)
    (second,) = plant.ask("kill-itself", times=2, signal=signal.SIGSEGV)
    assert plant.becomes(job, "parked")
    assert plant.becomes(second, "succeeded")
    row = plant.row(job)
    assert (row["attempt"], len(row["failures"])) == (3, 3)
    assert "set aside" in row["message"]["text"]
    assert "SIGSEGV" in plant.row(second)["failures"][0]["reason"]


def test_a_job_that_takes_its_worker_down_is_set_aside_after_three(plant: Plant) -> None:
    """J14."""
    (job,) = plant.ask("kill-its-worker")
    plant.reconciler()
    for attempt in (1, 2, 3):
        worker = plant.worker()
        assert eventually(lambda worker=worker: worker.poll() is not None)
        assert eventually(lambda attempt=attempt: len(plant.row(job)["failures"]) == attempt)
    assert plant.becomes(job, "parked")
    reasons = [failure["reason"] for failure in plant.row(job)["failures"]]
    assert reasons == ["The worker went away: its process is gone."] * 3


@pytest.mark.parametrize(
    "instant", ["dequeued", "prepared", "forked", "claiming"] if LONG else ["dequeued", "claiming"]
)
def test_a_job_whose_worker_dies_before_it_starts_runs_all_the_same(
    plant: Plant, tmp_path: Path, instant: str
) -> None:
    """J6: taken from the queue, not yet claimed."""
    plant.reconciler()
    for number in range(times(1, 5)):
        mark = tmp_path / str(number)
        worker = plant.worker(kind=MORTAL, FAULTS_DIE_AT=instant, FAULTS_DIED=str(mark))
        (job,) = plant.ask("steps", steps=1, seconds=0)
        assert eventually(lambda worker=worker: worker.poll() is not None) and mark.exists()
        assert plant.state(job) == "queued"
        second = plant.worker()
        assert plant.becomes(job, "succeeded", 60)
        assert not plant.row(job)["failures"]
        second.kill()
        second.wait()


@pytest.mark.parametrize("whole_group", [True, False] if LONG else [True])
def test_a_polite_stop_gives_the_job_back_and_counts_nothing_against_it(
    plant: Plant, whole_group: bool
) -> None:
    """J7: systemd signals every process, others the worker alone."""
    (job,) = plant.ask("steps", steps=times(8, 60), seconds=0.3)
    (deaf,) = plant.ask("deaf")
    for _ in range(times(1, 10)):
        worker = plant.worker()
        assert eventually(lambda: plant.state(job) == "running")
        horse = plant.horse(worker)
        began = time.monotonic()
        for pid in (horse, worker.pid) if whole_group else (worker.pid,):
            os.kill(pid, signal.SIGTERM)
        assert worker.wait(10) == 0
        assert time.monotonic() - began < 6 and not alive(horse)
        assert plant.state(job) == "retrying"
    worker = plant.worker()
    assert plant.becomes(job, "succeeded", 60)
    assert not plant.row(job)["failures"]
    assert plant.becomes(deaf, "running")
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.wait(10) == 0 and plant.state(deaf) == "retrying" and not plant.row(deaf)["failures"]


def test_a_second_worker_cannot_be_forced_on_a_job_and_the_stale_one_writes_nothing(plant: Plant) -> None:
    """J12."""
    for job in plant.ask("steps", steps=1, seconds=0, count=times(2, 20)):
        assert plant.order("stale_write", job=job)


@pytest.mark.parametrize("frozen", ["horse", "both"] if LONG else ["both"])
def test_a_frozen_worker_loses_its_job_and_writes_nothing_when_it_wakes(plant: Plant, frozen: str) -> None:
    """J18: stopped for longer than its lease, then resumed."""
    plant.reconciler()
    (job,) = plant.ask("steps", steps=6, seconds=0.3)
    worker = plant.worker()
    assert eventually(lambda: plant.lines(job, "step"))
    horse = plant.horse(worker)
    for pid in (worker.pid, horse) if frozen == "both" else (horse,):
        os.kill(pid, signal.SIGSTOP)
    if frozen == "both":
        plant.worker()
    assert eventually(lambda: plant.row(job)["attempt"] == 2, 60 if LONG else 20)
    assert not alive(horse), "a frozen holder on this machine is killed before its job is given away"
    os.kill(worker.pid, signal.SIGCONT)
    assert plant.becomes(job, "succeeded")
    assert plant.row(job)["failures"][0]["reason"] in (
        "The worker went away: its process no longer answers.",
        "Its process was ended by signal 9 (SIGKILL).",  # its worker may be quicker to tell
    )


def test_a_worker_frozen_with_the_write_lock_held_does_not_stop_everybody(plant: Plant) -> None:
    """J18: on SQLite the lock has to be broken, and with it the process that holds it."""
    plant.reconciler()
    plant.worker()
    (job,) = plant.ask("freeze")
    assert plant.becomes(job, "succeeded")
    assert plant.row(job)["attempt"] == 2 and not plant.lines(job, "woke")


INSTALLED = map(str, Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
FAKETIME = os.environ.get("TAXON_FAKETIME") or next(INSTALLED, "")


@pytest.mark.skipif(not FAKETIME, reason="libfaketime is not installed (or set TAXON_FAKETIME)")
@pytest.mark.parametrize("jump", ["+2h", "-2h", "+1d"] if LONG else ["-2h"])
def test_a_jump_of_the_clock_costs_no_job_its_lease(plant: Plant, tmp_path: Path, jump: str) -> None:
    """J17: for worker, horse and reconciler at once."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    faked = {
        "LD_PRELOAD": FAKETIME,
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    plant.reconciler(**faked)
    plant.worker(**faked)
    job, failing = *plant.ask("steps", steps=10, seconds=0.3), *plant.ask("raise")
    assert eventually(lambda: len(plant.lines(job, "step")) >= 2)
    clock.write_text(jump)
    assert plant.becomes(job, "succeeded")
    assert plant.row(job)["attempt"] == 1 and not plant.row(job)["failures"]
    clock.write_text("+0")
    assert plant.becomes(failing, "parked"), "a pause set by another clock does not last for ever"
