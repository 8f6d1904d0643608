"""Splits as the import wished: what was wished for testing is held back, and nothing that looks like it is learned."""

import dataclasses
import random
from collections import Counter
from collections.abc import Callable

import pytest
from django.test import Client

from datasets.models import Dataset, Image
from datasets.snapshots import Row, rows_of, take_snapshot
from tests.factories import Team
from tests.training.makers import model_of, tagged
from training import manifest
from training.models import ModelVersion
from training.preview import split_preview
from training.splitting import HELD_BACK, TRAIN, VALIDATION, split_as_wished


def rows(wishes: dict[str, int], seed: int = 1) -> list[Row]:
    """Pictures that look like nothing else, under these wishes."""
    chance = random.Random(seed)
    return [
        Row(
            at,
            f"{at}.jpg",
            f"{chance.getrandbits(256):064x}",
            "k",
            "a",
            chance.getrandbits(63),
            1,
            at * 10,
            wish,
        )
        for at, wish in enumerate(wish for wish, count in wishes.items() for _ in range(count))
    ]


def parts(pictures: list[Row]) -> dict[str, Counter[str]]:
    """Where the pictures of each wish went."""
    found: dict[str, Counter[str]] = {row.split: Counter() for row in pictures}
    for row, place in zip(pictures, split_as_wished("a", pictures), strict=True):
        found[row.split][place.part] += 1
    return found


def wish(dataset: Dataset, **wishes: int) -> None:
    """Of each label, so many pictures get these wishes; the others none."""
    for label in dataset.labels.all():
        pks = iter(list(label.images.order_by("id").values_list("pk", flat=True)))
        for name, count in wishes.items():
            Image.objects.filter(pk__in=[next(pks) for _ in range(count)]).update(split=name)


def test_pictures_go_where_the_import_wished_them() -> None:
    found = parts(rows({"train": 30, "validation": 6, "test": 9}))
    assert found == {
        "train": {TRAIN: 30},
        "validation": {VALIDATION: 6},
        "test": {HELD_BACK: 9},
    }


def test_without_a_wish_for_validation_some_of_the_rest_is_chosen_by() -> None:
    found = parts(rows({"train": 30, "": 10, "test": 9}))
    assert found["test"] == {HELD_BACK: 9}
    assert found["train"][VALIDATION] + found[""][VALIDATION] == 4
    assert found["train"][HELD_BACK] + found[""][HELD_BACK] == 0


def test_with_nothing_but_validation_and_test_there_is_still_something_to_learn_from() -> None:
    found = parts(rows({"validation": 10, "test": 5}))
    assert found == {"validation": {TRAIN: 9, VALIDATION: 1}, "test": {HELD_BACK: 5}}


def test_what_looks_like_a_test_picture_is_held_back_with_it() -> None:
    pictures = rows({"train": 30, "test": 9})
    copies = [
        dataclasses.replace(row, sha256=f"{at:064x}", split="train", image=100 + at)
        for at, row in enumerate(pictures[30:33])
    ]
    places = split_as_wished("a", pictures + copies)
    assert [place.part for place in places[-3:]] == [HELD_BACK] * 3
    assert Counter(place.part for place in places)[HELD_BACK] == 12


def test_a_burst_with_two_wishes_is_never_torn() -> None:
    pictures = rows({"train": 40, "test": 10})
    burst = [dataclasses.replace(row, group="burst") for row in (*pictures[:2], pictures[-1])]
    places = split_as_wished("a", [*burst, *pictures[2:-1]])
    assert {place.part for place in places[:3]} == {HELD_BACK}


def test_the_order_of_the_pictures_changes_nothing() -> None:
    pictures = rows({"train": 30, "": 10, "test": 9})
    turned = pictures[::-1]
    one = {
        row.sha256: place.part for row, place in zip(pictures, split_as_wished("a", pictures), strict=True)
    }
    other = {row.sha256: place.part for row, place in zip(turned, split_as_wished("a", turned), strict=True)}
    assert one == other


