"""Several processes fine-tune one network: shares, agreement, one result; and none waits for a dead one."""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import psutil  # type: ignore[import-untyped]
import pytest
import torch

from tests.training.engine.tasks import PIXEL_SPEC, ROOT, clouds, head_task, shapes, split_of, tune_task
from tests.training.engine.test_tune import larger
from training.engine import again, ranks, tune
from training.engine.data import Batches, Part, read_parts
from training.engine.spec import VALIDATION, FitTask, write_spec

SIZE, PICTURES = 48, 90
LONG = os.environ.get("TAXON_FAULTS") == "long"
long_form = pytest.mark.skipif(
    not LONG, reason="each starts three processes with torch; the long form runs it"
)
TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "-m"]
ENTRY = "training.engine.distributed"


def numbered(pictures: int) -> Part:
    """Pictures whose input is their number, of two labels, the second a tenth."""
    targets = torch.from_numpy((np.arange(pictures) % 10 == 0).astype(np.int64))
    return Part(np.arange(pictures, dtype=np.float32)[:, None], np.arange(pictures), targets)


def each_rank(monkeypatch: pytest.MonkeyPatch, world: int) -> Any:
    for rank in range(world):
        monkeypatch.setattr(ranks, "_here", ranks.Ranks(rank, world, rank, world))
        yield rank


