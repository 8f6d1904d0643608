"""The engine as a program: what it imports, what it answers to a wrong spec, and the extractors it builds."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from tests.training.engine.tasks import ROOT, clouds, extracted_here, head_task, run, split_of
from training.engine.backbones import feature_network, without_last_layer
from training.engine.refusals import EngineRefusal
from training.engine.spec import BadSpec, ExtractorTask, FitTask, read_spec, write_spec
from training.engine.torchvision_import import torchvision
from training.engine.weights import FoundWeights, find_weights, sha256_of

SPEC = {"version": 1, "size": 224, "fit": "stretch", "filter": "bilinear", "draft": 2}


def imported_by(code: str) -> set[str]:
    program = f"import sys; {code}; print(' '.join(sys.modules))"
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return {name.split(".")[0] for name in found.stdout.split()}


def test_the_spec_can_be_written_without_torch() -> None:
    heavy = {"torch", "torchvision", "pytorch_lightning", "numpy", "onnx", "django"}
    assert not imported_by("import training.engine.spec, training.engine.refusals") & heavy


def test_the_engine_knows_no_django() -> None:
    assert "django" not in imported_by("import training.engine.fit, training.engine.extractor")


def test_torchvision_is_left_as_it_would_be_without_us() -> None:
    assert torch.library.register_fake.__module__ == "torch.library"
    assert torchvision.models.mobilenet_v3_small(weights=None)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"task": "dance"}', '{"task": "fit"}', '{"task": "extractor", "colour": 1}'],
)
def test_a_wrong_spec_is_refused_with_a_sentence(tmp_path: Path, text: str) -> None:
    (tmp_path / "spec.json").write_text(text)
    with pytest.raises(BadSpec):
        read_spec(tmp_path / "spec.json")


@pytest.mark.parametrize(
    "change",
    [{"features": None}, {"pixels": "p.npy"}, {"extractor": None}, {"optimise_for": "luck"},
     {"labels": ["a"]}, {"labels": ["a", "a"]}, {"seconds": 0}, {"threads": 0}],
)  # fmt: skip
def test_a_fit_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    fields: dict[str, Any] = {
        "work_folder": "w", "features": "f", "extractor": "e", "targets": "t", "split": "s",
        "labels": ["a", "b"], "pixel_spec": SPEC,
    }  # fmt: skip
    FitTask(**fields)
    with pytest.raises(BadSpec):
        FitTask(**fields | change)


def test_a_spec_survives_its_file(tmp_path: Path) -> None:
    task = ExtractorTask(work_folder="w", backbone="resnet18", pixel_spec=SPEC)
    write_spec(task, tmp_path / "spec.json")
    assert read_spec(tmp_path / "spec.json") == task


def test_a_refusal_is_a_line_with_a_code_and_exit_three(tmp_path: Path) -> None:
    features, targets = clouds(30)
    features[0] = np.nan
    answer = run(head_task(tmp_path, features, targets, split_of(30)))
    assert answer.code == 3
    assert answer.lines[-1]["event"] == "failed"
    assert answer.lines[-1]["code"] == "features-not-finite"
    assert not answer.result


def test_a_missing_spec_is_a_refusal_too(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "training.engine", str(tmp_path / "none.json")]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 3
    assert json.loads(found.stdout)["code"] == "bad-spec"


# --- weights ----------------------------------------------------------------------------------------------


def saved_weights(folder: Path, backbone: str, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    torch.save(torchvision.models.get_model(backbone, weights=None).state_dict(), folder / name)
    return folder / name


def test_weights_are_found_under_the_builders_name_and_the_hubs(tmp_path: Path) -> None:
    hub = saved_weights(tmp_path, "squeezenet1_1", "squeezenet1_1-b8a52dc0.pth")
    found = find_weights("squeezenet1_1", folder=tmp_path, download=False)
    assert found == FoundWeights(hub, sha256_of(hub), "folder")
    own = saved_weights(tmp_path, "squeezenet1_1", "squeezenet1_1.pth")
    found = find_weights("squeezenet1_1", folder=tmp_path, download=False)
    assert found is not None
    assert found.path == own


def test_without_weights_it_says_so_within_seconds(tmp_path: Path) -> None:
    task = ExtractorTask(
        work_folder=str(tmp_path / "w"), backbone="resnet18", pixel_spec=SPEC,
        weights_folder=str(tmp_path), download=False,
    )  # fmt: skip
    with pytest.raises(EngineRefusal, match=r"resnet18\.pth") as refused:
        extracted_here(task)
    assert refused.value.code == "no-weights"


def test_a_hub_that_does_not_answer_costs_a_few_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")  # nobody listens there
    began = time.monotonic()
    assert find_weights("resnet18", folder=None, download_folder=tmp_path) is None
    assert time.monotonic() - began < 8
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["code"] == "offline"


def test_a_file_that_wants_to_run_code_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return Path.touch, (tmp_path / "was-run",)

    torch.save({"weight": Evil()}, tmp_path / "resnet18.pth")
    found = find_weights("resnet18", folder=tmp_path)
    assert found is not None
    with pytest.raises(EngineRefusal, match="cannot be read"):
        feature_network("resnet18", found)
    assert not (tmp_path / "was-run").exists()


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    path = saved_weights(tmp_path, "squeezenet1_1", "resnet18.pth")
    with pytest.raises(EngineRefusal) as caught:
        feature_network("resnet18", FoundWeights(path, "", "folder"))
    assert caught.value.code == "weights-do-not-fit"


def test_an_unknown_backbone_is_refused() -> None:
    with pytest.raises(EngineRefusal) as caught:
        find_weights("clairvoyance", folder=None, download=False)
    assert caught.value.code == "unknown-backbone"


# --- extractors -------------------------------------------------------------------------------------------

WIDTHS = {
    "mobilenet_v2": 1280, "mobilenet_v3_small": 1024, "mobilenet_v3_large": 1280, "squeezenet1_1": 512,
    "resnet18": 512, "resnet50": 2048, "efficientnet_b0": 1280, "convnext_tiny": 768, "regnet_y_400mf": 440,
}  # fmt: skip


@pytest.mark.parametrize("backbone", WIDTHS)
def test_every_family_gives_its_penultimate_layer(backbone: str) -> None:
    network = without_last_layer(torchvision.models.get_model(backbone, weights=None)).eval()
    with torch.inference_mode():
        assert network(torch.zeros(1, 3, 64, 64)).shape == (1, WIDTHS[backbone])


@pytest.mark.parametrize(("backbone", "alone"), [("squeezenet1_1", True), ("mobilenet_v3_small", False)])
def test_the_extractor_answers_as_torch_does(tmp_path: Path, backbone: str, alone: bool) -> None:
    """In a process of its own, as the product does, and without one."""
    torch.manual_seed(0)
    weights = saved_weights(tmp_path, backbone, f"{backbone}.pth")
    task = ExtractorTask(
        work_folder=str(tmp_path / "work"), backbone=backbone, pixel_spec={**SPEC, "size": 96},
        weights_folder=str(tmp_path), download=False,
    )  # fmt: skip
    result = run(task).result if alone else extracted_here(task)
    assert result["name"] == f"{backbone}-{sha256_of(weights)[:8]}-v1-96-stretch"
    path = tmp_path / "work" / result["file"]
    assert sha256_of(path) == result["sha256"]
    session = onnxruntime.InferenceSession(path)
    images = np.random.default_rng(0).integers(0, 256, (3, 96, 96, 3), dtype=np.uint8)
    (embedding,) = session.run(["embedding"], {"images": images})
    assert embedding.shape == (3, result["dimensions"]) == (3, WIDTHS[backbone])
    with torch.inference_mode():
        expected = feature_network(backbone, FoundWeights(weights, "", "folder"))(torch.from_numpy(images))
    scale = float(expected.abs().max())
    assert np.abs(embedding - expected.numpy()).max() < 1e-5 * max(1.0, scale)
    properties = session.get_modelmeta().custom_metadata_map
    assert json.loads(properties["taxon"])["name"] == result["name"]
    assert json.loads(properties["pixel_spec"])["size"] == 96
    onnx.checker.check_model(str(path), full_check=True)