def test_a_snapshot_keeps_wishes_and_content_without_them_keeps_its_hash(team: Team) -> None:
    dataset = tagged(team.project, {"red": 6, "blue": 6})
    plain = take_snapshot(dataset=dataset, user=None)
    assert {row.split for row in rows_of(plain)} == {""}
    wish(dataset, test=2)
    wished = take_snapshot(dataset=dataset, user=None)
    assert Counter(row.split for row in rows_of(wished)) == {"": 8, "test": 4}
    assert wished.content_hash != plain.content_hash
    Image.objects.update(split="")
    assert take_snapshot(dataset=dataset, user=None) == plain


def test_a_manifest_as_wished_counts_what_it_held_back(team: Team) -> None:
    dataset = tagged(team.project, {"red": 8, "blue": 8})
    wish(dataset, test=3)
    snapshot = take_snapshot(dataset=dataset, user=None)
    own = manifest.build([snapshot], ["red", "blue"])
    wished = manifest.build([snapshot], ["red", "blue"], split="wishes")
    held_back = {entry.image for entry in wished.part(HELD_BACK)}
    assert held_back == set(Image.objects.filter(split="test").values_list("pk", flat=True))
    assert wished.wishes == {"held_back": 6, "alike": 0} and own.wishes == {}
    assert wished.content_hash != own.content_hash
    assert manifest.load(manifest.save(wished)) == wished


@pytest.mark.parametrize(
    ("wishes", "asked", "by"),
    [
        ({"test": 1}, "", "wishes"),
        ({"test": 1}, "own", "own"),
        ({"test": 3}, "", "own"),  # three of six: less than four are left
        ({"train": 5}, "", "own"),
        ({}, "", "own"),
    ],
)
def test_wishes_count_by_themselves_where_each_label_has_enough(
    team: Team, wishes: dict[str, int], asked: str, by: str
) -> None:
    dataset = tagged(team.project, {"red": 6, "blue": 6})
    wish(dataset, **wishes)
    found = split_preview(chosen=[(dataset, ["red", "blue"])], minimum=5, split=asked)
    assert found.by == by
    if by == "wishes":
        assert found.total == (8, 2, 2)


def test_a_training_says_whose_split_it_has_and_refuses_one_that_cannot_be(
    team: Team, api: Callable[..., Client]
) -> None:
    dataset, model = tagged(team.project, {"red": 6, "blue": 6}), model_of(team.project)
    wish(dataset, test=2)
    url, engineer = f"/api/v1/models/{model.pk}/versions", api("engineer")
    body = {
        "applications": ["cloud-general"], "optimise_for": "top1", "max_minutes": 1,
        "data": [{"dataset": dataset.pk, "labels": "all"}],
    }  # fmt: skip

    def ask(**options: str) -> tuple[int, dict[str, object]]:
        answer = engineer.post(url, body | {"options": options}, "application/json")
        return answer.status_code, answer.json() if answer.status_code != 202 else {}

    assert ask()[0] == 202
    made = ModelVersion.objects.get()
    assert made.options["split"] == "wishes"
    assert made.split_counts["red"] == {"train": 3, "validation": 1, "held_back": 2}
    assert ask(split="own")[0] == 202
    assert ModelVersion.objects.order_by("-id")[0].options["split"] == "own"
    assert ask(split="mine")[1]["detail"] == "“split” is “wishes” or “own”."
    Image.objects.filter(label__name="red").update(split="")
    status, problem = ask(split="wishes")
    assert (status, problem["code"]) == (422, "too-few-pictures") and "red" in str(problem["detail"])


def test_the_train_page_shows_what_the_import_wished(team: Team, page: Callable[[str], Client]) -> None:
    dataset = tagged(team.project, {"red": 6, "blue": 6})
    wish(dataset, test=2)
    url = f"/projects/{team.project.pk}/train/?dataset={dataset.pk}"
    assert "As the import wished: 4 held back" in page("engineer").get(url).content.decode()
    assert "As the import wished: 4" not in page("engineer").get(f"{url}&split=own").content.decode()
