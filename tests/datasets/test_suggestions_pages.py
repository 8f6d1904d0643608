"""The tab “To confirm”, without a browser."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from datasets.models import Dataset, Label
from datasets.suggestions import WEAK, Proposal, store
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team

Page = Callable[[str], Client]


@pytest.fixture
def pets(team: Team) -> Dataset:
    """Five untagged pictures; for four a label is suggested."""
    dataset = make_dataset(team)
    for position, name in enumerate(["cat", "dog"]):
        Label.objects.create(dataset=dataset, name=name, position=position)
    images = make_images(dataset, 5)
    rows = [("cat", 0.999), ("cat", 0.92), ("dog", 0.61), ("dog", 0.4)]
    found = [Proposal(image.pk, *row) for image, row in zip(images, rows, strict=False)]
    store(dataset=dataset, source=WEAK, rows=found)
    return dataset


def send(client: Client, dataset: Dataset, body: Any) -> HttpResponse:
    """As the bench's script does."""
    headers = {"Accept": "application/json"}
    return client.post(  # type: ignore[return-value]
        f"/datasets/{dataset.pk}/accept/", json.dumps(body), content_type="application/json", headers=headers
    )


def test_the_tab_shows_suggestions_surest_first_with_their_worth(page: Page, pets: Dataset) -> None:
    answer = page("labeller").get(f"/datasets/{pets.pk}/?state=suggested")
    assert [image.suggestion.confidence for image in answer.context["images"]] == [0.999, 0.92, 0.61, 0.4]
    shown = answer.content.decode()
    assert shown.count("is-suggested") == 4 and ">99%<" in shown and ">100%<" not in shown
    assert "2 at least 90% sure" in shown and "These suggestions are weak" in shown
    assert 'data-count="suggested">4<' in shown


def test_doubt_comes_first_where_that_is_asked_for(page: Page, pets: Dataset) -> None:
    answer = page("viewer").get(f"/datasets/{pets.pk}/?state=suggested&order=confidence&limit=3")
    assert [image.suggestion.confidence for image in answer.context["images"]] == [0.4, 0.61, 0.92]
    assert "data-accept-sure" not in answer.content.decode(), "a viewer accepts nothing"
    rest = page("viewer").get(
        f"/datasets/{pets.pk}/images/?state=suggested&order=confidence&cursor={answer.context['next']}"
    )
    assert [image.suggestion.confidence for image in rest.context["images"]] == [0.999]


def test_one_suggested_label_can_be_looked_at_alone(page: Page, pets: Dataset) -> None:
    answer = page("labeller").get(f"/datasets/{pets.pk}/?state=suggested&label=dog")
    assert [image.suggestion.label.name for image in answer.context["images"]] == ["dog", "dog"]
    assert [(name, count, active) for name, count, _, active in answer.context["kinds"]] == [
        ("cat", 2, False),
        ("dog", 2, True),
    ]
    assert answer.context["steps"] == [("0.50", 50, 1)], "how sure these are, not all"
    view = "state=suggested&label=dog"
    told = send(page("labeller"), pets, {"filter": view, "at_least": 0.5, "view": view})
    assert told.json()["changed"] == 1  # type: ignore[attr-defined]


def test_an_empty_tab_says_when_suggestions_come(page: Page, pets: Dataset) -> None:
    pets.suggestions.all().delete()
    shown = page("viewer").get(f"/datasets/{pets.pk}/?state=suggested").content.decode()
    assert "As soon as two labels have 5 pictures each" in shown


def test_the_sure_ones_are_accepted_at_once_undone_and_accepted_again(page: Page, pets: Dataset) -> None:
    client = page("labeller")
    answer = send(client, pets, {"filter": "state=suggested", "at_least": 0.9, "view": "state=suggested"})
    assert answer.status_code == 200
    told = answer.json()  # type: ignore[attr-defined]
    assert told["changed"] == 2 and told["message"] == "2 suggestions accepted"
    assert (told["counts"]["suggested"], told["counts"]["matching"]) == (2, 2)
    undone = client.post(
        f"/datasets/{pets.pk}/undo/", json.dumps({"action": told["action"]}), content_type="application/json"
    )
    assert undone.json()["changed"] == 2 and not pets.images.exclude(label=None).exists()
    again = client.post(
        f"/datasets/{pets.pk}/tag/", json.dumps({"again": told["action"]}), content_type="application/json"
    )
    assert again.json()["changed"] == 2 and pets.images.filter(label__name="cat").count() == 2
    history = client.get(f"/images/{pets.images.order_by('pk')[0].pk}/").content.decode()
    assert "Tagged cat, as suggested" in history


def test_the_line_follows_and_works_without_scripts(page: Page, pets: Dataset) -> None:
    client = page("labeller")
    sent = {"all": "1", "filter": "state=suggested", "view": "state=suggested", "at_least": "0.50"}
    answer = client.post(f"/datasets/{pets.pk}/accept/", sent)
    assert answer.status_code == 302 and answer["Location"].endswith("?state=suggested")
    assert pets.images.exclude(label=None).count() == 3
    line = client.get(f"/datasets/{pets.pk}/suggestions/").content.decode()
    assert "So far 100% of 3 suggestions were right." in line and "<html" not in line


def test_bad_input_wrong_methods_and_strangers_are_refused(page: Page, pets: Dataset) -> None:
    labeller, address = page("labeller"), f"/datasets/{pets.pk}"
    assert send(labeller, pets, {"filter": "state=suggested", "at_least": "much"}).status_code == 422
    assert send(labeller, pets, {"filter": "state=suggested", "at_least": 1.5}).status_code == 422
    assert send(labeller, pets, {}).status_code == 422
    assert labeller.get(f"{address}/accept/").status_code == 405
    assert labeller.post(f"{address}/suggestions/").status_code == 405
    assert labeller.get(f"{address}/suggestions/?order=odd").status_code == 422
    assert labeller.get(f"{address}/images/?state=labelled&order=confidence").status_code == 422
    assert send(page("viewer"), pets, {"filter": "state=suggested"}).status_code == 403
    assert send(page("stranger"), pets, {"filter": "state=suggested"}).status_code == 404
    assert page("stranger").get(f"{address}/suggestions/").status_code == 404
