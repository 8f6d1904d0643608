"""The bench's pages and acts, without a browser."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from datasets.models import Dataset, Label
from datasets.tagging import tag_images, trash_images
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team

Page = Callable[[str], Client]


@pytest.fixture
def pets(team: Team) -> Dataset:
    """Five untagged pictures, and a label."""
    dataset = make_dataset(team)
    Label.objects.create(dataset=dataset, name="cat")
    make_images(dataset, 5)
    return dataset


def send(client: Client, url: str, body: Any, key: str = "") -> HttpResponse:
    """As the bench's script does."""
    headers = {"Accept": "application/json"} | ({"Idempotency-Key": key} if key else {})
    return client.post(url, json.dumps(body), content_type="application/json", headers=headers)  # type: ignore[return-value]


def ids(dataset: Dataset) -> list[int]:
    return list(dataset.images.order_by("pk").values_list("pk", flat=True))


def test_the_bench_opens_on_what_has_no_label(page: Page, pets: Dataset) -> None:
    answer = page("viewer").get(f"/datasets/{pets.pk}/")
    assert answer.status_code == 200
    assert answer.context["wanted"].state == "unlabelled"
    assert len(answer.context["images"]) == 5


def test_the_bench_shows_all_once_everything_has_a_label(page: Page, pets: Dataset) -> None:
    pets.images.update(label=pets.labels.get())
    assert page("viewer").get(f"/datasets/{pets.pk}/").context["wanted"].state == ""


def test_a_viewer_sees_no_control_that_changes_anything(page: Page, pets: Dataset) -> None:
    viewed = page("viewer").get(f"/datasets/{pets.pk}/").content.decode()
    tagged = page("labeller").get(f"/datasets/{pets.pk}/").content.decode()
    edited = page("engineer").get(f"/datasets/{pets.pk}/").content.decode()
    tick, bar, delete, add = "thumb-tick", "data-bar ", 'data-act="discard"', "label-add"
    assert [tick in viewed, bar in viewed, delete in viewed, add in viewed] == [False] * 4
    assert [tick in tagged, bar in tagged, delete in tagged, add in tagged] == [True, True, False, False]
    assert [tick in edited, bar in edited, delete in edited, add in edited] == [True] * 4


def test_the_grid_goes_on_by_its_key_without_gaps_or_repeats(page: Page, pets: Dataset) -> None:
    client, seen, cursor = page("viewer"), [], ""
    while cursor is not None:
        answer = client.get(f"/datasets/{pets.pk}/images/?state=all&limit=2&cursor={cursor}")
        seen += [image.pk for image in answer.context["images"]]
        cursor = answer.context["next"]
    assert seen == ids(pets)


@pytest.mark.parametrize("query", ["cursor=!!", "state=odd", "order=odd", "import=x"])
def test_a_filter_that_says_nothing_is_refused(page: Page, pets: Dataset, query: str) -> None:
    assert page("viewer").get(f"/datasets/{pets.pk}/images/?state=all&{query}").status_code in (400, 422)
    assert page("viewer").get(f"/datasets/{pets.pk}/?state=all&{query}").status_code == 302


def test_ids_are_tagged_and_the_answer_carries_fresh_counts(page: Page, pets: Dataset) -> None:
    body = {"images": ids(pets)[:2], "label": "cat", "view": "state=unlabelled"}
    answer = send(page("labeller"), f"/datasets/{pets.pk}/tag/", body).json()
    assert (answer["changed"], answer["message"]) == (2, "2 pictures tagged cat")
    counts = answer["counts"]
    assert (counts["total"], counts["unlabelled"], counts["labelled"], counts["matching"]) == (5, 3, 2, 3)
    assert counts["labels"] == {str(pets.labels.get().pk): 2}


def test_a_filter_is_tagged_without_naming_ids(page: Page, pets: Dataset) -> None:
    answer = send(
        page("labeller"), f"/datasets/{pets.pk}/tag/", {"filter": "state=unlabelled", "label": "cat"}
    )
    assert answer.json()["changed"] == 5


