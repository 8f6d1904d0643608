"""Fine-tuning: the whole network learns, from larger pictures than it sees, and its file is what was trained."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch

from tests.training.engine.tasks import PIXEL_SPEC, fit_here, run, shapes, split_of, tune_task
from training.engine import loop, tune
from training.engine.augment import plain, varied
from training.engine.data import Part
from training.engine.spec import HELD_BACK, BadSpec, FitTask

SIZE = 48


def larger(pixels: np.ndarray, side: int) -> np.ndarray:
    """The same pictures with `side` pixels a side."""
    found: np.ndarray = plain(torch.from_numpy(pixels), side).round().clamp(0, 255).to(torch.uint8).numpy()
    return found


@pytest.fixture
def task(tmp_path: Path) -> FitTask:
    pixels, targets = shapes(90)
    spec = {**PIXEL_SPEC, "size": SIZE}
    return tune_task(
        tmp_path, larger(pixels, 56), targets, split_of(90), pixel_spec=spec, seconds=120, max_epochs=2
    )


def test_its_file_takes_pictures_of_the_wanted_size_and_gives_scores_and_an_embedding(task: FitTask) -> None:
    answer = run(task)
    assert answer.code == 0, answer.errors
    assert answer.result["method"] == "fine-tuned"
    session = onnxruntime.InferenceSession(Path(task.work_folder) / "model.onnx")
    assert session.get_inputs()[0].shape[1:] == [SIZE, SIZE, 3]
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["taxon"])["kind"] == "fine-tuned"
    pixels, _ = shapes(90)
    held_back = larger(pixels, SIZE)[split_of(90) == HELD_BACK]
    scores, embedding = session.run(["scores", "embedding"], {"images": held_back})
    assert np.abs(scores.sum(1) - 1).max() < 1e-5
    assert embedding.shape == (len(held_back), 1024)


def test_the_whole_network_learns(task: FitTask) -> None:
    pixels, targets = shapes(90)
    part = Part(larger(pixels, 56), np.arange(90), torch.from_numpy(targets))
    module = tune.new_network(task, part, 0.0, deadline=1e9, batch=32)
    before = {name: value.clone() for name, value in module.network.named_parameters()}
    logits, _ = module.network(plain(torch.from_numpy(pixels[:8]), SIZE))
    torch.nn.functional.cross_entropy(logits, torch.from_numpy(targets[:8])).backward()
    torch.optim.SGD(tune._groups(module.network)).step()
    (last := module.network.inside.classifier)(torch.zeros(1, 1024))
    moved = {name for name, value in module.network.named_parameters() if not value.equal(before[name])}
    assert {"inside.classifier.weight", "inside.classifier.bias"} <= moved
    assert last.weight.abs().max() < 1
    assert module.network.training
    assert module.network.inside.features.training


def test_with_too_little_memory_it_goes_on_with_half_the_batch_and_says_so(
    task: FitTask, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    real: Callable[..., Any] = loop.run
    asked = []

    def short_of_memory(module: Any, train: Any, validation: Any, plan: Any) -> Any:
        asked.append(plan.batch)
        if plan.batch > 8:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes.")
        return real(module, train, validation, plan)

    monkeypatch.setattr(tune, "run", short_of_memory)
    assert fit_here(task)["method"] == "fine-tuned"
    assert asked == [32, 16, 8]
    assert capfd.readouterr().out.count("smaller-batches") == 2


def test_a_bug_is_not_taken_for_a_lack_of_memory(task: FitTask, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    monkeypatch.setattr(tune, "run", wrong)
    with pytest.raises(RuntimeError, match="shapes"):
        fit_here(task)


def test_a_varied_picture_is_another_view_of_the_same_and_the_same_seed_gives_the_same() -> None:
    picture = np.zeros((1, 56, 56, 3), np.uint8)
    picture[:, 20:36, 20:36] = (200, 40, 40)
    pictures = torch.from_numpy(np.repeat(picture, 16, axis=0))
    first, again = (varied(pictures, SIZE, torch.Generator().manual_seed(3)) for _ in range(2))
    assert first.shape == (16, SIZE, SIZE, 3)
    assert first.equal(again)
    assert first.min() >= 0
    assert first.max() <= 255
    red = first[..., 0] > first[..., 1] + 60
    assert red.flatten(1).any(1).all()  # the thing is still there in each
    assert len({tuple(each.flatten().tolist()) for each in first}) == 16


def test_fine_tuning_without_pixels_is_no_task() -> None:
    with pytest.raises(BadSpec, match="pixels"):
        FitTask(
            work_folder="w",
            targets="t",
            split="s",
            labels=["a", "b"],
            pixel_spec=PIXEL_SPEC,
            features="f",
            extractor="e",
            backbone="resnet18",
        )
