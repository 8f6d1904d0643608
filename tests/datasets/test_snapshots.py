"""Snapshots: what is frozen stays, and the same content is the same."""

import pytest

from datasets.models import Dataset
from datasets.snapshots import LabelsMissing, NothingTagged, rows_of, take_snapshot
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team


@pytest.fixture
def dataset(team: Team) -> Dataset:
    made = make_dataset(team)
    for name in ("猫", "狗"):
        make_images(made, 3, made.labels.create(name=name))
    make_images(made, 1)
    return made


def test_a_snapshot_holds_the_tagged_pictures_sorted(dataset: Dataset) -> None:
    snapshot = take_snapshot(dataset=dataset, user=None)
    rows = rows_of(snapshot)
    assert (snapshot.images, snapshot.labels) == (6, {"猫": 3, "狗": 3})
    assert [(row.label, row.sha256) for row in rows] == sorted((row.label, row.sha256) for row in rows)
    image = dataset.images.get(pk=rows[0].image)
    assert (rows[0].name, rows[0].key, rows[0].position) == (image.name, image.key, image.position)


def test_the_same_content_is_the_same_snapshot_and_another_is_not(dataset: Dataset) -> None:
    first = take_snapshot(dataset=dataset, user=None)
    assert take_snapshot(dataset=dataset, user=None) == first
    dataset.images.filter(name="0.jpg").update(label=dataset.labels.get(name="狗"))
    second = take_snapshot(dataset=dataset, user=None)
    assert second != first and second.content_hash != first.content_hash
    assert rows_of(first) != rows_of(second)
    assert {row.label for row in rows_of(first) if row.name == "0.jpg"} == {"猫"}


def test_some_labels_alone(dataset: Dataset) -> None:
    assert take_snapshot(dataset=dataset, label_names=["猫"], user=None).labels == {"猫": 3}
    with pytest.raises(LabelsMissing, match="鸟"):
        take_snapshot(dataset=dataset, label_names=["猫", "鸟"], user=None)


def test_the_trash_is_left_out_and_nothing_is_not_a_snapshot(dataset: Dataset) -> None:
    dataset.images.filter(label__name="狗").update(trashed_at="2026-01-01T00:00Z")
    assert take_snapshot(dataset=dataset, user=None).labels == {"猫": 3}
    dataset.images.update(trashed_at="2026-01-01T00:00Z")
    with pytest.raises(NothingTagged):
        take_snapshot(dataset=dataset, user=None)


def test_a_name_with_odd_line_ends_survives(dataset: Dataset) -> None:
    dataset.images.filter(name="0.jpg").update(name="a\u2028b\u0085c.jpg")
    assert "a\u2028b\u0085c.jpg" in {row.name for row in rows_of(take_snapshot(dataset=dataset, user=None))}