@pytest.mark.parametrize(("pictures", "world"), [(64, 2), (65, 2), (90, 3), (7, 4)])
def test_the_shares_of_a_pass_are_equally_large_and_leave_no_picture_out(
    pictures: int, world: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[float] = []
    sizes: list[list[int]] = []
    for _ in each_rank(monkeypatch, world):
        batches = ranks.SharedBatches(numbered(pictures), 8, seed=5)
        mine = [inputs[:, 0].tolist() for inputs, _ in batches]
        assert len(batches) == len(mine)
        sizes.append([len(each) for each in mine])
        taken += [picture for each in mine for picture in each]
    assert all(each == sizes[0] for each in sizes)  # else one would wait for the others' next step
    dropped = pictures - len(set(taken))
    assert dropped < ranks.LEAST_SHARE * world and len(taken) - len(set(taken)) < world
    first = next(inputs[:, 0].tolist() for inputs, _ in Batches(numbered(pictures), 8 * world, seed=5))
    assert set(first[: sizes[0][0] * world]) <= set(taken)


def test_the_shares_of_balanced_batches_are_balanced(monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in each_rank(monkeypatch, 2):
        for _, targets in ranks.SharedBatches(numbered(100), 8, seed=1, balanced=True):
            ones = int(targets.sum())
            assert abs(2 * ones - len(targets)) <= 2


@pytest.mark.parametrize(("pictures", "world"), [(18, 2), (1000, 3), (24, 3)])
def test_validation_is_cut_into_whole_blocks_in_order(
    pictures: int, world: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    shares = [ranks.share_to_validate(numbered(pictures)).rows for _ in each_rank(monkeypatch, world)]
    assert np.concatenate(shares).tolist() == list(range(pictures))
    assert all(len(each) % ranks.BLOCK == 0 for each in shares[:-1])


def test_where_one_would_have_nothing_to_validate_each_looks_at_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in each_rank(monkeypatch, 3):
        assert len(ranks.share_to_validate(numbered(16))) == 16


@pytest.fixture
def task(tmp_path: Path) -> FitTask:
    """A fine-tuning that would go on for an hour; its spec lies beside it."""
    pixels, targets = shapes(PICTURES)
    task = tune_task(
        tmp_path,
        larger(pixels, 56),
        targets,
        split_of(PICTURES),
        pixel_spec={**PIXEL_SPEC, "size": SIZE},
        seconds=3600,
        max_epochs=100_000,
        stop_file=str(tmp_path / "stop"),
        checkpoint_folder=str(tmp_path / "checkpoints"),
    )
    write_spec(task, tmp_path / "spec.json")
    return task


def started(*command: str | Path, **env: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [str(each) for each in command],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1"} | env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_two_processes_give_one_result_and_stop_together(task: FitTask, tmp_path: Path) -> None:
    process = started(*TORCHRUN, ENTRY, tmp_path / "spec.json")
    assert process.stdout is not None
    lines = []
    for text in process.stdout:
        lines.append(json.loads(text))
        if lines[-1]["event"] == "epoch" and lines[-1]["epoch"] == 2:
            (tmp_path / "stop").touch()
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert [line["event"] for line in lines].count("done") == 1
    epochs = [line["epoch"] for line in lines if line["event"] == "epoch"]
    assert epochs == list(range(1, len(epochs) + 1))  # one process speaks
    result = json.loads((Path(task.work_folder) / "result.json").read_text("utf-8"))
    assert (result["method"], result["ended_because"]) == ("fine-tuned", "stopped")
    session = onnxruntime.InferenceSession(Path(task.work_folder) / "model.onnx")
    images = larger(np.load(task.pixels or "")[split_of(PICTURES) == VALIDATION], SIZE)
    targets = np.load(task.targets)[split_of(PICTURES) == VALIDATION]
    (scores,) = session.run(["scores"], {"images": images})
    assert result["validation"]["pictures"] == len(targets)
    loss = -np.log(scores[np.arange(len(targets)), targets]).mean()
    assert result["validation"]["calibrated_loss"] == pytest.approx(loss, abs=1e-3)
    gathered_is_what_one_process_computes(task, tmp_path / "checkpoints")


def gathered_is_what_one_process_computes(task: FitTask, checkpoints: Path) -> None:
    """The best kept by the two, with its weights: one process gets the same logits from them, to the last bit."""
    kept = torch.load(max(checkpoints.iterdir()), map_location="cpu", weights_only=True)["taxon"]["best"]
    torch.set_num_threads(1)
    train, validation = read_parts(task)
    module = tune.new_network(task, train, 0.0, deadline=1e9, batch=32)
    module.network.load_state_dict(kept["weights"])
    module.network.eval()
    with torch.inference_mode():
        (logits,) = module.candidate_logits(validation.take(np.arange(len(validation)))[0])
    assert torch.equal(logits, kept["logits"])
    assert module._loss(logits, validation.targets) == kept["loss"]


@pytest.mark.slow
def test_when_one_dies_the_others_end_within_seconds_and_it_is_said(task: FitTask, tmp_path: Path) -> None:
    process = started(sys.executable, "-m", ENTRY, "--processes", "2", tmp_path / "spec.json")
    assert process.stdout is not None
    for text in process.stdout:
        if json.loads(text)["event"] == "epoch":
            break
    others = psutil.Process(process.pid).children(recursive=True)
    second = next(each for each in others if each.environ().get("RANK") == "1")
    second.kill()
    began = time.monotonic()
    rest, errors = process.communicate(timeout=60)
    assert time.monotonic() - began < 20  # three on an idle machine
    assert process.returncode == 4, errors
    said = [json.loads(text) for text in rest.splitlines()]
    assert said[-1]["event"] == "failed" and said[-1]["code"] == "rank-lost"
    assert not any(each.is_running() and each.status() != psutil.STATUS_ZOMBIE for each in others)
    assert not (Path(task.work_folder) / "result.json").exists()


SHORT_OF_MEMORY = """
# In the second process no batch of more than MOST pictures finds memory, from the third step on.
import os
if os.environ.get("RANK") == "1":
    from training.engine import tune
    real, steps = tune.Tuned.training_step, []

    def step(self, batch, index):
        steps.append(len(batch[1]))
        if len(steps) > 2 and max(steps) > int(os.environ["MOST"]):
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return real(self, batch, index)

    tune.Tuned.training_step = step
"""


@pytest.fixture
def short(tmp_path: Path) -> dict[str, str]:
    """The environment of such processes."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(SHORT_OF_MEMORY)
    return {"PYTHONPATH": f"{tmp_path / 'site'}:{ROOT}"}


def ended(process: "subprocess.Popen[str]") -> list[dict[str, Any]]:
    """Its lines, when it is over."""
    out, errors = process.communicate(timeout=300)
    assert process.returncode in (0, 3), errors
    return [json.loads(text) for text in out.splitlines()]


@pytest.mark.slow
def test_where_one_has_too_little_memory_all_go_on_with_half_the_batch_and_it_is_said(
    task: FitTask, tmp_path: Path, short: dict[str, str]
) -> None:
    write_spec(replace(task, max_epochs=3, seconds=900), tmp_path / "spec.json")
    Path(task.work_folder).mkdir(exist_ok=True)
    (Path(task.work_folder) / again.FILE).write_text(
        '{"batch": 8, "before": 16, "began": 0}'
    )  # another run's
    command = [sys.executable, "-m", ENTRY, "--processes", "2", tmp_path / "spec.json"]
    said = ended(started(*command, **short, MOST="4"))
    notes = [(each["code"], each["batch"]) for each in said if each["event"] == "note"]
    assert notes == [("smaller-batches", 16), ("smaller-batches", 8)]
    assert said[-1]["event"] == "done" and not any(each["event"] == "failed" for each in said)
    result = json.loads((Path(task.work_folder) / "result.json").read_text("utf-8"))
    assert result["epochs"] == 3
    assert (
        result["seconds"] > result["history"][-1]["seconds"] > 3
    )  # the time limit counts from the first start


@pytest.mark.slow
def test_where_even_the_smallest_batch_finds_no_memory_it_is_a_refusal(
    task: FitTask, tmp_path: Path, short: dict[str, str]
) -> None:
    process = started(
        sys.executable, "-m", ENTRY, "--processes", "2", tmp_path / "spec.json", **short, MOST="0"
    )
    said = ended(process)
    assert process.returncode == 3
    assert [each["batch"] for each in said if each["event"] == "note"] == [16, 8]
    assert [each["code"] for each in said if each["event"] == "failed"] == ["out-of-memory"]


@pytest.mark.slow
def test_under_torchrun_too_little_memory_ends_the_run_with_its_reason(
    task: FitTask, tmp_path: Path, short: dict[str, str]
) -> None:
    process = started(*TORCHRUN, ENTRY, tmp_path / "spec.json", **short, MOST="4")
    out, _ = process.communicate(timeout=300)
    assert process.returncode
    assert "out-of-memory" in [json.loads(text).get("code") for text in out.splitlines()]


def test_a_batch_is_made_smaller_only_where_that_leaves_each_process_fewer_pictures(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {}
    for world in (1, 2, 4, 8):
        monkeypatch.setattr(ranks, "_here", ranks.Ranks(0, world, 0, world))
        found[world] = [ranks.next_batch(batch, tune.BATCHES) for batch in tune.BATCHES]
    assert found == {1: [16, 8, None], 2: [16, 8, None], 4: [16, None, None], 8: [None, None, None]}


@pytest.mark.slow
@long_form
def test_a_refusal_of_many_is_a_refusal(task: FitTask, tmp_path: Path) -> None:
    write_spec(replace(task, weights_folder=str(tmp_path / "nowhere")), tmp_path / "spec.json")
    process = started(sys.executable, "-m", ENTRY, "--processes", "2", tmp_path / "spec.json")
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 3, errors
    assert json.loads(out.splitlines()[-1])["code"] == "no-weights"


@pytest.mark.slow
@long_form
def test_what_is_not_shared_out_the_first_process_does_alone(tmp_path: Path) -> None:
    task = head_task(tmp_path, *clouds(90), split_of(90))
    write_spec(task, tmp_path / "spec.json")
    process = started(*TORCHRUN, ENTRY, tmp_path / "spec.json")
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert [json.loads(text)["event"] for text in out.splitlines()].count("done") == 1
    assert (Path(task.work_folder) / "model.onnx").is_file()
