"""A label's colour, key, place, description, examples and archive."""

from collections.abc import Callable

import pytest
from django.test import Client

from datasets.label_changes import MOST_EXAMPLES, TooManyExamples, Wish, change_label, show_example
from datasets.label_looks import PALETTE, RESERVED, BadColour, BadKey, keys_of, place_of
from datasets.labels import create_label, delete_label, merge_labels
from datasets.models import Dataset, Label
from datasets.tagging import LabelArchived, tag_images, undo
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team
from web.sentences import Conflict


@pytest.fixture
def pets(team: Team) -> Dataset:
    """Cats, dogs, mice."""
    dataset = make_dataset(team)
    for name in ("cat", "dog", "mouse"):
        create_label(dataset=dataset, name=name, user=None)
    return dataset


def change(dataset: Dataset, name: str, team: Team, **wish: object) -> Label:
    """As an engineer does."""
    label = dataset.labels.get(name=name)
    return change_label(label=label, user=team.people["engineer"], wish=Wish(**wish))  # type: ignore[arg-type]


def keys(dataset: Dataset) -> dict[str, str]:
    """Each label's key."""
    found = keys_of(dataset.labels.all())
    return {label.name: found[label.pk] for label in dataset.labels.all()}


def test_labels_take_the_colour_that_is_used_least_and_keep_it_wherever_they_move(
    team: Team, pets: Dataset
) -> None:
    change(pets, "cat", team, colour=PALETTE[1])
    assert create_label(dataset=pets, name="owl", user=None).colour == PALETTE[0]
    change(pets, "owl", team, position=0)
    assert place_of(pets.labels.get(name="owl")) == 0


def test_a_colour_outside_the_palette_is_refused(team: Team, pets: Dataset) -> None:
    with pytest.raises(BadColour):
        change(pets, "cat", team, colour="#ffffff")


def test_keys_follow_the_order_until_somebody_chooses(team: Team, pets: Dataset) -> None:
    assert keys(pets) == {"cat": "1", "dog": "2", "mouse": "3"}
    change(pets, "mouse", team, key="m")
    change(pets, "mouse", team, position=0)
    assert keys(pets) == {"mouse": "m", "cat": "1", "dog": "2"}


def test_a_key_that_is_taken_is_exchanged(team: Team, pets: Dataset) -> None:
    change(pets, "dog", team, key="1")
    assert keys(pets) == {"cat": "2", "dog": "1", "mouse": "3"}
    change(pets, "mouse", team, key="1")
    assert keys(pets) == {"cat": "2", "dog": "3", "mouse": "1"}
    change(pets, "mouse", team, key="")
    assert keys(pets)["mouse"] == "1"


@pytest.mark.parametrize("key", [*RESERVED, "?", " x y", "12", "é", "/"])
def test_keys_that_the_bench_uses_itself_are_refused(team: Team, pets: Dataset, key: str) -> None:
    with pytest.raises(BadKey):
        change(pets, "cat", team, key=key)


def test_moving_a_label_leaves_no_gap_and_no_tie(team: Team, pets: Dataset) -> None:
    change(pets, "mouse", team, position=1)
    assert [label.name for label in pets.labels.all()] == ["cat", "mouse", "dog"]
    change(pets, "cat", team, position=99)
    assert [(label.name, label.position) for label in pets.labels.all()] == [
        ("mouse", 0), ("dog", 1), ("cat", 2)
    ]  # fmt: skip


def test_an_archived_label_keeps_its_pictures_but_gets_no_more_and_has_no_key(
    team: Team, pets: Dataset
) -> None:
    dog = pets.labels.get(name="dog")
    make_images(pets, 2, dog)
    make_images(pets, 1)
    change(pets, "dog", team, archived=True)
    assert pets.images.filter(label=dog).count() == 2
    assert "dog" not in [label.name for label in pets.labels.all() if label.pk in keys_of(pets.labels.all())]
    with pytest.raises(LabelArchived):
        tag_images(dataset=pets, user=team.people["labeller"], chosen=pets.images.all(), label=dog)
    change(pets, "dog", team, archived=False)
    assert (
        tag_images(dataset=pets, user=team.people["labeller"], chosen=pets.images.all(), label=dog).changed
        == 1
    )


def test_an_empty_label_that_was_deleted_comes_back_with_the_undo(team: Team, pets: Dataset) -> None:
    action = delete_label(label=pets.labels.get(name="dog"), user=team.people["engineer"])
    assert not pets.labels.filter(name="dog").exists()
    undo(action=action, user=team.people["engineer"])
    assert pets.labels.filter(name="dog").exists()


def test_a_merge_is_undone_with_label_and_pictures(team: Team, pets: Dataset) -> None:
    cat, dog = pets.labels.get(name="cat"), pets.labels.get(name="dog")
    make_images(pets, 2, dog)
    action = merge_labels(label=dog, into=cat, user=team.people["engineer"])
    assert undo(action=action, user=team.people["engineer"]).changed == 2
    assert pets.images.filter(label__name="dog").count() == 2


