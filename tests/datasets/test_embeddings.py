"""Embeddings: computed once, kept, found again in the asked order."""

from pathlib import Path

import numpy as np
import pytest

from datasets import embeddings
from datasets.embeddings import BUILT_IN, Extractor, MissingFeatures, ensure_features, features_of
from datasets.models import Feature, FeatureShard
from datasets.pixels import spec_for
from tests.datasets.makers import Work, begin, colours, make_dataset
from tests.factories import Team
from web import storage


def rows(count: int) -> list[tuple[str, str]]:
    return [(f"{n:064d}", storage.put_bytes("images", content)) for n, content in enumerate(colours(count))]


def test_vectors_come_back_in_the_asked_order_and_are_computed_once(db: None) -> None:
    wanted = rows(5)
    seen: list[tuple[int, int]] = []
    ensure_features(BUILT_IN, wanted, progress=lambda done, total: seen.append((done, total)))
    names = [sha256 for sha256, _ in wanted]
    straight, turned = features_of(BUILT_IN, names), features_of(BUILT_IN, [*names[::-1], names[0]])
    assert straight.shape == (5, BUILT_IN.dimensions) and straight.dtype == np.float16
    assert np.array_equal(turned[:5], straight[::-1]) and np.array_equal(turned[5], straight[0])
    assert np.isfinite(straight.astype(np.float32)).all() and len(np.unique(straight, axis=0)) == 5
    assert seen[-1] == (5, 5)
    ensure_features(BUILT_IN, wanted, progress=lambda done, total: pytest.fail("nothing was missing"))
    assert FeatureShard.objects.count() == 1


def test_what_was_computed_before_an_interruption_is_kept(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "SHARD", 2)
    monkeypatch.setattr(embeddings, "BATCH", 2)
    wanted, checks = rows(6), []

    def stop() -> None:
        checks.append(1)
        if len(checks) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ensure_features(BUILT_IN, wanted, check=stop)
    assert Feature.objects.count() == 4
    ensure_features(BUILT_IN, wanted)
    assert Feature.objects.count() == 6 and FeatureShard.objects.count() == 3


def test_vectors_that_were_never_computed_are_not_made_up(db: None) -> None:
    with pytest.raises(MissingFeatures, match="1 pictures"):
        features_of(BUILT_IN, ["0" * 64])


def test_an_import_is_followed_by_its_embeddings(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    begin(team, dataset, *[(f"{n}.png", content) for n, content in enumerate(colours(4))])
    work()
    assert Feature.objects.filter(extractor=BUILT_IN.id).count() == 4


def test_an_onnx_extractor_is_asked_for_its_embedding(db: None, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    helper, kind = onnx.helper, onnx.TensorProto
    graph = helper.make_graph(
        [
            helper.make_node("Cast", ["images"], ["real"], to=kind.FLOAT),
            helper.make_node("ReduceMean", ["real", "axes"], ["embedding"], keepdims=0),
        ],
        "mean",
        [helper.make_tensor_value_info("images", kind.UINT8, ["n", 32, 32, 3])],
        [helper.make_tensor_value_info("embedding", kind.FLOAT, ["n", 3])],
        [helper.make_tensor("axes", kind.INT64, [2], [1, 2])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    key = storage.put_bytes("models", model.SerializeToString(), ".onnx")
    extractor = Extractor("mean", key, 3, spec_for(32))
    wanted = rows(3)
    ensure_features(extractor, wanted)
    found = features_of(extractor, [sha256 for sha256, _ in wanted])
    assert found[0].tolist() == [0, 0, 0] and found[1].tolist() == [37, 91, 53]


def test_simple_features_tell_kinds_of_pictures_apart_better_than_chance(db: None, shared_data: Path) -> None:
    names, vectors = [], []
    for label in ("daisy", "roses", "sunflowers"):
        for path in sorted((shared_data / "flowers5" / label).iterdir())[:30]:
            content = path.read_bytes()
            key = storage.put_bytes("images", content)
            sha256 = storage.promised_hash(key)
            ensure_features(BUILT_IN, [(sha256, key)])
            names.append(label)
            vectors.append(features_of(BUILT_IN, [sha256])[0].astype(np.float32))
    matrix = np.stack(vectors)
    nearest = (matrix @ matrix.T - 1e9 * np.eye(len(matrix))).argmax(axis=1)
    agreement = np.mean([names[n] == names[other] for n, other in enumerate(nearest)])
    assert agreement > 0.45
