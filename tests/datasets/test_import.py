"""Imports through the real queue: all that is offered ends as a picture, a duplicate or a refusal."""

from pathlib import Path

from datasets.models import ImportState
from tests.datasets.makers import Work, begin, make_dataset, outcomes, picture, taken, zip_of
from tests.factories import Team


def test_a_zip_of_folders_becomes_labelled_pictures(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    files = {"cat/a.png": picture("red"), "dog/b.png": picture("blue"), "c.png": picture("green")}
    found = begin(team, dataset, ("pets.zip", zip_of(files)))
    work()
    found.refresh_from_db()
    assert found.state == ImportState.READY
    assert (found.total, found.imported, found.duplicates, found.rejected) == (3, 3, 0, 0)
    assert taken(dataset) == {"a.png": "cat", "b.png": "dog", "c.png": None}


def test_chinese_folders_become_labels(work: Work, team: Team, shared_data: Path) -> None:
    dataset = make_dataset(team)
    found = begin(team, dataset, ("动物.zip", (shared_data / "动物与交通工具.zip").read_bytes()))
    work()
    found.refresh_from_db()
    assert (found.state, found.total) == (ImportState.READY, 400)
    assert set(outcomes(found).values()) <= {"too-long", "duplicate"}  # four aeroplanes are longer than 3:1
    assert (found.imported, found.rejected) == (396 - found.duplicates, 4)
    names = {label.name: label.images.count() for label in dataset.labels.all()}
    assert set(names) == {"狗", "猫", "直升机", "飞机", "摩托车"}
    assert sum(names.values()) == found.imported
