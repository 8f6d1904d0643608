"""Every family of networks: its features, its file and its fine-tuning."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
from torch import nn

from tests.training.engine.tasks import (
    PIXEL_SPEC,
    extracted_here,
    fit_here,
    scratch_task,
    shapes,
    split_of,
)
from training.engine import tune
from training.engine.backbones import Normalised, feature_network
from training.engine.data import Part
from training.engine.export import export_network
from training.engine.families import fixed_side
from training.engine.refusals import EngineRefusal
from training.engine.spec import ExtractorTask, FitTask
from training.engine.stages import FIRST, stages
from training.engine.torchvision_import import torchvision
from training.engine.weights import FoundWeights, find_weights

STAGES = {  # one network of each family, the quickest
    "squeezenet1_1": 9,
    "mobilenet_v2": 19,
    "mobilenet_v3_small": 14,
    "regnet_y_400mf": 5,
    "resnet18": 6,
    "resnext50_32x4d": 6,
    "efficientnet_b0": 9,
    "efficientnet_v2_s": 8,
    "convnext_tiny": 9,
    "vit_b_32": 14,
}


def pictures(count: int, side: int, seed: int = 0) -> torch.Tensor:
    random = torch.Generator().manual_seed(seed)
    return torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8, generator=random)


def settled(backbone: str, side: int) -> nn.Module:
    """A network of random numbers whose batch norms have seen pictures, so that features are no mere zeros."""
    torch.manual_seed(0)
    network = torchvision.models.get_model(backbone, weights=None)
    norms = [each for each in network.modules() if isinstance(each, nn.BatchNorm2d)]
    for each in norms:
        each.momentum = None  # the mean over what it sees
    if norms:
        with torch.no_grad():
            Normalised(network.train())(pictures(8, side))
    for each in norms:
        each.running_var.clamp_(min=1e-4)  # dividing by less would blow up the last digits
    return network


@pytest.fixture(scope="module", params=list(STAGES))
def weights(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The file of one family's network, as an operator would put it into TAXON_WEIGHTS_DIR."""
    path = tmp_path_factory.mktemp("weights") / f"{request.param}.pth"
    torch.save(settled(request.param, side_of(request.param)).state_dict(), path)
    yield path
    path.unlink()


def side_of(backbone: str) -> int:
    return fixed_side(backbone) or 64


def test_the_file_of_every_family_gives_the_features_that_torch_gives(weights: Path) -> None:
    side, found = side_of(weights.stem), find_weights(weights.stem, folder=weights.parent, download=False)
    assert found is not None
    network = feature_network(weights.stem, found)
    model = export_network(network, pictures(2, side), outputs=["embedding"])
    assert [each.version for each in model.opset_import if each.domain in ("", "ai.onnx")] == [17]
    session = onnxruntime.InferenceSession(model.SerializeToString())
    for count in (1, 3):
        images = pictures(count, side, seed=count)
        with torch.inference_mode():
            expected = network(images).numpy()
        (embedding,) = session.run(["embedding"], {"images": images.numpy()})
        assert embedding.shape == expected.shape and expected.ndim == 2
        scale = np.abs(expected).max()
        assert scale > 1e-2 and np.ptp(expected) > 1e-2
        assert np.abs(embedding - expected).max() < 1e-4 * max(1.0, scale)


def module_of(weights: Path, folder: Path, **fields: int) -> tuple[tune.Tuned, torch.Tensor, torch.Tensor]:
    """What fine-tuning starts with, eight pictures, and their targets."""
    side = side_of(weights.stem)
    images, targets = pictures(8, side), torch.arange(8) % 3
    task = FitTask(
        work_folder=str(folder),
        pixels="p",
        targets="t",
        split="s",
        labels=["a", "b", "c"],
        pixel_spec={**PIXEL_SPEC, "size": side},
        backbone=weights.stem,
        weights_folder=str(weights.parent),
        **fields,  # type: ignore[arg-type]
    )
    part = Part(images.numpy(), np.arange(8), targets)
    return tune.new_network(task, part, 0.0, deadline=1e9, batch=4), images, targets


