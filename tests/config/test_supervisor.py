"""The supervisor with small children: restarts, stubborn ones, runaways, and its own violent end."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.env import ROOT
from config.supervisor import Child, Supervisor, how_it_ended, rotate
from config.warden import living, marked
from tests.config.product import eventually

PYTHON = sys.executable
SLEEP = "import time; time.sleep(60)"
STUBBORN = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); {SLEEP}"
RUNAWAY = (
    "import subprocess, sys, time;"
    f" subprocess.Popen([sys.executable, '-c', {SLEEP!r}], start_new_session=True); time.sleep(60)"
)


@pytest.fixture
def lines() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, lines: list[str]) -> Iterator[Supervisor]:
    made = Supervisor(tmp_path / "logs", lines.append)
    yield made
    made.stop()


def script(name: str, text: str) -> Child:
    return Child(name, (PYTHON, "-c", text))


def test_a_child_that_keeps_failing_is_restarted_after_growing_pauses(
    supervisor: Supervisor, lines: list[str]
) -> None:
    child = script("failing", "print('so long'); raise SystemExit(3)")
    supervisor.start(child)
    supervisor.watch()
    assert eventually(lambda: len([line for line in lines if "ended with code 3" in line]) == 2, 10)
    assert "starting it again in 1 s" in lines[0]
    assert "starting it again in 2 s" in lines[2]
    assert supervisor.log_of(child).read_text().startswith("so long")


def test_a_child_that_ignores_the_polite_signal_is_killed_within_eight_seconds(
    supervisor: Supervisor,
) -> None:
    child = script("deaf", STUBBORN)
    supervisor.start(child)
    assert eventually(lambda: "deaf" in supervisor.log_of(child).read_text(), 5)
    pid, began = supervisor.running[0].process.pid, time.monotonic()
    supervisor.stop()
    assert time.monotonic() - began < 8
    assert not living(pid)


def test_what_a_child_started_in_a_session_of_its_own_ends_too(supervisor: Supervisor) -> None:
    supervisor.start(script("runaway", RUNAWAY))
    assert eventually(lambda: len(marked(supervisor.mark)) == 2, 5)
    supervisor.stop()
    assert marked(supervisor.mark) == set()


def test_a_stopped_child_is_not_started_again(supervisor: Supervisor, lines: list[str]) -> None:
    supervisor.start(script("short", SLEEP))
    supervisor.watch()
    supervisor.stop()
    time.sleep(1.5)
    assert lines == []


def test_when_the_supervisor_is_killed_everything_it_started_ends(tmp_path: Path) -> None:
    text = f"""
import sys, time
sys.path.insert(0, {str(ROOT / "platform")!r})
from pathlib import Path
from config.supervisor import Child, Supervisor
supervisor = Supervisor(Path({str(tmp_path)!r}))
supervisor.start(Child("runaway", (sys.executable, "-c", {RUNAWAY!r})))
supervisor.start(Child("deaf", (sys.executable, "-c", {STUBBORN!r})))
print(supervisor.mark, flush=True)
time.sleep(60)
"""
    process = subprocess.Popen((PYTHON, "-c", text), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    mark = process.stdout.readline().strip()
    process.stdout.close()
    assert eventually(lambda: len(marked(mark)) == 3, 5)
    process.kill()
    process.wait()
    assert eventually(lambda: not [pid for pid in marked(mark) if living(pid)], 5)


def test_a_dead_warden_is_replaced(supervisor: Supervisor) -> None:
    supervisor.watch()
    first = supervisor.warden
    first.kill()
    assert eventually(lambda: supervisor.warden is not first and supervisor.warden.poll() is None, 5)
    assert first.stdin is not None
    first.stdin.close()


def test_the_logs_of_earlier_starts_are_kept_and_bounded(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    for number in range(6):
        log.write_text(str(number))
        rotate(log)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        "web.log.1": "5",
        "web.log.2": "4",
        "web.log.3": "3",
    }


def test_an_end_by_signal_is_told_from_an_end_by_code() -> None:
    assert how_it_ended(-signal.SIGKILL) == "was ended by signal 9"
    assert how_it_ended(1) == "ended with code 1"