def test_a_label_shows_at_most_six_examples_of_its_own_data_set(team: Team, pets: Dataset) -> None:
    cat = pets.labels.get(name="cat")
    images = make_images(pets, MOST_EXAMPLES + 1, cat)
    for image in images[:MOST_EXAMPLES]:
        show_example(label=cat, image=image, shown=True)
    show_example(label=cat, image=images[0], shown=True)
    with pytest.raises(TooManyExamples):
        show_example(label=cat, image=images[-1], shown=True)
    (foreign,) = make_images(make_dataset(team, "Other"), 1)
    with pytest.raises(Conflict):
        show_example(label=cat, image=foreign, shown=True)


def test_the_api_changes_all_of_it_or_nothing(api: Callable[..., Client], pets: Dataset) -> None:
    cat = pets.labels.get(name="cat")
    address = f"/api/v1/datasets/{pets.pk}/labels/{cat.pk}"
    wish = {
        "name": "猫",
        "colour": PALETTE[5],
        "key": "c",
        "description": "Sits.",
        "position": 2,
        "archived": True,
    }
    answer = api("engineer").patch(address, wish, content_type="application/json")
    assert answer.status_code == 200
    assert answer.json() | {"id": 0, "images": 0, "examples": []} == wish | {
        "id": 0, "images": 0, "examples": [], "key": None, "role": None
    }  # fmt: skip
    bad = api("engineer").patch(address, {"name": "Katze", "key": "s"}, content_type="application/json")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad-key")
    assert pets.labels.get(pk=cat.pk).name == "猫"
    assert api("labeller").patch(address, {"name": "x"}, content_type="application/json").status_code == 403


def test_the_label_s_page_saves_and_says_what_was_refused(
    page: Callable[[str], Client], pets: Dataset
) -> None:
    cat = pets.labels.get(name="cat")
    address = f"/datasets/{pets.pk}/labels/{cat.pk}/"
    shown = page("engineer").get(address)
    assert shown.status_code == 200 and "Two labels exchange their keys" in shown.text
    sent = {"name": "kitten", "colour": PALETTE[3], "key": "k", "description": "Small."}
    assert page("engineer").post(f"{address}change/", sent).status_code == 302
    cat.refresh_from_db()
    assert (cat.name, cat.colour, cat.chosen_key, cat.description) == ("kitten", PALETTE[3], "k", "Small.")
    refused = page("engineer").post(f"{address}change/", {"key": "s"}, follow=True)
    assert "does something else on the bench" in refused.text
    assert page("engineer").get(f"{address}change/").status_code == 405
    assert page("stranger").post(f"{address}change/", sent).status_code == 404
    assert page("labeller").post(f"{address}change/", sent).status_code == 403


def test_a_picture_is_made_an_example_from_its_page(page: Callable[[str], Client], pets: Dataset) -> None:
    cat = pets.labels.get(name="cat")
    (image,) = make_images(pets, 1, cat)
    assert "Use as example of cat" in page("engineer").get(f"/images/{image.pk}/").text
    address = f"/datasets/{pets.pk}/labels/{cat.pk}/example/"
    assert (
        page("engineer").post(address, {"image": image.pk, "next": f"/images/{image.pk}/"}).status_code == 302
    )
    assert list(cat.examples.all()) == [image]
    assert "No longer an example" in page("engineer").get(f"/images/{image.pk}/").text
    assert page("engineer").post(address, {"image": image.pk, "remove": "1"}).status_code == 302
    assert not cat.examples.exists()
    assert page("engineer").post(address, {"image": "nonsense"}).status_code == 404
    away = page("engineer").post(address, {"image": image.pk, "next": "https://elsewhere.example/"})
    assert away["Location"].startswith("/datasets/")


def test_archived_labels_stand_apart_in_the_column(
    page: Callable[[str], Client], team: Team, pets: Dataset
) -> None:
    make_images(pets, 1, pets.labels.get(name="dog"))
    change(pets, "dog", team, archived=True)
    text = page("labeller").get(f"/datasets/{pets.pk}/?state=all").text
    assert 'class="label-archived"' in text and 'data-name="dog"' not in text


def test_when_a_label_goes_the_others_keep_their_keys(team: Team) -> None:
    dataset, user = make_dataset(team), team.people["engineer"]
    for position, name in enumerate("abcd"):
        dataset.labels.create(name=name, position=position)

    def keys() -> dict[str, str]:
        found = list(dataset.labels.all())
        return {label.name: keys_of(found).get(label.pk, "") for label in found}

    removal = delete_label(label=dataset.labels.get(name="b"), user=user)
    assert keys() == {"a": "1", "c": "3", "d": "4"}
    change_label(label=dataset.labels.get(name="c"), user=user, wish=Wish(archived=True))
    assert keys() == {"a": "1", "c": "", "d": "4"}
    undo(action=removal, user=user)
    change_label(label=dataset.labels.get(name="c"), user=user, wish=Wish(archived=False))
    assert keys() == {"a": "1", "b": "2", "c": "3", "d": "4"}
