"""Model files that people bring: what is taken, what is refused and with which sentence; nothing is unpickled."""

import hashlib
import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from onnx import TensorProto, helper, numpy_helper

from datasets.models import Dataset, Image, Label
from tests.factories import Team
from training import own_files, own_trial
from training.models import ModelVersion, RegisteredModel, VersionState
from training.own_trial import Refused
from web import storage

Page = Callable[[str], Client]
SIDE = 32


def made(
    *, side: int = SIDE, softmax: bool = True, kind: int = TensorProto.UINT8, embedding: bool = True,
    extra: list[onnx.NodeProto] | None = None, opset: int = 17, name: str = "images", **meta: Any,
) -> onnx.ModelProto:  # fmt: skip
    """A little model that tells red from blue by the mean colour: scores [n, 2] for red, blue."""
    nodes = [
        helper.make_node("Cast", [name], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["embedding"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["embedding", "weight"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=1)
        if softmax
        else helper.make_node("Identity", ["logits"], ["scores"]),
        *(extra or []),
    ]
    weight = np.array([[0.1, -0.1], [0, 0], [-0.1, 0.1]], dtype=np.float32)
    outputs = [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 2])]
    if embedding:
        outputs.append(helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3]))
    graph = helper.make_graph(
        nodes, "colours", [helper.make_tensor_value_info(name, kind, ["n", side, side, 3])], outputs,
        [numpy_helper.from_array(weight, "weight")],
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    helper.set_model_props(model, {key: json.dumps(value) for key, value in meta.items()})
    return model


def external() -> onnx.ModelProto:
    """Its weight is said to lie in a file of ours."""
    model = made()
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../../../etc/passwd")
    return model


def claiming() -> onnx.ModelProto:
    """A tensor that claims 2 GB and holds nothing."""
    model = made()
    tensor = model.graph.initializer[0]
    del tensor.dims[:]
    tensor.dims.extend([3, 178_956_970])
    return model


def foreign() -> onnx.ModelProto:
    model = made(extra=[helper.make_node("Steal", ["scores"], ["x"], domain="evil.example")])
    model.opset_import.append(helper.make_opsetid("evil.example", 1))
    return model


def ballooning() -> onnx.ModelProto:
    """A small file whose run asks for 64 GB."""
    nodes = [
        helper.make_node("Expand", ["one", "huge"], ["balloon"]),
        helper.make_node("ReduceSum", ["balloon"], ["sum"], keepdims=0),
        helper.make_node("Mul", ["scores", "sum"], ["unused"]),
    ]
    model = made(extra=nodes)
    model.graph.initializer.extend(
        [
            numpy_helper.from_array(np.ones(1, np.float32), "one"),
            numpy_helper.from_array(np.array([16, 1024, 1024, 1024], np.int64), "huge"),
        ]
    )
    model.graph.output.append(helper.make_tensor_value_info("unused", TensorProto.FLOAT, ["n", 2]))
    return model


def trial(folder: Path, data: bytes, labels: list[str] | None) -> dict[str, Any]:
    (folder / "given.onnx").write_bytes(data)
    (folder / "trial.json").write_text(json.dumps({"labels": labels}))
    return own_trial.tried(folder)


BOTH = ["red", "blue"]


def test_a_good_file_is_taken_with_our_words_in_it(tmp_path: Path) -> None:
    found = trial(tmp_path, made(secret="theirs").SerializeToString(), BOTH)
    props = {each.key: each.value for each in onnx.load(tmp_path / "model.onnx").metadata_props}
    assert json.loads(props["labels"]) == BOTH and set(props) == {"labels", "pixel_spec", "taxon"}
    assert found["sha256"] == hashlib.sha256((tmp_path / "model.onnx").read_bytes()).hexdigest()


def test_a_file_may_say_its_labels_itself(tmp_path: Path) -> None:
    assert trial(tmp_path, made(labels=["狗", "猫"]).SerializeToString(), None)["labels"] == ["狗", "猫"]


@pytest.mark.parametrize(
    ("model", "code"),
    [
        (external, "external-data"),
        (claiming, "not-valid"),
        (foreign, "foreign-operators"),
        (lambda: made(name="input"), "input"),
        (lambda: made(kind=TensorProto.FLOAT), "input-shape"),
        (lambda: made(side=8), "input-size"),
        (lambda: made(embedding=False), "output"),
        (lambda: made(softmax=False), "not-probabilities"),
        (lambda: made(opset=7), "opset"),
        (lambda: made(extra=[helper.make_node("RandomUniform", [], ["x"], shape=[1])]), "operator-not-taken"),
    ],
)
def test_what_cannot_be_a_version_is_refused(tmp_path: Path, model: Callable[[], Any], code: str) -> None:
    with pytest.raises(Refused) as refused:
        trial(tmp_path, model().SerializeToString(), BOTH)
    assert refused.value.code == code


@pytest.mark.parametrize(
    "data", [b"not a model at all", b"\x08\x08", b"\x00" * 64, made().SerializeToString()[:-40]]
)
def test_garbage_is_refused(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        trial(tmp_path, data, BOTH)
    assert refused.value.code in ("not-onnx", "not-valid")


@pytest.mark.parametrize("labels", [["red"], ["red", "red"], ["red", "blue", "green"]])
def test_labels_must_fit_the_scores(tmp_path: Path, labels: list[str]) -> None:
    with pytest.raises(Refused, match="labels-do-not-fit"):
        trial(tmp_path, made().SerializeToString(), labels)


def test_every_reason_has_its_sentence() -> None:
    import re

    from training import judging

    codes = set(re.findall(r'Refused\(\s*"([a-z-]+)"', Path(own_trial.__file__).read_text()))
    assert codes | {"too-heavy"} == set(judging.REASONS)


def sent(discs: Dataset, data: bytes, **more: Any) -> dict[str, Any]:
    form = {"file": SimpleUploadedFile("colours.onnx", data), "data": json.dumps([{"dataset": discs.pk}])}
    return form | more


def brought(api: Callable[[str], Client], model: RegisteredModel, form: dict[str, Any]) -> Any:
    return api("engineer").post(f"/api/v1/models/{model.pk}/versions/own", form)


def test_an_own_file_is_judged_as_any_other_version(
    api: Callable[[str], Client], page: Page, work: Callable[[], None], model: RegisteredModel, discs: Dataset
) -> None:
    data = made().SerializeToString()
    answer = brought(api, model, sent(discs, data, labels='["red", "blue"]', application="edge-fast"))
    assert answer.status_code == 202, answer.content
    assert (answer.json()["state"], answer.json()["own_file"]) == ("queued", "colours.onnx")
    work()
    version = ModelVersion.objects.get()
    assert (version.state, version.usable) == (VersionState.SUCCEEDED, True), str(version.sentence)
    assert version.metrics["n"] == 20 and version.metrics["accuracy"]["value"] > 0.9
    assert version.application == "edge-fast" and version.labels == BOTH
    assert hashlib.sha256(storage.read(version.file_key)).hexdigest() == version.file_sha256
    assert version.made_with["own_sha256"] == hashlib.sha256(data).hexdigest()
    assert not default_storage.exists(storage.content_key("models", version.made_with["own_sha256"], ".onnx"))
    for rest in ("", "report/", "data/", "details/"):
        assert page("viewer").get(f"/models/{model.pk}/versions/1/{rest}").status_code == 200
    assert "made elsewhere" in page("viewer").get(f"/models/{model.pk}/versions/1/report/").content.decode()


def test_its_report_says_how_pictures_that_are_none_of_the_labels_fared(
    api: Callable[[str], Client], page: Page, work: Callable[[], None], model: RegisteredModel, discs: Dataset
) -> None:
    Label.objects.filter(dataset=discs, name="blue").update(role="none_of_these")
    unknown = Label.objects.create(dataset=discs, name="unknown to the file", role="none_of_these")
    first = Image.objects.filter(label__name="blue").order_by("pk")[:1]
    Image.objects.filter(pk__in=list(first.values_list("pk", flat=True))).update(label=unknown)
    assert (
        brought(api, model, sent(discs, made().SerializeToString(), labels='["red", "blue"]')).status_code
        == 202
    )
    work()
    version = ModelVersion.objects.get()
    assert version.split_facts["none_of_these"] == ["blue"]
    report = api("viewer").get(f"/api/v1/models/{model.pk}/versions/1/report").json()
    (outside,) = report["none_of_these"]
    assert (outside["label"], outside["n"], outside["others"]) == ("blue", 9, 10)
    assert any("pictures that are none of the labels (“blue”)" in each for each in report["conclusion"])
    shown = page("viewer").get(f"/models/{model.pk}/versions/1/report/").content.decode()
    assert "of 9 taken for a label" in shown


@pytest.mark.parametrize(("make", "sentence"), [(external, "another file"), (ballooning, "")])
def test_a_bad_file_ends_its_version_with_the_sentence_and_leaves_nothing(
    api: Callable[[str], Client], work: Callable[[], None], model: RegisteredModel, discs: Dataset,
    make: Callable[[], Any], sentence: str, django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    data = make().SerializeToString()
    assert brought(api, model, sent(discs, data, labels='["red", "blue"]')).status_code == 202
    work()
    version = ModelVersion.objects.get()
    assert (version.state, version.usable, version.file_key) == (VersionState.FAILED, False, "")
    assert str(version.sentence) and sentence in str(version.sentence)


class Bomb:
    """Unpickling this fails the test."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("unpickled",))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"file": SimpleUploadedFile("m.onnx", pickle.dumps(Bomb()))}, "bad-model-file"),
        ({"file": SimpleUploadedFile("m.onnx", b"PK\x03\x04 a torch zip")}, "bad-model-file"),
        ({"file": SimpleUploadedFile("m.onnx", b"")}, "bad-model-file"),
        ({"labels": '["red", "green"]'}, "bad-labels"),
        ({"labels": '["red", "red"]'}, "bad-labels"),
        ({"labels": "[1, 2]"}, "bad-labels"),
        ({"labels": "[oops"}, "bad-labels"),
        ({"data": "[]"}, "too-few-pictures"),
        ({"data": "{"}, "bad-data"),
        ({"application": "toaster"}, None),
    ],
)
def test_what_can_be_seen_at_once_is_refused_at_once(
    api: Callable[[str], Client],
    model: RegisteredModel,
    discs: Dataset,
    change: dict[str, Any],
    code: str | None,
) -> None:
    answer = brought(api, model, sent(discs, made().SerializeToString()) | change)
    assert answer.status_code == 422 and (code is None or answer.json()["code"] == code), answer.content
    assert not ModelVersion.objects.exists()


def test_a_file_over_the_limit_is_refused(
    api: Callable[[str], Client], model: RegisteredModel, discs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(own_files, "LARGEST", 100)
    assert "at most" in brought(api, model, sent(discs, made().SerializeToString())).json()["detail"]


def test_the_page_takes_a_file_and_says_what_is_wrong(
    page: Page, team: Team, model: RegisteredModel, discs: Dataset
) -> None:
    url = f"/models/{model.pk}/versions/own/"
    assert "Check and judge the file" in page("engineer").get(url).content.decode()
    wrong = page("engineer").post(
        url, {"labels": "red\nblue", "dataset": discs.pk, "application": "edge-fast"}
    )
    assert wrong.status_code == 422 and "missing or empty" in wrong.content.decode()
    file = SimpleUploadedFile("C:\\models\\colours.onnx", made().SerializeToString())
    form = {"file": file, "labels": "red\nblue", "dataset": discs.pk, "application": "edge-fast"}
    assert page("engineer").post(url, form)["Location"] == f"/models/{model.pk}/versions/1/"
    assert page("labeller").get(url).status_code == 403 and page("stranger").get(url).status_code == 404
    assert page("engineer").put(url).status_code == 405
