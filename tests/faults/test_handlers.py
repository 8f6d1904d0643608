"""Handlers that misbehave, and people who cancel: every end is told, and the worker goes on."""

import time

import pytest

from tests.faults.plant import LONG, Plant, alive, eventually, times


def test_bugs_refusals_and_hangs_end_with_a_reason_and_the_next_job_runs(plant: Plant) -> None:
    """J13, J16, J19: all on one worker, one after another."""
    plant.reconciler()
    plant.worker()
    jobs = {kind: plant.ask(kind)[0] for kind in ("raise", "refuse", "eat-memory", "old-payload", "hang")}
    jobs["no-such-kind"] = plant.order("unknown", kind="no-such-kind", queue="quick")
    (last,) = plant.ask("steps", steps=1, seconds=0)
    assert plant.becomes(jobs["refuse"], "failed")
    assert plant.row(jobs["refuse"])["message"] == {"text": "Only %(n)s pictures.", "values": {"n": 2}}
    assert plant.becomes(jobs["no-such-kind"], "failed")
    assert "does not know the work" in plant.row(jobs["no-such-kind"])["message"]["text"]
    assert plant.becomes(jobs["raise"], "parked")
    assert "ValueError: broken" in plant.row(jobs["raise"])["traceback"]
    assert plant.becomes(jobs["old-payload"], "parked")
    assert plant.row(jobs["old-payload"])["failures"][0]["reason"].startswith("KeyError: 'a key that this")
    assert plant.becomes(jobs["eat-memory"], "parked")
    assert "out of memory" in plant.row(jobs["eat-memory"])["message"]["text"]
    assert plant.becomes(last, "succeeded", 60)
    assert plant.becomes(jobs["hang"], "parked", 90 if LONG else 60)
    assert plant.row(jobs["hang"])["failures"][0]["reason"] == "No sign of life for 2 seconds."


def test_a_parked_job_that_the_operator_tries_again_runs_again(plant: Plant) -> None:
    plant.worker()
    (job,) = plant.ask("kill-itself", times=3)
    assert plant.becomes(job, "parked")
    assert plant.order("again", job=job)
    assert plant.becomes(job, "succeeded")
    assert not plant.row(job)["failures"]


@pytest.mark.parametrize("kind", ["steps", "deaf"])
def test_a_cancel_ends_running_work_within_ten_seconds(plant: Plant, kind: str) -> None:
    """J15: work that asks whether it may go on, and work that never does."""
    worker = plant.worker()
    for _ in range(times(1, 4)):
        job, waiting = plant.ask(kind, steps=200, seconds=0.2, count=2)
        assert eventually(lambda job=job: plant.lines(job))
        horse, began = plant.horse(worker), time.monotonic()
        assert plant.order("cancel", job=waiting) and plant.state(waiting) == "cancelled"
        assert plant.order("cancel", job=job)
        assert plant.becomes(job, "cancelled", 10)
        took = time.monotonic() - began
        assert took < 10 and eventually(lambda horse=horse: not alive(horse), 3)
        assert not plant.order("cancel", job=job), "nothing is left to cancel"
        assert not plant.lines(waiting)
        print(f"J15: {kind} cancelled after {took:.1f} s")


def test_a_job_cancelled_while_its_worker_is_lost_is_not_tried_again(plant: Plant) -> None:
    """J15: between the cancel and the next look at it, the worker dies."""
    worker = plant.worker()
    (job,) = plant.ask("deaf")
    assert eventually(lambda: plant.lines(job))
    horse = plant.horse(worker)
    assert plant.order("cancel", job=job)
    worker.kill()
    worker.wait()
    assert eventually(lambda: not alive(horse), 5)
    assert plant.order("reconcile") == 1
    assert plant.state(job) == "cancelled"


def test_a_job_cancelled_between_two_attempts_stays_cancelled(plant: Plant) -> None:
    """J15: while it recovers."""
    worker = plant.worker()
    (job,) = plant.ask("raise")
    assert eventually(lambda: plant.state(job) == "retrying")
    assert plant.order("cancel", job=job)
    plant.order("reconcile")
    time.sleep(1)
    assert plant.state(job) == "cancelled"
    assert worker.poll() is None