def a_step(module: tune.Tuned, images: torch.Tensor, targets: torch.Tensor) -> set[str]:
    """The parameters that one batch moves."""
    network = module.network
    nn.init.normal_(network.inside.classifier.weight, std=0.1)  # at zero it would pass nothing back
    before = {name: value.detach().clone() for name, value in network.named_parameters()}
    nn.functional.cross_entropy(network(images[:4])[0], targets[:4]).backward()
    torch.optim.SGD(tune._groups(network)).step()
    return {name for name, value in network.named_parameters() if not value.equal(before[name])}


def test_every_layer_of_every_family_learns(weights: Path, tmp_path: Path) -> None:
    module, images, targets = module_of(weights, tmp_path)
    moved = a_step(module, images, targets)
    parameters = dict(module.network.named_parameters())
    unmoved = [name for name, value in parameters.items() if name not in moved and value.ndim > 1]
    assert not unmoved
    grouped = [id(each) for group in tune._groups(module.network) for each in group["params"]]
    assert sorted(grouped) == sorted(id(each) for each in parameters.values())


def test_the_later_a_stage_of_any_family_the_faster_it_learns(weights: Path, tmp_path: Path) -> None:
    module, _, _ = module_of(weights, tmp_path)
    every = stages(module.network.inside.features)
    assert len(every) == STAGES[weights.stem]
    rate_of = {
        id(each): group["lr"] for group in tune._groups(module.network, 1.0) for each in group["params"]
    }
    rates = [{rate_of[id(each)] for each in stage} for stage in every]
    assert all(len(each) == 1 for each in rates), "a stage learns as one"
    of_stages = [min(each) for each in rates]
    assert of_stages == sorted(of_stages)
    assert (of_stages[0], of_stages[-1]) == pytest.approx((FIRST, 1.0))
    assert {rate_of[id(each)] for each in module.network.inside.classifier.parameters()} == {tune.HEAD_FASTER}


def test_a_network_of_another_family_is_fine_tuned(tmp_path: Path) -> None:
    pixels, targets = shapes(45)
    network = settled("resnet18", 64)
    torch.save(network.state_dict(), tmp_path / "resnet18.pth")
    fields = {"backbone": "resnet18", "weights_folder": str(tmp_path), "max_epochs": 1}
    task = scratch_task(tmp_path / "fit", pixels, targets, split_of(45), **fields)
    assert fit_here(task)["method"] == "fine-tuned"
    session = onnxruntime.InferenceSession(Path(task.work_folder) / "model.onnx")
    assert session.run(["scores"], {"images": pixels[:5]})[0].shape == (5, 3)


def test_a_transformer_takes_pictures_of_its_own_size_alone(tmp_path: Path) -> None:
    task = ExtractorTask(
        work_folder=str(tmp_path / "work"),
        backbone="vit_b_16",
        pixel_spec={**PIXEL_SPEC, "size": 112},
        weights_folder=str(tmp_path),
        download=False,
    )
    with pytest.raises(EngineRefusal) as refused:
        extracted_here(task)
    assert refused.value.code == "size-not-possible"
    assert "224" in str(refused.value) and "112" in str(refused.value)


def test_weights_made_for_larger_pictures_are_not_taken_for_a_transformer(tmp_path: Path) -> None:
    (tmp_path / "vit_b_16_swag-9ac1b537.pth").write_bytes(b"made for 384 pixels")
    assert find_weights("vit_b_16", folder=tmp_path, download=False) is None
    (tmp_path / "vit_b_16_lc_swag-4e70ced5.pth").write_bytes(b"made for 224 pixels")
    found = find_weights("vit_b_16", folder=tmp_path, download=False)
    assert isinstance(found, FoundWeights) and found.path.name == "vit_b_16_lc_swag-4e70ced5.pth"
