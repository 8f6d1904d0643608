"""The trash by program: what lies there, the way back, and the way out."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from datasets.creation import trash_dataset
from datasets.labels import create_label, delete_label, merge_labels
from datasets.models import Dataset, Image, Label
from datasets.snapshots import take_snapshot
from datasets.tagging import trash_images
from tests.datasets.makers import Work, make_dataset, make_images
from tests.datasets.test_trash import version_of
from tests.factories import Team

Program = Callable[..., Client]


@pytest.fixture
def pets(team: Team) -> Dataset:
    """Three dogs, two of them in the trash; cats merged into dogs, mice deleted."""
    dataset = make_dataset(team)
    cat, dog, mouse = (
        create_label(dataset=dataset, name=name, user=None) for name in ("cat", "dog", "mouse")
    )
    make_images(dataset, 3, dog)
    user = team.people["engineer"]
    merge_labels(label=cat, into=dog, user=user)
    delete_label(label=mouse, user=user)
    trash_images(dataset=dataset, user=user, chosen=dataset.images.filter(name__in=["0.jpg", "1.jpg"]))
    return dataset


def url(team: Team, rest: str) -> str:
    return f"/api/v1/projects/{team.project.pk}/trash/{rest}"


def listed(client: Client, address: str) -> list[dict[str, Any]]:
    answer = client.get(address)
    assert answer.status_code == 200
    return list(answer.json()["items"])


def test_the_lists_say_what_lies_there_who_moved_it_and_for_how_long_yet(
    team: Team, pets: Dataset, api: Program
) -> None:
    labeller = api("labeller")
    gone = make_dataset(team, "Gone")
    make_images(gone, 4)
    trash_dataset(dataset=gone, user=team.people["owner"])
    images = listed(labeller, url(team, "images"))
    assert [(each["file"], each["label"], each["trashed_by"], each["days_left"]) for each in images] == [
        ("1.jpg", "dog", "engineer", 30),
        ("0.jpg", "dog", "engineer", 30),
    ]
    labels = listed(labeller, url(team, "labels"))
    assert [(each["name"], each["merged_into"], each["trashed_by"]) for each in labels] == [
        ("mouse", None, "engineer"),
        ("cat", "dog", "engineer"),
    ]
    [whole] = listed(labeller, url(team, "datasets"))
    assert (whole["name"], whole["images"], whole["trashed_by"]) == ("Gone", 4, "owner")
    first = labeller.get(url(team, "images?limit=1")).json()
    second = labeller.get(url(team, f"images?limit=1&cursor={first['next']}")).json()
    assert [each["file"] for each in first["items"] + second["items"]] == ["1.jpg", "0.jpg"]
    assert second["next"] is None
    other = make_dataset(team, "Others")
    assert listed(labeller, url(team, f"images?dataset={other.pk}")) == []
    assert labeller.get(url(team, f"images?dataset={gone.pk}")).status_code == 404
    assert api("viewer").get(url(team, "images")).status_code == 403
    assert api("stranger").get(url(team, "images")).status_code == 404


def test_things_come_back_by_their_numbers_or_all_of_a_data_sets(
    team: Team, pets: Dataset, api: Program
) -> None:
    engineer = api("engineer")
    image = pets.images.get(name="0.jpg")
    label = Label.every.get(name="mouse", dataset=pets)
    body = {"images": [image.pk], "labels": [label.pk]}
    assert engineer.post(url(team, "restore"), body, "application/json").json() == {"restored": 2}
    assert pets.labels.filter(name="mouse").exists()
    again = engineer.post(url(team, "restore"), body, "application/json")
    assert (again.status_code, again.json()["code"]) == (409, "not-in-trash")
    rest = engineer.post(url(team, "restore"), {"all": True, "dataset": pets.pk}, "application/json")
    assert rest.json() == {"restored": 2}
    assert not pets.images.exclude(trashed_at=None).exists()
    assert api("labeller").post(url(team, "restore"), body, "application/json").status_code == 403


def test_a_whole_data_set_comes_back(team: Team, pets: Dataset, api: Program) -> None:
    trash_dataset(dataset=pets, user=team.people["owner"])
    answer = api("engineer").post(url(team, "restore"), {"datasets": [pets.pk]}, "application/json")
    assert answer.json() == {"restored": 1}
    assert api("viewer").get(f"/api/v1/datasets/{pets.pk}").status_code == 200


def test_all_or_nothing_where_a_name_was_taken_meanwhile(team: Team, pets: Dataset, api: Program) -> None:
    create_label(dataset=pets, name="mouse", user=None)
    answer = api("engineer").post(url(team, "restore"), {"all": True}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "label-exists")
    assert pets.images.exclude(trashed_at=None).count() == 2


@pytest.mark.parametrize("body", [{}, {"all": True, "images": [1]}, {"images": "x"}, {"labels": [None]}])
def test_a_request_that_says_nothing_or_two_things_is_refused(
    team: Team, api: Program, body: dict[str, Any]
) -> None:
    assert api("engineer").post(url(team, "restore"), body, "application/json").status_code == 422


def test_another_projects_trash_is_not_reached_by_number(team: Team, pets: Dataset, api: Program) -> None:
    image = pets.images.exclude(trashed_at=None).first()
    assert image
    strangers = f"/api/v1/projects/{team.other.pk}/trash/restore"
    answer = api("stranger").post(strangers, {"images": [image.pk]}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "not-in-trash")
    assert Image.objects.get(pk=image.pk).trashed_at


def test_a_release_first_says_size_and_versions_and_then_frees(
    team: Team, pets: Dataset, page: Callable[[str], Client], work: Work
) -> None:
    owner = page("owner")
    take_snapshot(dataset=pets, user=None)  # of the one that is left: no use of what lies in the trash
    body: dict[str, Any] = {"images": list(pets.images.exclude(trashed_at=None).values_list("pk", flat=True))}
    told = owner.post(url(team, "release"), body, "application/json")
    assert (told.status_code, told.json()) == (
        200,
        {"images": 2, "bytes": 2, "labels": 0, "datasets": [], "used_by": [], "job": None},
    )
    work()
    assert pets.images.count() == 3
    done = owner.post(url(team, "release"), body | {"confirm": True}, "application/json")
    assert done.status_code == 202
    assert done.json()["job"]
    work()
    assert pets.images.count() == 1


def test_a_release_names_the_versions_that_learned_from_it(team: Team, page: Callable[[str], Client]) -> None:
    dataset = make_dataset(team)
    make_images(dataset, 2, create_label(dataset=dataset, name="dog", user=None))
    snapshot = take_snapshot(dataset=dataset, user=None)
    version_of(team, snapshot.pk)
    trash_images(dataset=dataset, user=team.people["owner"], chosen=dataset.images.all())
    told = page("owner").post(url(team, "release"), {"all": True}, "application/json").json()
    assert [use["name"] for use in told["used_by"]] == ["Pets 3"]


def test_a_data_set_is_released_with_its_name(
    team: Team, pets: Dataset, page: Callable[[str], Client], work: Work
) -> None:
    trash_dataset(dataset=pets, user=team.people["owner"])
    owner, body = page("owner"), {"datasets": [pets.pk], "confirm": True}
    told = owner.post(url(team, "release"), body | {"confirm": False}, "application/json").json()
    assert (told["images"], told["datasets"]) == (3, ["Pets"])
    wrong = owner.post(url(team, "release"), body | {"name": "Pests"}, "application/json")
    assert (wrong.status_code, wrong.json()["code"]) == (409, "wrong-name")
    done = owner.post(url(team, "release"), body | {"name": "Pets"}, "application/json")
    assert done.status_code == 202
    work()
    assert not Dataset.objects.filter(pk=pets.pk).exists()


def test_no_token_releases_and_no_engineer(
    team: Team, pets: Dataset, api: Program, page: Callable[[str], Client]
) -> None:
    body = {"all": True, "confirm": True}
    assert api("owner").post(url(team, "release"), body, "application/json").status_code == 403
    assert page("engineer").post(url(team, "release"), body, "application/json").status_code == 403
    assert pets.images.count() == 3
