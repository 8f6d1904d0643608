"""`manage.py up`, the real thing: starts everything, refuses what cannot work, leaves nothing behind."""

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.embedded import run_folder
from tests.config.product import Up, eventually, manage, started

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc to find what is left")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("up") / "data"


@pytest.fixture(scope="module")
def up(data: Path) -> Iterator[Up]:
    with started(data) as running:
        yield running


def test_it_prints_the_address_and_the_first_password_and_answers(up: Up) -> None:
    assert f"Taxon is running at http://127.0.0.1:{up.port}" in up.said()
    assert "Sign in as admin with the password" in up.said()
    assert up.get("/healthz").strip() == "ok"


def test_each_queue_has_one_worker_and_training_is_the_most_patient(up: Up) -> None:
    queues = ("quick", "bulk", "training")
    niceness = {name: os.getpriority(os.PRIO_PROCESS, up.child(f"rqworker {name}")) for name in queues}
    own = os.getpriority(os.PRIO_PROCESS, up.process.pid)
    assert niceness == {"quick": own, "bulk": min(own + 5, 19), "training": min(own + 10, 19)}


def test_a_second_start_on_the_same_folder_is_refused_in_one_sentence(up: Up) -> None:
    second = manage("up", "--port", str(up.port + 1), data=up.data)
    assert second.returncode == 1
    where = f"http://127.0.0.1:{up.port}"
    assert second.stderr.strip() == (
        f"Taxon already runs on {up.data}, at {where}: stop it, or set another TAXON_DATA_DIR."
    )
    assert up.get("/healthz").strip() == "ok"


def test_a_taken_port_is_refused_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        refused = manage("up", "--port", str(port), data=tmp_path / "other")
    assert refused.returncode == 1
    assert len(refused.stderr.strip().splitlines()) == 1
    assert f"port {port}" in refused.stderr


def test_a_killed_worker_and_a_killed_web_server_are_started_again(up: Up) -> None:
    worker, web = up.child("rqworker quick"), up.child("gunicorn")
    os.kill(worker, signal.SIGKILL)
    os.kill(web, signal.SIGKILL)
    assert eventually(lambda: "quick: started again" in up.said() and "web: started again" in up.said(), 15)
    assert up.child("rqworker quick") != worker
    assert eventually(lambda: answers(up), 15)


def answers(up: Up) -> bool:
    try:
        return up.get("/healthz").strip() == "ok"
    except OSError:
        return False


def leaves_nothing(up: Up, *, within: float) -> None:
    began = time.monotonic()
    gone = eventually(lambda: not up.processes() and not up.redis_runs(), within)
    assert gone, up.processes()
    assert time.monotonic() - began < within
    assert not (run_folder(up.data) / "redis.sock").exists()


def stops_on(running: Up, number: signal.Signals) -> None:
    """A polite signal stops everything within ten seconds."""
    running.process.send_signal(number)
    leaves_nothing(running, within=10)
    assert running.process.wait(1) == 0
    assert not (running.data / "up.lock").exists()
    assert not run_folder(running.data).exists()
    assert "Traceback" not in running.said()


def test_sigterm_stops_everything_and_after_a_kill_nothing_is_left_either_and_the_next_start_works(
    up: Up,
) -> None:
    """One after another, for each start takes seconds: SIGTERM, start, SIGKILL, start, SIGINT."""
    stops_on(up, signal.SIGTERM)
    with started(up.data) as doomed:
        assert "password" not in doomed.said(), "the password is printed once"
        doomed.process.kill()
        doomed.process.wait()
        leaves_nothing(doomed, within=10)
    began = time.monotonic()
    with started(up.data) as next_one:
        assert time.monotonic() - began < 20
        assert next_one.get("/healthz").strip() == "ok"
        assert "password" not in next_one.said()
        stops_on(next_one, signal.SIGINT)
