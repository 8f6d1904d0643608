"""Going on from an earlier fit: its weights are kept with every fit, counted by the labels' names, and run nothing."""

import pickle
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from tests.training.engine.tasks import (
    LABELS,
    PIXEL_SPEC,
    clouds,
    fit_here,
    head_task,
    scratch_task,
    shapes,
    split_of,
    tune_task,
)  # fmt: skip
from training.engine import kept
from training.engine.refusals import EngineRefusal
from training.engine.spec import BadSpec, FitTask

TURNED = LABELS[::-1]


def weights(task: FitTask) -> Path:
    return Path(task.work_folder) / kept.FILE


def turned(task: FitTask, folder: Path, source: FitTask) -> FitTask:
    """The same pictures with the labels in another order, going on from `source`."""
    targets = 2 - np.load(task.targets)
    np.save(folder / "turned.npy", targets)
    return replace(
        task, targets=str(folder / "turned.npy"), labels=TURNED, work_folder=str(folder / "again"),
        start_from=str(weights(source)),
    )  # fmt: skip


@pytest.fixture
def head(tmp_path: Path) -> FitTask:
    return head_task(tmp_path, *clouds(), split_of(300))


def test_a_head_begins_where_the_earlier_one_ended_whatever_the_order_of_the_labels(
    head: FitTask, tmp_path: Path
) -> None:
    first = fit_here(head)
    again = fit_here(turned(head, tmp_path, head))
    assert again["history"][0]["val_loss"] < first["history"][0]["val_loss"] * 0.8
    assert again["history"][0]["val_loss"] < first["validation"]["loss"] * 1.1
    assert again["validation"]["top1"] >= first["validation"]["top1"] - 0.02


def test_a_new_label_starts_at_zero_and_one_that_is_gone_is_left(tmp_path: Path) -> None:
    tensors = dict(zip(kept.CLASSIFIER, (torch.ones(2, 3), torch.tensor([1.0, 2.0])), strict=True))
    kept.write(kept.Kept("head", "", ["cat", "狗"], tensors), tmp_path / "w.pth")
    weight, bias = kept.rows(kept.read(tmp_path / "w.pth"), ["狗", "new"])
    assert bias.tolist() == [2.0, 0.0] and weight.tolist() == [[1.0] * 3, [0.0] * 3]


@pytest.mark.parametrize("kind", ["fine-tuned", "scratch"])
def test_a_network_begins_where_the_earlier_one_ended(kind: str, tmp_path: Path) -> None:
    pixels, targets = shapes(90)
    fields = {"pixel_spec": {**PIXEL_SPEC, "size": 32}, "seconds": 120, "max_epochs": 8}
    make = tune_task if kind == "fine-tuned" else scratch_task
    task = make(tmp_path, pixels, targets, split_of(90), **fields)
    first = fit_here(task)
    assert kept.read(weights(task)).method == kind == first["method"]
    still = replace(turned(task, tmp_path, task), rate=1e-9, max_epochs=1)
    sessions = [
        onnxruntime.InferenceSession(Path(each.work_folder) / "model.onnx")
        for each in (task, still)
        if each is task or fit_here(each)
    ]
    one, other = (session.run(["scores"], {"images": pixels[:20]})[0] for session in sessions)
    if kind == "fine-tuned":  # its rate is next to nothing; only its batch norms moved on
        assert (one.argmax(1) == 2 - other.argmax(1)).mean() > 0.8
    else:
        assert kept.read(weights(still)).labels == TURNED


def test_weights_of_another_network_are_refused(head: FitTask, tmp_path: Path) -> None:
    fit_here(head)
    pixels, targets = shapes(90)
    task = scratch_task(tmp_path, pixels, targets, split_of(90), start_from=str(weights(head)), max_epochs=1)
    with pytest.raises(EngineRefusal, match="do not fit"):
        fit_here(task)


class Planted:
    def __reduce__(self) -> tuple[object, ...]:
        return print, ("this must not run",)


@pytest.mark.parametrize(
    "content", [pickle.dumps(Planted(), 2), b"nothing", b""], ids=["code", "text", "empty"]
)
def test_a_file_that_is_no_weights_or_wants_to_run_code_is_refused(
    head: FitTask, tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.pth").write_bytes(content)
    with pytest.raises(EngineRefusal) as refused:
        fit_here(replace(head, start_from=str(tmp_path / "bad.pth")))
    assert refused.value.code == "start-unreadable"
    assert "must not run" not in capsys.readouterr().out


def test_a_rate_is_a_factor_above_nought(head: FitTask) -> None:
    with pytest.raises(BadSpec, match="rate"):
        replace(head, rate=0.0)
