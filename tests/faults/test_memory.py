"""Memory that really runs out under the engine: refused by the allocator, or killed for it by the kernel (J16)."""

import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from jobs.failures import Cause, Failure
from tests.faults.plant import LONG
from tests.training.engine.tasks import scratch_task, shapes, split_of
from training import engine_process
from training.engine.spec import FitTask
from training.engine_process import EngineRefused, EngineStarved, run_engine

MB = 1024**2
GROUPS = Path("/sys/fs/cgroup/memory")  # version 1
Capped = Callable[[Callable[[], None]], None]


@pytest.fixture
def task(tmp_path: Path) -> FitTask:
    """A fit whose pictures alone take 40 MB as numbers."""
    pixels, targets = shapes(600, 64)
    return scratch_task(tmp_path, pixels, targets, split_of(600), max_epochs=2, seconds=120)


@pytest.fixture
def capped(monkeypatch: pytest.MonkeyPatch) -> Capped:
    """Something that the engine's process does before it begins."""

    def cap(first: Callable[[], None]) -> None:
        def start(spec: Path, log: Any) -> "subprocess.Popen[bytes]":
            return subprocess.Popen(
                [sys.executable, "-m", "training.engine", str(spec)],
                cwd=engine_process.ROOT,
                stdout=subprocess.PIPE,
                stderr=log,
                preexec_fn=first,  # noqa: PLW1509
            )

        monkeypatch.setattr(engine_process, "start", start)

    return cap


def outcome(task: FitTask) -> str:
    """How it ended: done, refused for memory, starved (tried again, then told)."""
    try:
        run_engine(task, hear=lambda event: None, look=lambda: None)
    except EngineRefused as refused:
        assert refused.code == "out-of-memory" and "not enough memory" in str(refused)
        return "refused"
    except EngineStarved as starved:
        failure = Failure.of_error(starved)
        assert failure.cause == Cause.MEMORY
        assert "ran out of memory" in str(failure.sentence([{"like": failure.like, "done": 0, "total": 0}]))
        return "starved"
    return "done"


def address_space(task: FitTask) -> int:
    """What the engine maps at most when nobody stops it, in bytes."""
    folder = Path(task.work_folder)
    peak = [0]

    def look() -> None:
        for process in Path("/proc").iterdir():
            with suppress(OSError, ValueError):
                if str(folder).encode() in (process / "cmdline").read_bytes():
                    lines = (process / "status").read_text().splitlines()
                    peak[0] = max(
                        peak[0], *(int(each.split()[1]) for each in lines if each.startswith("VmPeak"))
                    )

    run_engine(task, hear=lambda event: None, look=look)
    return peak[0] * 1024


def test_an_engine_whose_allocator_refuses_ends_with_a_sentence_about_memory(
    task: FitTask, capped: Capped, settings: Settings
) -> None:
    settings.TRAINING_THREADS = 1
    most = address_space(task)
    ends = {}
    for share in (0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98) if LONG else (0.6, 0.97):
        limit = int(most * share)
        capped(lambda limit=limit: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
        ends[share] = outcome(task)
    assert set(ends.values()) <= {"refused", "starved", "done"} and "refused" in ends.values(), ends
    print(f"J16: address space of {most / MB:.0f} MB limited to {ends}")


@pytest.fixture
def group() -> Iterator[Path]:
    """A control group for memory, which the tests must be allowed to make."""
    made = GROUPS / f"taxon-{os.getpid()}"
    try:
        made.mkdir()
    except OSError:
        pytest.skip("no control group of memory can be made here")
    yield made
    for _ in range(50):
        with suppress(OSError):
            made.rmdir()
            return
        time.sleep(0.1)


def test_an_engine_that_the_kernel_kills_for_memory_is_told_so(
    task: FitTask, capped: Capped, group: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (group / "memory.limit_in_bytes").write_text(str(150 * MB))
    with suppress(OSError):
        (group / "memory.memsw.limit_in_bytes").write_text(str(150 * MB))
    monkeypatch.setattr(
        "jobs.deaths._control_group_files", lambda: [(group / "memory.oom_control", "oom_kill")]
    )
    capped(lambda: (group / "cgroup.procs").write_text(str(os.getpid())) and None)
    assert outcome(task) == "starved"
