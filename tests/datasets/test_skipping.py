"""“Not sure”: for everybody, out of the way, undone exactly, cleared by a label."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from datasets.counts import counts_of
from datasets.history import history_of
from datasets.models import ActionKind, Dataset, Image, Label, Suggestion
from datasets.skipping import skip_images, unskip_images
from datasets.suggestions import accept
from datasets.tagging import given_back, tag_images, undo
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team

JSON = "application/json"


@pytest.fixture
def dataset(team: Team) -> Dataset:
    made = make_dataset(team)
    make_images(made, 6)
    return made


@pytest.fixture
def cat(dataset: Dataset) -> Label:
    return dataset.labels.create(name="cat")


def state(dataset: Dataset) -> list[Any]:
    return list(dataset.images.order_by("pk").values_list("pk", "label", "skipped_at", "last_action"))


def some(dataset: Dataset, count: int) -> Any:
    return dataset.images.filter(pk__in=dataset.images.order_by("pk").values("pk")[:count])


def test_skipped_pictures_leave_the_unlabelled_ones_and_come_back_by_undo(
    team: Team, dataset: Dataset
) -> None:
    before = state(dataset)
    action = skip_images(dataset=dataset, user=team.people["labeller"], chosen=some(dataset, 2))
    assert (action.changed, action.kind) == (2, ActionKind.SKIP)
    found = counts_of(dataset)
    assert (found.unlabelled, found.skipped, found.labelled) == (4, 2, 0)
    first = dataset.images.order_by("pk").first()
    assert first is not None and history_of(first)[0].action.created_by == team.people["labeller"]
    undo(action=action, user=team.people["labeller"])
    assert state(dataset) == before


def test_a_label_clears_the_mark_and_its_undo_brings_it_back(
    team: Team, dataset: Dataset, cat: Label
) -> None:
    person = team.people["labeller"]
    skip_images(dataset=dataset, user=person, chosen=some(dataset, 3))
    marked = state(dataset)
    action = tag_images(dataset=dataset, user=person, chosen=some(dataset, 2), label=cat)
    assert counts_of(dataset).skipped == 1
    assert not dataset.images.filter(label=cat).exclude(skipped_at=None).exists()
    undo(action=action, user=person)
    assert state(dataset) == marked


def test_labelled_and_marked_ones_stay_as_they_are(team: Team, dataset: Dataset, cat: Label) -> None:
    person = team.people["labeller"]
    tag_images(dataset=dataset, user=person, chosen=some(dataset, 2), label=cat)
    skip_images(dataset=dataset, user=person, chosen=some(dataset, 3))
    before = state(dataset)
    assert skip_images(dataset=dataset, user=person, chosen=some(dataset, 3)).changed == 0
    assert state(dataset) == before
    assert unskip_images(dataset=dataset, user=person, chosen=dataset.images.all()).changed == 1
    assert counts_of(dataset).skipped == 0


def test_nothing_is_suggested_for_what_is_skipped(team: Team, dataset: Dataset, cat: Label) -> None:
    for image in dataset.images.all():
        Suggestion.objects.create(dataset=dataset, image=image, label=cat, confidence=0.9, source="test")
    person = team.people["labeller"]
    skip_images(dataset=dataset, user=person, chosen=some(dataset, 2))
    assert counts_of(dataset).suggested == 4
    assert accept(dataset=dataset, user=person, chosen=dataset.images.all()).changed == 4


def test_the_api_skips_and_takes_the_mark_away(
    team: Team, dataset: Dataset, api: Callable[..., Client]
) -> None:
    path = f"/api/v1/datasets/{dataset.pk}"
    ids = list(dataset.images.order_by("pk").values_list("pk", flat=True))
    done = api("labeller").post(f"{path}/skip", {"images": ids[:2]}, content_type=JSON)
    assert (done.status_code, done.json()["changed"]) == (200, 2)
    listed = api("viewer").get(f"{path}/images?state=skipped").json()["items"]
    assert [(item["id"], item["skipped"]) for item in listed] == [(ids[0], True), (ids[1], True)]
    back = api("labeller").post(f"{path}/skip", {"images": ids[:1], "skipped": False}, content_type=JSON)
    assert back.json()["changed"] == 1
    undone = api("labeller").post(f"{path}/tag-actions/{done.json()['action']}/undo")
    assert undone.json() == {"changed": 1, "skipped": 1}
    assert api("viewer").post(f"{path}/skip", {"images": ids}, content_type=JSON).status_code == 403
    assert api("stranger").post(f"{path}/skip", {"images": ids}, content_type=JSON).status_code == 404
    assert api("labeller").post(f"{path}/skip", {"skipped": True}, content_type=JSON).status_code == 422


def test_the_bench_skips_undoes_and_does_it_again(
    team: Team, dataset: Dataset, page: Callable[[str], Client]
) -> None:
    client, path = page("labeller"), f"/datasets/{dataset.pk}"
    ids = list(dataset.images.order_by("pk").values_list("pk", flat=True))
    done = client.post(f"{path}/skip/", {"images": ids[:3]}, content_type=JSON).json()
    assert done["message"] == "3 pictures marked as not sure" and done["counts"]["skipped"] == 3
    client.post(f"{path}/undo/", {"action": done["action"]}, content_type=JSON)
    again = client.post(f"{path}/tag/", {"again": done["action"]}, content_type=JSON).json()
    assert again["changed"] == 3 and counts_of(dataset).skipped == 3
    back = client.post(f"{path}/skip/", {"images": ids[:1], "unskip": True}, content_type=JSON).json()
    assert back["message"] == "1 picture waits again"
    by_form = client.post(f"{path}/skip/", {"images": ids[3:4]}, follow=True)
    assert "1 picture marked as not sure" in by_form.text
    assert client.get(f"{path}/skip/").status_code == 405
    assert page("stranger").post(f"{path}/skip/", {"images": ids}, content_type=JSON).status_code == 404
    assert page("viewer").post(f"{path}/skip/", {"images": ids}, content_type=JSON).status_code == 403
    assert client.post(f"{path}/skip/", {"images": []}, content_type=JSON).status_code == 422


def test_doing_it_again_leaves_alone_what_somebody_changed_since(
    team: Team, dataset: Dataset, cat: Label
) -> None:
    person = team.people["labeller"]
    dog = dataset.labels.create(name="dog")
    action = tag_images(dataset=dataset, user=person, chosen=dataset.images.all(), label=cat)
    theirs = some(dataset, 2)
    tag_images(dataset=dataset, user=team.people["owner"], chosen=theirs, label=dog)
    undo(action=action, user=person)
    assert given_back(action).count() == 4
    again = tag_images(dataset=dataset, user=person, chosen=given_back(action), label=cat)
    assert again.changed == 4
    assert set(Image.objects.filter(label=dog).values_list("pk")) == set(theirs.values_list("pk"))
