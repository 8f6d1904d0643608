"""Snapshots compared and restored."""

from collections import Counter
from collections.abc import Callable

import pytest
from django.test import Client

from datasets.comparing import difference
from datasets.models import Dataset
from datasets.restoring import plan_of, restore_snapshot
from datasets.snapshots import BadName, rows_now, rows_of, take_named, take_snapshot
from datasets.tagging import tag_images, trash_images, undo
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team


@pytest.fixture
def dataset(team: Team) -> Dataset:
    """Three cats, three dogs, one without a label."""
    made = make_dataset(team)
    for name in ("猫", "狗"):
        make_images(made, 3, made.labels.create(name=name))
    make_images(made, 1)
    return made


def state(dataset: Dataset) -> set[tuple[str, str | None, bool]]:
    """Every picture: its label, and whether it lies in the trash."""
    rows = dataset.images.values_list("name", "label__name", "trashed_at")
    return {(name, label, trashed is not None) for name, label, trashed in rows}


def stir(team: Team, dataset: Dataset) -> None:
    """0 becomes a dog, 1 loses its label, 2 and 3 go to the trash, 6 becomes a bird, the dogs' label goes."""
    user = team.people["engineer"]

    def some(*names: str) -> object:
        return dataset.images.filter(name__in=[f"{name}.jpg" for name in names])

    tag_images(dataset=dataset, user=user, chosen=some("0"), label=dataset.labels.get(name="狗"))  # type: ignore[arg-type]
    tag_images(dataset=dataset, user=user, chosen=some("1"), label=None)  # type: ignore[arg-type]
    trash_images(dataset=dataset, user=user, chosen=some("2", "3"))  # type: ignore[arg-type]
    tag_images(dataset=dataset, user=user, chosen=some("6"), label=dataset.labels.create(name="鸟"))  # type: ignore[arg-type]


def test_two_snapshots_differ_by_what_was_added_removed_and_relabelled(team: Team, dataset: Dataset) -> None:
    before = rows_of(take_snapshot(dataset=dataset, user=None))
    stir(team, dataset)
    found = difference(before, rows_now(dataset))
    assert [(each.name, each.after) for each in found.added] == [("6.jpg", "鸟")]
    assert [(each.name, each.before) for each in found.removed] == [
        ("3.jpg", "狗"),
        ("1.jpg", "猫"),
        ("2.jpg", "猫"),
    ]
    assert [(each.name, each.before, each.after) for each in found.relabelled] == [("0.jpg", "猫", "狗")]
    assert not difference(before, before)


def test_a_restore_sets_labels_and_trash_back_and_its_undo_takes_that_back(
    team: Team, dataset: Dataset
) -> None:
    first = state(dataset)
    snapshot = take_snapshot(dataset=dataset, user=None)
    stir(team, dataset)
    stirred = state(dataset)
    plan = plan_of(snapshot)
    assert (plan.changes, plan.relabelled, plan.from_trash, plan.others, plan.gone) == (4, 2, 2, 1, 0)
    action = restore_snapshot(snapshot=snapshot, user=team.people["engineer"])
    assert action.changed == 4
    assert state(dataset) == first - {("6.jpg", None, False)} | {("6.jpg", "鸟", False)}
    assert plan_of(snapshot).changes == 0
    done = undo(action=action, user=team.people["engineer"])
    assert (done.changed, done.skipped) == (4, 0)
    assert state(dataset) == stirred


def test_a_restore_may_take_labels_from_pictures_that_came_since(team: Team, dataset: Dataset) -> None:
    first = state(dataset)
    snapshot = take_snapshot(dataset=dataset, user=None)
    stir(team, dataset)
    stirred = state(dataset)
    action = restore_snapshot(snapshot=snapshot, user=team.people["engineer"], untag_others=True)
    assert state(dataset) == first
    undo(action=action, user=team.people["engineer"])
    assert state(dataset) == stirred


def test_a_label_that_is_gone_is_made_again_and_a_picture_that_is_gone_is_counted(
    team: Team, dataset: Dataset
) -> None:
    snapshot = take_snapshot(dataset=dataset, user=None)
    dataset.labels.filter(name="猫").update(name="tiger")
    dataset.images.filter(name="5.jpg").delete()
    assert (plan_of(snapshot).new_labels, plan_of(snapshot).gone) == (["猫"], 1)
    restore_snapshot(snapshot=snapshot, user=team.people["engineer"])
    assert Counter(dataset.images.values_list("label__name", flat=True)) == {"猫": 3, "狗": 2, None: 1}


def test_a_restore_does_not_count_as_suggestions_accepted(team: Team, dataset: Dataset) -> None:
    snapshot = take_snapshot(dataset=dataset, user=None)
    stir(team, dataset)
    action = restore_snapshot(snapshot=snapshot, user=team.people["engineer"])
    assert (action.suggested, action.agreed) == (0, 0)


@pytest.mark.parametrize("name", ["", "  ", "x" * 81, "a\x00b"])
def test_a_snapshot_needs_a_name_that_can_be_read(team: Team, dataset: Dataset, name: str) -> None:
    with pytest.raises(BadName):
        take_named(dataset=dataset, user=team.people["engineer"], name=name)


def test_over_the_api_snapshots_are_taken_named_compared_and_restored(
    team: Team, dataset: Dataset, api: Callable[..., Client]
) -> None:
    base, engineer = f"/api/v1/datasets/{dataset.pk}/snapshots", api("engineer")
    taken = engineer.post(base, {"name": " first  one "}, "application/json")
    assert taken.status_code == 201
    first = taken.json()
    assert (first["name"], first["images"], first["labels"]) == ("first one", 6, {"猫": 3, "狗": 3})
    assert [each["id"] for each in engineer.get(base).json()["items"]] == [first["id"]]
    url = f"{base}/{first['id']}"
    assert engineer.patch(url, {"name": "1st"}, "application/json").json()["hash"] == first["hash"]
    stir(team, dataset)
    found = engineer.get(f"{url}/compare?kind=removed&limit=2").json()
    assert (found["added"], found["removed"], found["relabelled"]) == (1, 3, 1)
    more = engineer.get(f"{url}/compare?kind=removed&limit=2&cursor={found['next']}").json()
    assert [each["file"] for each in found["items"] + more["items"]] == ["3.jpg", "1.jpg", "2.jpg"]
    assert more["next"] is None
    second = engineer.post(base, {"name": "second"}, "application/json").json()
    assert engineer.get(f"{url}/compare?with={second['id']}").json()["added"] == 1
    assert engineer.get(f"{url}/restore").json()["changes"] == 4
    done = engineer.post(f"{url}/restore", {}, "application/json").json()
    assert done["changed"] == 4
    undone = engineer.post(f"/api/v1/datasets/{dataset.pk}/tag-actions/{done['action']}/undo")
    assert undone.json() == {"changed": 4, "skipped": 0}
    assert engineer.get(f"{url}/compare?kind=moved").status_code == 422
    assert engineer.get(f"{url}/compare?cursor=x").json()["code"] == "bad-cursor"
    assert api("labeller").post(f"{url}/restore", {}, "application/json").status_code == 403
    assert api("stranger").get(url).status_code == 404
