"""The head: as good as logistic regression, written as one file that says what it was fitted to say."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from sklearn.linear_model import LogisticRegression

from tests.training.engine.tasks import (
    LABELS,
    PIXEL_SPEC,
    SIDE,
    Answer,
    clouds,
    fit_here,
    head_task,
    matrix_extractor,
    run,
    softmax,
    split_of,
)  # fmt: skip
from training.engine.spec import HELD_BACK, METRICS, TRAIN, VALIDATION, Metric


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Answer]:
    """One fit that several tests look at."""
    folder = tmp_path_factory.mktemp("head")
    features, targets = clouds()
    answer = run(head_task(folder, features, targets, split_of(300), about={"backbone": "a matrix"}))
    assert answer.code == 0, answer.errors
    return folder, answer


def head_of(model: Path) -> tuple[np.ndarray, np.ndarray]:
    arrays = {each.name: numpy_helper.to_array(each) for each in onnx.load(model).graph.initializer}
    return arrays["taxon_weight"], arrays["taxon_bias"]


def test_it_is_as_good_as_logistic_regression_on_the_same_split(fitted: tuple[Path, Answer]) -> None:
    folder, _ = fitted
    features, targets = clouds()
    split = split_of(300)
    x, held_back = features.astype(np.float64), split == HELD_BACK
    scale = x[split == TRAIN].std(0)
    reference = LogisticRegression(max_iter=2000).fit(x[split == TRAIN] / scale, targets[split == TRAIN])
    weight, bias = head_of(folder / "work" / "model.onnx")
    ours = (x[held_back] @ weight.T + bias).argmax(1)
    assert (ours == targets[held_back]).mean() >= reference.score(
        x[held_back] / scale, targets[held_back]
    ) - 0.05
    assert (ours == targets[held_back]).mean() > 0.7


def test_the_file_answers_what_its_numbers_say(fitted: tuple[Path, Answer]) -> None:
    folder, _ = fitted
    path = folder / "work" / "model.onnx"
    session = onnxruntime.InferenceSession(path)
    images = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE, 3), dtype=np.uint8)
    scores, embedding = session.run(["scores", "embedding"], {"images": images})
    weight, bias = head_of(path)
    expected = images.astype(np.float64).mean((1, 2)) @ matrix_extractor(folder / "extractor.onnx")
    assert np.allclose(embedding, expected, rtol=1e-4, atol=1e-3)
    assert np.abs(scores - softmax(embedding.astype(np.float64) @ weight.T + bias)).max() < 1e-5
    assert session.run(["scores"], {"images": images[:1]})[0].shape == (1, 3)
    assert np.abs(scores.sum(1) - 1).max() < 1e-5


def test_the_file_carries_labels_pixel_path_and_origin(fitted: tuple[Path, Answer]) -> None:
    folder, answer = fitted
    path = folder / "work" / "model.onnx"
    onnx.checker.check_model(str(path), full_check=True)
    session = onnxruntime.InferenceSession(path)
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["labels"]) == LABELS
    assert "直升机" in properties["labels"]
    assert json.loads(properties["pixel_spec"]) == PIXEL_SPEC
    about = json.loads(properties["taxon"])
    assert about["backbone"] == "a matrix"
    assert about["temperature"] == pytest.approx(answer.result["temperature"], abs=1e-5)
    assert {"torch", "pytorch-lightning", "onnx", "engine"} <= set(about["versions"])
    assert [each.name for each in session.get_outputs()] == ["scores", "embedding"]
    assert session.get_inputs()[0].type == "tensor(uint8)"
    assert not [
        each for each in onnx.load(path, load_external_data=False).graph.initializer if each.external_data
    ]


def test_it_tells_each_epoch_and_ends_with_a_result(fitted: tuple[Path, Answer]) -> None:
    _, answer = fitted
    epochs = answer.of("epoch")
    fields = {"epoch", "train_loss", "val_loss", "metric", "best", "lr", "seconds"}
    assert all(fields <= set(line) for line in epochs)
    assert [line["epoch"] for line in epochs] == list(range(1, len(epochs) + 1))
    assert [line["stage"] for line in answer.of("stage")] == ["loading", "training", "refitting", "exporting"]
    assert answer.lines[-1]["event"] == "done"
    result = answer.result
    assert (result["ended_because"], result["epochs"]) == ("converged", len(epochs))
    assert result["best_epoch"] <= result["epochs"]
    assert len(result["history"]) == len(epochs)
    assert set(result["validation"]) >= {"top1", "top5", "precision", "recall", "f1", "loss", "pictures"}


def test_the_held_back_pictures_are_never_looked_at(tmp_path: Path, fitted: tuple[Path, Answer]) -> None:
    """Whatever they are, the same seed gives the same file to the last bit."""
    features, targets = clouds()
    split = split_of(300)
    features[split == HELD_BACK] = np.nan
    targets = np.where(split == HELD_BACK, 2, targets)
    changed = run(head_task(tmp_path, features, targets, split, about={"backbone": "a matrix"}))
    assert changed.result["sha256"] == fitted[1].result["sha256"]


def test_few_pictures_of_a_label_are_not_drowned_by_many(tmp_path: Path) -> None:
    features, targets = clouds(600, spread=3.0)
    split = split_of(600)
    keep = (targets != 2) | (np.arange(600) % 45 < 3)
    arrays = features[keep], targets[keep], split[keep]
    recalls = {}
    for weights in ("auto", "balanced", "off"):
        folder = tmp_path / weights
        fit_here(head_task(folder, *arrays, class_weights=weights, optimise_for="recall"))
        weight, bias = head_of(folder / "work" / "model.onnx")
        rare = (targets == 2) & (split == HELD_BACK)
        recalls[weights] = ((features[rare].astype(np.float64) @ weight.T + bias).argmax(1) == 2).mean()
    assert recalls["auto"] > recalls["off"]
    assert recalls["balanced"] > recalls["off"]


@pytest.mark.parametrize("metric", METRICS)
def test_any_metric_can_be_what_counts(tmp_path: Path, metric: Metric) -> None:
    features, targets = clouds(90)
    result = fit_here(head_task(tmp_path, features, targets, split_of(90), optimise_for=metric))
    kept = next(point for point in result["history"] if point["epoch"] == result["best_epoch"])
    assert result["validation"][metric] <= kept["metric"] + 1e-6
    assert result["history"][-1]["best"] == pytest.approx(result["validation"][metric], abs=1e-5)


def test_one_picture_of_each_label_in_each_part_is_enough_to_run(tmp_path: Path) -> None:
    features, targets = clouds(9)
    split = np.repeat([TRAIN, VALIDATION, HELD_BACK], 3).astype(np.uint8)
    result = fit_here(head_task(tmp_path, features, targets, split))
    assert result["validation"]["pictures"] == 3
