"""When a run goes on to fine-tuning: something left to gain, time for it, room on the disk, at a fitting size."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from datasets.models import Dataset
from tests.factories import Team
from tests.training.makers import add_picture, asked, model_of
from training import learning, second_head, tuning
from training.engine_process import EngineCrashed
from training.evaluation import ModelFile
from training.fits import beats
from training.second_head import Wanted
from training.tuning import Means, Tuning, tuning_for
from web import storage

PHOTOS = [480, 500, 640]


@pytest.fixture
def means(tmp_path: Path) -> Means:
    return Means(pictures=500, seconds=720, threads=1, scratch=tmp_path)


def reached(top1: float, pictures: int = 60) -> dict[str, Any]:
    return {"top1": top1, "pictures": pictures}


def wanted(means: Means, top1: float = 0.88, sides: list[int] = PHOTOS) -> Tuning | None:
    return tuning_for("mobilenet_v2", reached(top1), "top1", sides, means)


def test_photographs_are_fine_tuned_at_full_size_with_room_for_crops(means: Means) -> None:
    found = wanted(means)
    assert found == Tuning("mobilenet_v2", 224)
    assert found.side == 258


def test_small_pictures_are_not_blown_up(means: Means) -> None:
    assert wanted(means, sides=[48, 48, 48]) == Tuning("mobilenet_v2", 112)


def test_a_transformer_is_fine_tuned_at_its_own_size_or_not_at_all(means: Means) -> None:
    plenty = replace(means, seconds=3600 * 24)
    assert tuning_for("vit_b_16", reached(0.8), "top1", [48, 48], plenty) == Tuning("vit_b_16", 224)
    assert tuning_for("vit_b_16", reached(0.8), "top1", PHOTOS, means) is None


def test_with_less_time_a_smaller_size_is_tried(means: Means) -> None:
    assert wanted(replace(means, seconds=150)) == Tuning("mobilenet_v2", 160)
    assert wanted(replace(means, seconds=80)) == Tuning("mobilenet_v2", 112)


def test_with_no_time_for_enough_rounds_the_head_stays(means: Means) -> None:
    assert wanted(replace(means, seconds=30)) is None


def test_where_next_to_nothing_is_wrong_nothing_could_be_gained(means: Means) -> None:
    assert wanted(means, top1=59 / 60) is None
    assert wanted(means, top1=58 / 60) is not None


def test_pixels_that_would_fill_the_disk_are_made_smaller_or_left_out(
    means: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tuning, "MOST_SCRATCH", 500 * 258**2 * 3 - 1)
    assert wanted(means) == Tuning("mobilenet_v2", 160)
    monkeypatch.setattr(tuning, "MOST_SCRATCH", 1)
    assert wanted(means) is None


def fitted(top1: float, loss: float) -> dict[str, Any]:
    return {"validation": {"top1": top1, "calibrated_loss": loss}}


def test_the_second_fit_is_kept_only_where_it_is_better() -> None:
    assert beats(fitted(0.92, 0.4), fitted(0.90, 0.3), "top1")
    assert not beats(fitted(0.90, 0.3), fitted(0.92, 0.4), "top1")
    assert beats(fitted(0.90, 0.3), fitted(0.90, 0.4), "top1")
    assert not beats(fitted(0.90, 0.4), fitted(0.90, 0.4), "top1")


@pytest.fixture
def faces(team: Team, shared_data: Path) -> Dataset:
    """Small grey faces, which a frozen network hardly tells apart."""
    dataset = Dataset.objects.create(project=team.project, name="Faces")
    for label in ("angry", "happy", "sad"):
        for path in sorted((shared_data / "fer2013-small" / label).iterdir())[:25]:
            add_picture(dataset, path.read_bytes(), label, path.name)
    return dataset


@pytest.mark.slow
def test_a_run_fine_tunes_after_the_head_keeps_the_better_and_says_what_it_tried(
    team: Team,
    work: Callable[[], None],
    settings: Settings,
    weights_dir: Path,
    faces: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    monkeypatch.setattr(tuning, "LEAST_WRONG", 0)
    owner, model = team.people["engineer"], model_of(team.project)
    (version,) = asked(model, owner, faces, max_minutes=10.0, options={"max_epochs": 2})
    work()
    version.refresh_from_db()
    assert version.usable, str(version.sentence)
    about = version.report["about"]
    tried = [(each["method"], each["backbone"], each["size"], each["rate"]) for each in about["tried"]]
    assert tried[:4] == [
        ("head", None, 224, 1.0),
        ("fine-tuned", "mobilenet_v2", 112, 1.0),
        ("fine-tuned", "mobilenet_v2", 112, 0.3),
        ("fine-tuned", "squeezenet1_1", 112, 1.0),
    ]
    assert [each["slice"] for each in about["tried"]] == [False, False, True, True, False]
    assert tried[4] in tried[2:4] and about["tried"][4]["went_on"]
    best = max(about["tried"], key=lambda each: each["validation"]["top1"])["validation"]["top1"]
    assert about["validation"]["top1"] == best
    assert version.backbone == about["backbone"] and version.backbone in version.weights
    assert [point["epoch"] for point in version.history] == list(range(1, len(version.history) + 1))
    assert {point["method"] for point in version.history} == {"head", "fine-tuned"}


@pytest.mark.slow
def test_without_time_to_fine_tune_the_next_network_gets_a_head_and_the_better_is_kept(
    team: Team,
    work: Callable[[], None],
    settings: Settings,
    weights_dir: Path,
    faces: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    monkeypatch.setattr(tuning, "LEAST_WRONG", 0)
    monkeypatch.setattr(tuning, "LEAST_EPOCHS", 100_000)
    kept = {}
    for better in ("squeezenet1_1", "mobilenet_v2"):
        # 75 pictures are too few to say beforehand which is better: each in turn.
        monkeypatch.setattr(learning, "beats", lambda new, old, metric, wins=better: wins == "squeezenet1_1")
        (version,) = asked(model_of(team.project, better), team.people["engineer"], faces, max_minutes=10.0)
        work()
        version.refresh_from_db()
        assert version.usable, str(version.sentence)
        about = version.report["about"]
        tried = [(each["method"], each["backbone"], each["slice"]) for each in about["tried"]]
        assert tried == [("head", None, False), ("head", "squeezenet1_1", False)]
        assert (version.backbone, about["backbone"], about["method"]) == (better, better, "head")
        assert version.weights.startswith(better)
        with storage.local_copy(version.file_key) as path:
            kept[better] = json.loads(ModelFile(path, 1).session.get_modelmeta().custom_metadata_map["taxon"])
    assert {name: each["backbone"] for name, each in kept.items()} == {each: each for each in kept}
    assert kept["squeezenet1_1"]["extractor"].startswith("squeezenet1_1")


@pytest.mark.slow
def test_no_second_head_where_its_features_would_not_be_had_in_time_or_nothing_more_is_wanted(
    team: Team,
    work: Callable[[], None],
    settings: Settings,
    weights_dir: Path,
    faces: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    monkeypatch.setattr(tuning, "LEAST_WRONG", 0)
    monkeypatch.setattr(tuning, "LEAST_EPOCHS", 100_000)
    monkeypatch.setattr(second_head, "milliseconds_here", lambda extractor: 60_000.0)
    model, user = model_of(team.project), team.people["engineer"]
    asked(model, user, faces, max_minutes=10.0)
    asked(model, user, faces, max_minutes=10.0, options={"fine_tuning": "off"})
    work()
    for version in model.versions.all():
        assert version.usable, str(version.sentence)
        assert [each["backbone"] for each in version.report["about"]["tried"]] == [None]


def test_a_second_head_takes_the_time_of_its_pictures_its_fit_and_a_slower_report() -> None:
    wanted = Wanted(missing=1000, held_back=200, fit=10.0, threads=2)
    quick, slow = wanted.seconds(0.008), wanted.seconds(0.188)
    assert quick == pytest.approx(1.5 * (1000 * 0.020 / 2 + 10))
    assert slow == pytest.approx(1.5 * (1000 * 0.200 / 2 + 10) + 200 * 0.160)
    assert replace(wanted, missing=0).seconds(0.008) == 15.0


@pytest.mark.slow
def test_a_fine_tuning_that_crashes_again_leaves_the_first_model(
    team: Team,
    work: Callable[[], None],
    settings: Settings,
    weights_dir: Path,
    faces: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    monkeypatch.setattr(tuning, "LEAST_WRONG", 0)
    monkeypatch.setattr(learning, "ENOUGH_CRASHES", 1)  # as on a second attempt
    real = learning.run_engine

    def crashing(task: Any, **ears: Any) -> Any:
        if task.backbone:
            raise EngineCrashed("the engine ended with code -11")
        return real(task, **ears)

    monkeypatch.setattr(learning, "run_engine", crashing)
    (version,) = asked(model_of(team.project), team.people["engineer"], faces, max_minutes=10.0)
    work()
    version.refresh_from_db()
    assert version.usable, str(version.sentence)
    assert version.report["about"]["method"] == "head"


@pytest.mark.slow
def test_a_candidate_that_crashes_costs_nothing(
    team: Team,
    work: Callable[[], None],
    settings: Settings,
    weights_dir: Path,
    faces: Dataset,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    monkeypatch.setattr(tuning, "LEAST_WRONG", 0)
    real = learning.run_engine
    asked_for = []

    def crashing(task: Any, **ears: Any) -> Any:
        asked_for.append(Path(task.work_folder).name)
        if "slice" in task.work_folder:
            raise EngineCrashed("the engine ended with code -11")
        return real(task, **ears)

    monkeypatch.setattr(learning, "run_engine", crashing)
    options = {"max_epochs": 2}
    (version,) = asked(
        model_of(team.project), team.people["engineer"], faces, max_minutes=10.0, options=options
    )
    work()
    version.refresh_from_db()
    assert version.usable and version.job and version.job.attempt == 1, str(version.sentence)
    assert asked_for == ["first", "tuned", "slice-mobilenet_v2-112-0.3", "slice-squeezenet1_1-112-1"]
    assert [each["method"] for each in version.report["about"]["tried"]] == ["head", "fine-tuned"]
    assert version.weights_key and version.ended_because == "converged"
