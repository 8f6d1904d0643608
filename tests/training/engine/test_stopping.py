"""Ending: the time limit is kept, a stop keeps the best, a killed fit goes on, an orphan dies."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from tests.training.engine.tasks import ROOT, fit_here, lines_of, run, scratch_task, shapes, split_of, started
from training.engine.spec import FitTask, write_spec

Capture = pytest.CaptureFixture[str]


def endless(folder: Path, **fields: object) -> FitTask:
    """A fit that would go on for hours."""
    pixels, targets = shapes(side=48)
    fields = {"patience": 10_000, "max_epochs": 100_000, "seconds": 3600, **fields}
    return scratch_task(folder, pixels, targets, split_of(180), **fields)


def usable(task: FitTask) -> bool:
    side = task.pixel_spec["size"]
    session = onnxruntime.InferenceSession(Path(task.work_folder) / "model.onnx")
    return session.run(["scores"], {"images": np.zeros((1, side, side, 3), np.uint8)})[0].shape == (1, 3)


def test_the_time_limit_is_kept_and_leaves_a_usable_model(tmp_path: Path) -> None:
    task = endless(tmp_path, seconds=20)
    began = time.monotonic()
    answer = run(task)
    assert answer.code == 0, answer.errors
    assert answer.result["ended_because"] == "budget"
    assert time.monotonic() - began < 22
    assert usable(task)


def test_a_limit_that_is_far_too_short_still_leaves_a_model(tmp_path: Path) -> None:
    task = endless(tmp_path, seconds=0.5)
    answer = run(task)
    assert (answer.code, answer.result["ended_because"], answer.result["epochs"]) == (0, "budget", 1)
    assert usable(task)


def test_the_stop_file_ends_it_soon_with_the_best_so_far(tmp_path: Path) -> None:
    task = endless(tmp_path, stop_file=str(tmp_path / "stop"))
    process = started(task)
    for line in lines_of(process):
        if line["event"] == "epoch" and line["epoch"] == 2:
            (tmp_path / "stop").touch()
            began = time.monotonic()
        if line["event"] == "done":
            assert line["ended_because"] == "stopped"
    process.communicate(timeout=20)
    assert process.returncode == 0
    assert time.monotonic() - began < 15
    assert usable(task)


def test_a_killed_fit_goes_on_from_its_last_epoch(tmp_path: Path) -> None:
    task = endless(tmp_path, max_epochs=5, checkpoint_folder=str(tmp_path / "checkpoints"))
    process = started(task)
    for line in lines_of(process):
        if line["event"] == "epoch" and line["epoch"] == 3:
            process.kill()
            break
    process.communicate()
    answer = run(task)
    assert answer.code == 0, answer.errors
    assert answer.of("stage")[1]["resumed"] is True
    assert [line["epoch"] for line in answer.of("epoch")] in ([3, 4, 5], [4, 5])
    assert [point["epoch"] for point in answer.result["history"]] == [1, 2, 3, 4, 5]


def test_a_damaged_checkpoint_means_starting_over(tmp_path: Path, capsys: Capture) -> None:
    task = endless(tmp_path, max_epochs=1, checkpoint_folder=str(tmp_path / "checkpoints"))
    fit_here(task)
    (checkpoint,) = (tmp_path / "checkpoints").iterdir()
    checkpoint.write_bytes(checkpoint.read_bytes()[:5000])
    capsys.readouterr()
    fit_here(task)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    assert [line["code"] for line in lines if line["event"] == "note"] == ["checkpoint-damaged"]
    assert [line["epoch"] for line in lines if line["event"] == "epoch"] == [1]


def test_a_checkpoint_of_other_data_is_not_taken_up(tmp_path: Path, capsys: Capture) -> None:
    task = endless(tmp_path, max_epochs=1, checkpoint_folder=str(tmp_path / "checkpoints"))
    fit_here(task)
    np.save(task.split, np.roll(np.load(task.split), 3))
    fit_here(task)
    assert '"resumed": true' not in capsys.readouterr().out
    fit_here(task)
    assert '"resumed": true' in capsys.readouterr().out


def test_being_told_to_end_is_neither_success_nor_refusal(tmp_path: Path) -> None:
    process = started(endless(tmp_path))
    for line in lines_of(process):
        if line["event"] == "epoch":
            process.send_signal(signal.SIGTERM)
            break
    process.communicate(timeout=30)
    assert process.returncode in (143, -signal.SIGTERM)


def test_it_dies_with_the_process_that_started_it(tmp_path: Path) -> None:
    task = endless(tmp_path, die_with_parent=True)
    Path(task.work_folder).mkdir()
    spec = Path(task.work_folder) / "spec.json"
    write_spec(task, spec)
    code = (
        "import subprocess, sys, time\n"
        f"command = [sys.executable, '-m', 'training.engine', {str(spec)!r}]\n"
        f"engine = subprocess.Popen(command, cwd={str(ROOT)!r}, stdout=subprocess.PIPE, text=True)\n"
        "engine.stdout.readline()\nprint(engine.pid, flush=True)\ntime.sleep(600)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    engine = int(parent.stdout.readline())
    assert _alive(engine)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 5
    while _alive(engine) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert not _alive(engine)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False
