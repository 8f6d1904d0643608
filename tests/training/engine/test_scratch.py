"""The small network of our own: learns shapes in a few minutes at most, and its file is what was trained."""

import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

from tests.training.engine.tasks import LABELS, run, scratch_task, shapes, split_of
from training.engine.spec import HELD_BACK


def test_it_learns_shapes_of_any_colour_and_place(tmp_path: Path) -> None:
    pixels, targets = shapes(300)
    split = split_of(300)
    answer = run(scratch_task(tmp_path, pixels, targets, split, seconds=120))
    assert answer.code == 0, answer.errors
    model = tmp_path / "work" / "model.onnx"
    onnx.checker.check_model(str(model), full_check=True)
    session = onnxruntime.InferenceSession(model)
    held_back = split == HELD_BACK
    scores, embedding = session.run(["scores", "embedding"], {"images": pixels[held_back]})
    assert (scores.argmax(1) == targets[held_back]).mean() > 0.8
    assert np.abs(scores.sum(1) - 1).max() < 1e-5
    assert embedding.shape == (held_back.sum(), 192)
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["labels"]) == LABELS
    assert json.loads(properties["taxon"])["kind"] == "scratch"
    assert answer.result["method"] == "scratch"
