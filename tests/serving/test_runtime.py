"""The runtime: a model file in, probabilities out, and clear words where it is not one."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest

from datasets.pixels import UnreadableImage
from serving.runtime import ModelFileError, Predictor
from serving.runtime.ranking import answer, ranked
from tests.factories import picture
from tests.serving.makers import COLOURS, colour_model


@pytest.fixture
def model_path(tmp_path: Path) -> Path:
    path = tmp_path / "model.onnx"
    path.write_bytes(colour_model())
    return path


@pytest.fixture
def predictor(model_path: Path) -> Predictor:
    return Predictor.load(model_path)


def test_scores_come_from_the_picture(predictor: Predictor) -> None:
    scores = predictor.predict([picture("red"), picture("#00ff00"), picture("blue")])
    assert scores.shape == (3, 3) and scores.dtype == np.float32
    assert scores.argmax(axis=1).tolist() == [0, 1, 2]
    expected = np.exp(4.0) / (np.exp(4.0) + 2)
    assert scores.max(axis=1) == pytest.approx([expected] * 3, abs=1e-5)


def test_the_labels_come_from_the_file(predictor: Predictor) -> None:
    assert predictor.labels == COLOURS


def test_a_picture_scores_the_same_alone_and_among_others(predictor: Predictor) -> None:
    pictures = [picture(colour) for colour in ("red", "teal", "orange", "navy")]
    together = predictor.predict(pictures)
    alone = np.concatenate([predictor.predict([each]) for each in pictures])
    assert (together == alone).all()


def test_a_broken_picture_among_good_ones_has_its_reason(predictor: Predictor) -> None:
    good, broken, text = predictor.predict_each([picture("red"), picture("red", form="JPEG")[:200], b"hello"])
    assert isinstance(good, np.ndarray)
    assert isinstance(broken, UnreadableImage) and broken.code == "broken"
    assert isinstance(text, UnreadableImage) and text.code == "not-an-image"


def test_embeddings_are_the_second_output(predictor: Predictor) -> None:
    vectors = predictor.embeddings_of([predictor.pixels_of(picture("red"))])
    assert vectors.tolist() == [[1.0, 0.0, 0.0]]


def test_no_pictures_give_no_scores(predictor: Predictor) -> None:
    assert predictor.predict([]).shape == (0, 3)


def changed(path: Path, key: str, value: str | None) -> Path:
    """The model file with one entry of its metadata set or taken away."""
    model = onnx.load(path)
    kept = [entry for entry in model.metadata_props if entry.key != key]
    del model.metadata_props[:]
    model.metadata_props.extend(kept)
    if value is not None:
        model.metadata_props.append(onnx.StringStringEntryProto(key=key, value=value))
    onnx.save(model, path)
    return path


@pytest.mark.parametrize("value", [None, "not json", "[]", "{}", "[1, 2, 3]"])
def test_a_file_without_labels_is_refused(model_path: Path, value: str | None) -> None:
    with pytest.raises(ModelFileError, match="labels"):
        Predictor.load(changed(model_path, "labels", value))


def test_a_file_with_too_few_labels_is_refused(model_path: Path) -> None:
    with pytest.raises(ModelFileError, match="2 labels but gives 3 scores"):
        Predictor.load(changed(model_path, "labels", '["a", "b"]'))


@pytest.mark.parametrize("value", [None, '{"version": 99, "size": 32, "fit": "stretch"}'])
def test_a_file_with_an_unknown_pixel_spec_is_refused(model_path: Path, value: str | None) -> None:
    with pytest.raises(ModelFileError, match="pixel spec"):
        Predictor.load(changed(model_path, "pixel_spec", value))


def test_a_damaged_file_is_refused(model_path: Path) -> None:
    model_path.write_bytes(model_path.read_bytes()[:100])
    with pytest.raises(ModelFileError, match="cannot open"):
        Predictor.load(model_path)


def test_scores_that_are_no_probabilities_are_found_when_warming(model_path: Path) -> None:
    model = onnx.load(model_path)
    next(node for node in model.graph.node if node.op_type == "Softmax").op_type = "Identity"
    del next(node for node in model.graph.node if node.op_type == "Identity").attribute[:]
    onnx.save(model, model_path)
    with pytest.raises(ModelFileError, match="not probabilities"):
        Predictor.load(model_path).warm()


def test_scores_are_written_with_three_decimals_highest_first() -> None:
    scores = np.array([0.076, 0.84, 0.084], np.float32)
    assert answer(scores, ["坦克", "狗", "直升机"]) == {
        "predicted_label": "狗",
        "scores": [["狗", "0.840"], ["直升机", "0.084"], ["坦克", "0.076"]],
    }


def test_ties_are_in_label_order() -> None:
    assert [name for name, _ in ranked(np.full(4, 0.25, np.float32), ["b", "a", "d", "c"])] == [
        "b",
        "a",
        "d",
        "c",
    ]


def test_the_order_is_that_of_the_full_values_not_of_the_figures_shown() -> None:
    scores = np.array([0.49996, 0.50004], np.float32)
    assert answer(scores, ["a", "b"]) == {"predicted_label": "b", "scores": [["b", "0.500"], ["a", "0.500"]]}


def test_five_pairs_are_given_unless_asked_otherwise() -> None:
    scores, labels = np.linspace(0, 1, 9, dtype=np.float32), [str(i) for i in range(9)]
    assert (len(ranked(scores, labels)), len(ranked(scores, labels, 2)), len(ranked(scores, labels, 99))) == (
        5,
        2,
        9,
    )


def test_below_the_threshold_there_is_no_label_but_the_same_scores() -> None:
    scores = np.array([0.6, 0.4], np.float32)
    strict = answer(scores, ["a", "b"], threshold=0.7)
    assert strict == answer(scores, ["a", "b"]) | {"predicted_label": None}
    assert answer(scores, ["a", "b"], threshold=0.5)["predicted_label"] == "a"


def test_the_runtime_needs_no_django() -> None:
    code = (
        "import sys, serving.runtime.ranking;"
        "assert not {'django', 'torch', 'ninja'} & {name.split('.')[0] for name in sys.modules}"
    )
    root = Path(__file__).parents[2]
    subprocess.run([sys.executable, "-c", code], cwd=root, check=True)
