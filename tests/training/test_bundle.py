"""The offline bundle: it runs on its own and gives what the model gave here."""

import io
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from datasets.models import Dataset
from datasets.pixels import spec_for
from tests.factories import Team, picture
from training.bundle import build
from training.models import ModelVersion, RegisteredModel
from web import storage

LABELS = ["红", "blue"]


def tiny_model() -> bytes:
    """A real model file: the mean colour, weighed into two scores."""
    spec = spec_for(32)
    weight = numpy_helper.from_array(np.array([[0.02, -0.02], [0, 0], [-0.02, 0.02]], np.float32), "weight")
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["embedding"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["embedding", "weight"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=1),
    ]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 32, 32, 3])],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 2]),
            helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3]),
        ],
        [weight],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    properties = {"labels": json.dumps(LABELS), "pixel_spec": spec.to_json(), "taxon": "{}"}
    helper.set_model_props(model, properties)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


@pytest.fixture
def bundled(version: ModelVersion, tmp_path: Path) -> Path:
    """The bundle of a version, unpacked."""
    version.file_key = storage.put_bytes("models", tiny_model(), ".onnx")
    version.save()
    with build(version) as file, zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path / "bundle")
    return tmp_path / "bundle"


def alone(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """A program of the bundle, without the project on its path."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_it_holds_what_the_contract_names(bundled: Path) -> None:
    names = {path.relative_to(bundled).as_posix() for path in bundled.rglob("*") if path.is_file()}
    assert {
        "model.onnx", "labels.json", "pixels.py", "serve.py", "self_test.py", "start.sh", "start.bat",
        "Dockerfile", "README.md", "MODEL_CARD.md", "requirements.txt", "golden/scores.json",
    } <= names  # fmt: skip
    root = Path(__file__).resolve().parents[2]
    assert (bundled / "pixels.py").read_bytes() == (root / "datasets" / "pixels.py").read_bytes()
    assert json.loads((bundled / "labels.json").read_text("utf-8")) == LABELS
    assert "75.0 % right" in (bundled / "MODEL_CARD.md").read_text("utf-8")
    assert all("==" in line for line in (bundled / "requirements.txt").read_text().split())


def test_the_same_version_gives_the_same_zip(bundled: Path, version: ModelVersion) -> None:
    version.refresh_from_db()
    with build(version) as one, build(version) as other:
        assert one.read() == other.read()


def test_its_self_test_passes_and_notices_a_changed_model(bundled: Path) -> None:
    test = alone(bundled, "self_test.py")
    out, _ = test.communicate(timeout=60)
    assert test.returncode == 0 and out.startswith("OK: 4 pictures"), out
    scores = json.loads((bundled / "golden" / "scores.json").read_text())
    scores["wide.jpg"] = scores["wide.jpg"][::-1]
    (bundled / "golden" / "scores.json").write_text(json.dumps(scores))
    changed = alone(bundled, "self_test.py")
    out, _ = changed.communicate(timeout=60)
    assert changed.returncode == 1 and out.startswith("DIFFERENT"), out


@pytest.fixture
def served(bundled: Path) -> Iterator[str]:
    """The bundle's server, answering."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    server = alone(bundled, "serve.py", "--port", str(port))
    url = f"http://127.0.0.1:{port}/upload"
    for _ in range(200):
        try:
            urllib.request.urlopen(url, timeout=5).close()
            break
        except urllib.error.URLError:
            time.sleep(0.1)
    yield url
    server.terminate()
    server.communicate(timeout=10)


def post(url: str, *pictures: bytes, name: str = "images") -> tuple[int, object]:
    """Files as a form sends them."""
    body = io.BytesIO()
    for at, data in enumerate(pictures):
        head = f'--cut\r\nContent-Disposition: form-data; name="{name}"; filename="{at}.png"\r\n\r\n'
        body.write(head.encode() + data + b"\r\n")
    body.write(b"--cut--\r\n")
    asked = urllib.request.Request(
        url,
        body.getvalue(),
        {"Content-Type": "multipart/form-data; boundary=cut", "Accept-Language": "zh-CN"},
    )
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_its_server_answers_as_the_published_service_does(served: str) -> None:
    status, one = post(served, picture("red"))
    assert status == 200 and isinstance(one, dict)
    assert one["predicted_label"] == "红" and [pair[0] for pair in one["scores"]] == LABELS
    assert all(len(score) == 5 and score[1] == "." for _, score in one["scores"])
    _, two = post(served, picture("red"), picture("blue"))
    assert isinstance(two, list) and [each["predicted_label"] for each in two] == ["红", "blue"]
    with urllib.request.urlopen(served, timeout=5) as page:
        assert b'type="file" name="images" multiple' in page.read()


def test_its_server_refuses_with_a_sentence(served: str) -> None:
    assert post(served, b"no picture at all") == (
        400,
        {"code": "not-an-image", "detail": "The file is not a picture."},
    )
    status, told = post(served, picture(), name="photos")
    assert (status, told["code"]) == (400, "no-picture") and "没有图片" in told["detail"]  # type: ignore[index]
    assert post(served.replace("upload", "elsewhere"), picture())[0] == 404
    assert post(served, *[picture()] * 33)[0] == 413


def test_the_api_gives_the_bundle(
    bundled: Path, team: Team, model: RegisteredModel, version: ModelVersion, discs: Dataset
) -> None:
    answer = team.program("engineer").get(f"/api/v1/models/{model.pk}/versions/1/exports/bundle")
    assert answer.status_code == 200 and answer["Content-Type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None
