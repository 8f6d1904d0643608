"""A whole training through the real queue and the real engine, on drawn pictures."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import onnxruntime as ort
import pytest
from pytest_django.fixtures import Settings

from datasets.models import Dataset
from jobs.models import State
from tests.factories import Team
from tests.training.makers import asked, model_of, tagged
from training import manifest, predictions
from training.models import ModelVersion, Speed, VersionState
from training.provenance import provenance_of
from web import storage

Work = Callable[[], None]


@pytest.fixture
def no_weights(settings: Settings) -> Iterator[None]:
    """A machine without weights that does not ask the hub."""
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = None, False
    yield


def trained(team: Team, work: Work, counts: dict[str, int], **more: object) -> ModelVersion:
    dataset = tagged(team.project, counts)
    (version,) = asked(model_of(team.project), team.people["engineer"], dataset, **more)
    work()
    version.refresh_from_db()
    return version


@pytest.mark.slow
def test_a_training_without_weights_ends_with_an_evaluated_file(
    team: Team, work: Work, no_weights: None
) -> None:
    version = trained(team, work, {"red": 20, "blue": 20}, max_minutes=1.0)
    assert (version.state, version.usable) == (VersionState.SUCCEEDED, True), version.sentence
    assert version.job and version.job.state == State.SUCCEEDED
    assert version.backbone == "scratch" and version.report["about"]["pretrained"] is False

    overall = version.report["overall"]
    assert overall["n"] == 8 == sum(map(sum, version.report["confusion_matrix"]["counts"]))
    assert overall["accuracy"]["low"] <= overall["accuracy"]["value"] <= overall["accuracy"]["high"]
    assert overall["accuracy"]["value"] >= 0.75

    data = storage.read(version.file_key)
    assert hashlib.sha256(data).hexdigest() == version.file_sha256 and len(data) == version.file_bytes
    session = ort.InferenceSession(data)
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["labels"]) == version.labels == ["red", "blue"]
    assert {output.name for output in session.get_outputs()} == {"scores", "embedding"}

    rows = list(predictions.load(version.predictions_key))
    held_back = manifest.load(version.manifest_key).part("held_back")
    assert [row.image for row in rows] == [entry.image for entry in held_back]
    assert all(abs(sum(row.scores) - 1) < 1e-3 for row in rows)


@pytest.mark.slow
def test_the_same_training_twice_gives_the_same_predictions(
    team: Team, work: Work, settings: Settings, weights_dir: Path
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    first = trained(team, work, {"red": 12, "blue": 12}, options={"fine_tuning": "off"})
    (second,) = asked(
        first.model, team.people["engineer"], Dataset.objects.get(), options={"fine_tuning": "off"}
    )
    work()
    second.refresh_from_db()
    assert first.usable and second.usable, (str(first.sentence), str(second.sentence))
    ours, theirs = provenance_of(first), provenance_of(second)
    for same in (
        "seed",
        "snapshot_hash",
        "manifest_sha256",
        "predictions_sha256",
        "libraries",
        "code_sha256",
    ):
        assert ours[same] and ours[same] == theirs[same], same
    assert ours["machine"] and ours["network"]["weights"]
    assert Speed.objects.get().milliseconds > 0  # measured on the way, for whoever trains next