def test_the_same_act_sent_twice_happens_once(page: Page, pets: Dataset) -> None:
    client, body = page("labeller"), {"images": ids(pets)[:2], "label": "cat"}
    answers = [send(client, f"/datasets/{pets.pk}/tag/", body, key="one").json() for _ in range(2)]
    assert answers[0] == answers[1]
    assert pets.actions.count() == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"images": [], "label": "cat"}, 422),
        ({"images": ["x"], "label": "cat"}, 422),
        ({"images": [10**30], "label": "cat"}, 404),
        ({"filter": "state=odd", "label": "cat"}, 422),
        ({"filter": "", "label": "no such"}, 404),
        ({"filter": "", "label": 7}, 422),
        ({"again": 0}, 404),
        ([], 422),
    ],
)
def test_a_bad_act_is_refused_and_changes_nothing(page: Page, pets: Dataset, body: Any, status: int) -> None:
    assert send(page("labeller"), f"/datasets/{pets.pk}/tag/", body).status_code == status
    assert not pets.images.exclude(label=None).exists()


def test_a_body_that_is_not_json_is_refused(page: Page, pets: Dataset) -> None:
    answer = page("labeller").post(f"/datasets/{pets.pk}/tag/", "{", content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-act")


def test_a_labeller_cannot_make_a_label_by_tagging(page: Page, pets: Dataset) -> None:
    body = {"images": ids(pets), "label": "dog", "create": True}
    assert send(page("labeller"), f"/datasets/{pets.pk}/tag/", body).status_code == 403
    assert send(page("engineer"), f"/datasets/{pets.pk}/tag/", body).json()["labels_changed"] is True


def test_undo_gives_back_and_again_repeats_exactly_that(page: Page, pets: Dataset, team: Team) -> None:
    client, first = page("labeller"), ids(pets)[:2]
    action = send(client, f"/datasets/{pets.pk}/tag/", {"images": first, "label": "cat"}).json()["action"]
    undone = send(client, f"/datasets/{pets.pk}/undo/", {"action": action}).json()
    assert undone["message"] == "Undone for 2 pictures."
    again = send(client, f"/datasets/{pets.pk}/tag/", {"again": action}).json()
    assert again["changed"] == 2
    assert set(pets.images.exclude(label=None).values_list("pk", flat=True)) == set(first)


def test_a_labeller_undoes_their_own_acts_alone(page: Page, pets: Dataset, team: Team) -> None:
    action = tag_images(
        dataset=pets, user=team.people["owner"], chosen=pets.images.all(), label=pets.labels.get()
    )
    assert send(page("labeller"), f"/datasets/{pets.pk}/undo/", {"action": action.pk}).status_code == 403
    assert send(page("engineer"), f"/datasets/{pets.pk}/undo/", {"action": action.pk}).json()["changed"] == 5


def test_an_engineer_deletes_pictures_into_the_trash(page: Page, pets: Dataset) -> None:
    body = {"images": ids(pets)[:2]}
    assert send(page("labeller"), f"/datasets/{pets.pk}/discard/", body).status_code == 403
    assert send(page("engineer"), f"/datasets/{pets.pk}/discard/", body).json()["changed"] == 2
    assert pets.images.live().count() == 3


def test_the_plain_form_tags_and_returns_to_where_it_was(page: Page, pets: Dataset) -> None:
    form = {"images": ids(pets)[:1], "label": "cat", "view": "state=unlabelled"}
    answer = page("labeller").post(f"/datasets/{pets.pk}/tag/", form, follow=True)
    assert answer.redirect_chain == [(f"/datasets/{pets.pk}/?state=unlabelled", 302)]
    assert [str(message) for message in answer.context["messages"]] == ["1 picture tagged cat"]


def test_the_plain_form_without_a_picture_says_so(page: Page, pets: Dataset) -> None:
    answer = page("labeller").post(f"/datasets/{pets.pk}/tag/", {"label": "cat"}, follow=True)
    assert [str(message) for message in answer.context["messages"]] == ["No picture was chosen."]


def test_the_list_of_changes_undoes_without_scripts(page: Page, pets: Dataset, team: Team) -> None:
    action = trash_images(dataset=pets, user=team.people["engineer"], chosen=pets.images.all())
    client = page("engineer")
    assert "5 pictures in the trash now" in client.get(f"/datasets/{pets.pk}/changes/").text
    answer = client.post(f"/datasets/{pets.pk}/undo/", {"action": action.pk, "back": "changes"})
    assert answer.headers["Location"] == f"/datasets/{pets.pk}/changes/"
    assert pets.images.live().count() == 5
    assert "The trash is empty" in client.get(f"/datasets/{pets.pk}/trash/").text


def test_labels_are_added_renamed_and_deleted_with_their_pictures_moved(page: Page, pets: Dataset) -> None:
    client, cat = page("engineer"), pets.labels.get()
    client.post(f"/datasets/{pets.pk}/labels/add/", {"name": "dog"})
    dog = pets.labels.get(name="dog")
    pets.images.update(label=cat)
    assert "It has 5 pictures" in client.get(f"/datasets/{pets.pk}/labels/{cat.pk}/").content.decode()
    client.post(f"/datasets/{pets.pk}/labels/{cat.pk}/change/", {"name": "猫"})
    assert pets.labels.filter(name="猫").exists()
    send(client, f"/datasets/{pets.pk}/labels/{cat.pk}/delete/", {"move_to": dog.pk})
    assert (pets.labels.count(), pets.images.filter(label=dog).count()) == (1, 5)


@pytest.mark.parametrize("name", ["", "a/b", "x" * 65, "cat"])
def test_a_bad_label_name_is_told(page: Page, pets: Dataset, name: str) -> None:
    answer = page("engineer").post(f"/datasets/{pets.pk}/labels/add/", {"name": name}, follow=True)
    assert len(list(answer.context["messages"])) == 1
    assert pets.labels.count() == 1


def test_a_labeller_cannot_touch_labels(page: Page, pets: Dataset) -> None:
    client, cat = page("labeller"), pets.labels.get()
    assert client.post(f"/datasets/{pets.pk}/labels/add/", {"name": "dog"}).status_code == 403
    assert client.get(f"/datasets/{pets.pk}/labels/{cat.pk}/").status_code == 403
    assert client.post(f"/datasets/{pets.pk}/labels/{cat.pk}/delete/", {}).status_code == 403


GETS = ["", "images/", "labels/", "changes/", "trash/", "settings/", "import/"]
POSTS = ["tag/", "discard/", "undo/", "labels/add/", "settings/trash/", "restore/"]


@pytest.mark.parametrize("path", GETS + POSTS)
def test_a_stranger_gets_404(page: Page, pets: Dataset, path: str) -> None:
    client = page("stranger")
    answer = (client.get if path in GETS else client.post)(f"/datasets/{pets.pk}/{path}")
    assert answer.status_code == 404


@pytest.mark.parametrize("path", POSTS)
def test_an_act_by_get_is_refused(page: Page, pets: Dataset, path: str) -> None:
    assert page("owner").get(f"/datasets/{pets.pk}/{path}").status_code == 405


@pytest.mark.parametrize("path", ["", "images/", "labels/", "changes/", "trash/"])
def test_a_page_by_post_is_refused(page: Page, pets: Dataset, path: str) -> None:
    assert page("owner").post(f"/datasets/{pets.pk}/{path}").status_code == 405


@pytest.mark.parametrize("path", [*POSTS[:-1], "settings/", "import/"])
def test_a_viewer_may_change_nothing(page: Page, pets: Dataset, path: str) -> None:
    assert page("viewer").post(f"/datasets/{pets.pk}/{path}").status_code == 403


def test_somebody_signed_out_is_asked_to_sign_in(client: Client, pets: Dataset) -> None:
    answer = client.post(f"/datasets/{pets.pk}/tag/", "{}", content_type="application/json")
    assert answer.status_code == 302 and "/accounts/login/" in answer.headers["Location"]


@pytest.mark.parametrize("wanted", [{"state": "unlabelled"}, ["x"], 3, None, "garbage"])
def test_what_is_no_filter_never_means_every_picture(page: Page, pets: Dataset, wanted: Any) -> None:
    answer = send(page("labeller"), f"/datasets/{pets.pk}/tag/", {"filter": wanted, "label": "cat"})
    assert answer.status_code == 422
    assert not pets.images.filter(label__name="cat").exists()
