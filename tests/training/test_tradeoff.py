"""What the training page says of each application before the start, and where its numbers come from."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from django.test import Client
from onnx import TensorProto, helper
from pytest_django.fixtures import Settings

from datasets.models import Dataset
from datasets.pixels import spec_for
from tests.factories import Team
from training import speed, tradeoff
from training.models import Application, Extractor, Speed
from training.profiles import PROFILES
from web import storage

Page = Callable[[str], Client]
FAST = PROFILES[Application.EDGE_FAST]


@pytest.fixture
def weights(settings: Settings, tmp_path: Path) -> Path:
    """A folder with squeezenet's weights alone."""
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = tmp_path / "weights", False
    settings.DATA_DIR = tmp_path / "data"
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "squeezenet1_1.pth").write_bytes(b"w" * 4096)
    return tmp_path / "weights"


def built(backbone: str = "squeezenet1_1") -> Extractor:
    """An extractor that runs: the mean colour."""
    images = helper.make_tensor_value_info("images", TensorProto.UINT8, ["n", 224, 224, 3])
    embedding = helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["n", 3])
    nodes = [
        helper.make_node("Cast", ["images"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["embedding"], axes=[1, 2], keepdims=0),
    ]
    graph = helper.make_graph(nodes, "mean", [images], [embedding])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    from training.extractors import sha256_of, weights_here

    path, spec = weights_here(backbone), spec_for(224)
    assert path
    key = storage.put_bytes("extractors", model.SerializeToString(), ".onnx")
    return Extractor.objects.create(
        name=f"{backbone}-{sha256_of(path)[:8]}-{spec.key}", backbone=backbone, weights=path.name, key=key,
        sha256=storage.promised_hash(key), dimensions=3, pixel_spec={"size": 224},
    )  # fmt: skip


def test_before_anything_was_built_the_size_comes_from_the_weights(db: None, weights: Path) -> None:
    found = tradeoff.tradeoff_of(FAST)
    assert (found.backbone, found.bytes, found.exact, found.milliseconds) == ("squeezenet1_1", 4096, False, 0)
    assert found.first_choice and not Speed.objects.exists()


def test_a_worker_measures_each_network_once_a_machine(db: None, weights: Path) -> None:
    row, looked = built(), []
    speed.measure_missing(lambda: looked.append(1))
    first = Speed.objects.get()
    assert first.extractor == row and first.milliseconds > 0 and len(looked) == speed.WARM_UP + speed.RUNS
    speed.measure_missing(lambda: pytest.fail("measured again"))
    found = tradeoff.tradeoff_of(FAST)
    assert (found.milliseconds, found.bytes, found.exact) == (
        first.milliseconds,
        storage.size_of(row.key),
        True,
    )


@pytest.mark.parametrize("data", [None, b"", b"torn"])
def test_an_extractor_whose_file_is_gone_or_damaged_is_left_for_later(
    db: None, weights: Path, data: bytes | None
) -> None:
    key = "extractors/gone.onnx" if data is None else storage.put_bytes("extractors", data, ".onnx")
    Extractor.objects.filter(pk=built().pk).update(key=key)
    speed.measure_missing(lambda: None)
    assert not Speed.objects.exists()


def test_a_network_that_was_not_the_first_choice_says_so(db: None, weights: Path) -> None:
    found = tradeoff.tradeoff_of(PROFILES[Application.CLOUD_ACCURATE])
    assert found.backbone == "squeezenet1_1" and not found.first_choice


def test_without_weights_nothing_is_promised(db: None, weights: Path) -> None:
    (weights / "squeezenet1_1.pth").unlink()
    found = tradeoff.tradeoff_of(FAST)
    assert (found.backbone, found.asked, found.bytes) == ("", False, 0)


def test_more_pictures_and_slower_networks_ask_for_more_time() -> None:
    few, many = tradeoff.times_of("squeezenet1_1", 100), tradeoff.times_of("squeezenet1_1", 10_000)
    slow = tradeoff.times_of("resnet50", 10_000)
    assert few.recommended == tradeoff.LEAST_MINUTES and few.first == 1
    assert many.first <= many.tuned <= many.recommended and slow.tuned > many.tuned
    assert np.isfinite(slow.recommended)


def test_the_page_says_network_size_speed_and_time(
    page: Page, team: Team, discs: Dataset, weights: Path
) -> None:
    url = f"/projects/{team.project.pk}/train/?sent=1&applications=edge-fast&dataset={discs.pk}"
    before = page("engineer").get(url).content.decode()
    assert "about 4.0\N{NO-BREAK SPACE}KB" in before and "speed not measured here yet" in before
    assert "which it would rather take" in before and "min with fine-tuning" in before
    built()
    speed.measure_missing(lambda: None)
    assert "ms a picture here" in page("engineer").get(url).content.decode()
    assert Speed.objects.count() == 1
