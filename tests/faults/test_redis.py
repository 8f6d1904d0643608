"""Redis killed, flushed, full and hung: it only wakes workers, so nothing gets lost and no page waits."""

import os
import signal
import sys
import time
from collections.abc import Iterator

import pytest

from config.supervisor import Child, Supervisor
from tests.faults.plant import Plant, eventually, times

ONE_PAGE = 1.0  # seconds that a request may wait for Redis


@pytest.fixture
def works(plant: Plant) -> Iterator[Plant]:
    """A worker and the reconciler, started again when they end, as in the product."""
    supervisor = Supervisor(plant.folder, lambda line: None)
    command = (sys.executable, "manage.py")
    worker = (*command, "rqworker", "quick", "--worker-class", "jobs.worker.Worker")
    supervisor.start(Child("quick", worker, plant.environment))
    supervisor.start(Child("reconcile", (*command, "reconcile"), plant.environment))
    supervisor.watch()
    assert eventually(lambda: plant.client.keys("rq:worker:*"))
    yield plant
    supervisor.stop()


def all_succeed(plant: Plant, jobs: list[int], seconds: float = 60) -> bool:
    """Wait until each of them has ended well."""

    def states() -> set[str]:
        return {row["state"] for row in plant.order("rows") if row["id"] in jobs}

    return bool(eventually(lambda: states() == {"succeeded"}, seconds, 0.2))


def test_a_killed_redis_loses_no_queued_and_no_running_job(works: Plant) -> None:
    """J8: killed, away for a while, back from its append-only file."""
    for cycle in range(times(1, 10)):
        (running,) = works.ask("steps", steps=10, seconds=0.3)
        queued = works.ask("steps", steps=1, seconds=0, count=3)
        assert eventually(lambda job=running: works.lines(job, "step"))
        works.redis.kill()
        works.redis.wait()
        asked = works.asked("steps", steps=1, seconds=0, count=2)
        assert max(asked["seconds"]) < ONE_PAGE
        time.sleep(times(2, 30))
        works.start_redis()
        assert all_succeed(works, [running, *queued, *asked["ids"]]), works.said()
        assert works.row(running)["attempt"] == 1, "work that runs does not need Redis"
        print(f"J8: cycle {cycle + 1} done")


def test_a_flushed_redis_loses_no_job(works: Plant) -> None:
    """J9: 50 queued, 1 running."""
    (running,) = works.ask("steps", steps=6, seconds=0.3)
    assert eventually(lambda: works.lines(running, "step"))
    queued = works.ask("steps", steps=1, seconds=0, count=50)
    works.client.flushall()
    assert all_succeed(works, [running, *queued], 120), works.said()
    assert works.row(running)["attempt"] == 1
    assert [row["id"] for row in works.order("rows")] == [running, *queued]


def test_a_full_redis_keeps_work_waiting_until_there_is_room(works: Plant) -> None:
    """J10."""
    works.client.config_set("maxmemory", "100kb")
    asked = works.asked("steps", steps=1, seconds=0, count=5)
    assert max(asked["seconds"]) < ONE_PAGE
    assert {works.state(job) for job in asked["ids"]} == {"queued"}
    works.client.config_set("maxmemory", "0")
    assert all_succeed(works, asked["ids"]), works.said()


def test_a_hung_redis_costs_a_page_less_than_a_second(works: Plant) -> None:
    """J11: stopped, so that connections are taken and never answered."""
    (running,) = works.ask("steps", steps=10, seconds=0.3)
    assert eventually(lambda: works.lines(running, "step"))
    os.kill(works.redis.pid, signal.SIGSTOP)
    asked = works.asked("steps", steps=1, seconds=0, count=20)
    seconds = sorted(asked["seconds"])
    assert seconds[-1] < ONE_PAGE and sum(seconds) < 2 * ONE_PAGE
    assert works.becomes(running, "succeeded")
    time.sleep(times(0, 60))
    os.kill(works.redis.pid, signal.SIGCONT)
    assert all_succeed(works, asked["ids"]), works.said()
    print(f"J11: 20 requests while Redis hung: slowest {seconds[-1]:.2f} s, all {sum(seconds):.2f} s")
