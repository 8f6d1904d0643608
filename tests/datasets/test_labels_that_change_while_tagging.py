"""Labels and pictures that are renamed, archived, merged or deleted under the hands of who tags: nothing is silent."""

import json
import os
import random
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from datasets.labels import create_label, delete_label, merge_labels, rename_label
from datasets.models import Dataset, Label, TagAction
from datasets.tagging import restore_images, trash_images, undo
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team

LONG = os.environ.get("TAXON_FAULTS") == "long"
SEED = int(os.environ.get("TAXON_FAULTS_SEED", "1"))
Page = Callable[[str], Client]


@pytest.fixture
def pets(team: Team) -> Dataset:
    dataset = make_dataset(team)
    for name in ("cat", "dog"):
        dataset.labels.create(name=name)
    make_images(dataset, 30)
    return dataset


def send(client: Client, dataset: Dataset, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    answer = client.post(f"/datasets/{dataset.pk}/tag/", json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def labels_of(dataset: Dataset, images: list[int]) -> dict[int, int | None]:
    return dict(dataset.images.filter(pk__in=images).values_list("pk", "label"))


class Elsewhere:
    """Another person, who does something to the labels or the pictures between two tags."""

    def __init__(self, team: Team, dataset: Dataset, dice: random.Random) -> None:
        self.user, self.dataset, self.dice = team.people["owner"], dataset, dice
        self.number = 0

    def label(self) -> Label | None:
        return self.dice.choice(list(self.dataset.labels.all()) or [None])

    def act(self) -> None:
        """One thing of all that may happen."""
        do = self.dice.choice(
            [self.rename, self.delete, self.merge, self.make, self.bring_back, self.trash, self.rest]
        )
        do()

    def fresh(self) -> str:
        self.number += 1
        return f"label {self.number}"

    def rename(self) -> None:
        if label := self.label():
            rename_label(label=label, name=self.fresh(), user=self.user)

    def delete(self) -> None:
        if label := self.label():
            delete_label(label=label, user=self.user)

    def merge(self) -> None:
        one, other = self.label(), self.label()
        if one and other and one != other:
            merge_labels(label=one, into=other, user=self.user)

    def make(self) -> None:
        create_label(dataset=self.dataset, name=self.fresh(), user=self.user)

    def bring_back(self) -> None:
        if last := TagAction.objects.filter(dataset=self.dataset, changed__gt=0, undone_at=None).last():
            undo(action=last, user=self.user)

    def trash(self) -> None:
        some = self.dataset.images.order_by("?")[:3].values("pk")
        trash_images(
            dataset=self.dataset,
            user=self.user,
            chosen=self.dataset.images.filter(pk__in=list(some.values_list("pk", flat=True))),
        )

    def rest(self) -> None:
        restore_images(dataset=self.dataset, user=self.user, chosen=self.dataset.images.all())


def test_a_tag_counts_or_is_refused_with_its_reason_whatever_happens_to_its_label(
    page: Page, team: Team, pets: Dataset
) -> None:
    """L5 and L6: interleavings of tags with whatever an owner may do to labels and pictures meanwhile."""
    dice = random.Random(SEED)
    elsewhere, client = Elsewhere(team, pets, dice), page("labeller")
    ids = list(pets.images.order_by("pk").values_list("pk", flat=True))
    outcomes = {"kept": 0, "refused": 0, "in the trash": 0}
    for _ in range(500 if LONG else 40):
        while pets.labels.count() < 2:
            elsewhere.make()
        known = dice.choice(list(pets.labels.all()))  # what the person's page shows
        chosen = dice.sample(ids, dice.randint(1, 6))
        for _ in range(dice.randint(0, 2)):
            elsewhere.act()
        before = labels_of(pets, chosen)
        trashed = set(pets.images.filter(pk__in=chosen).exclude(trashed_at=None).values_list("pk", flat=True))
        status, answer = send(client, pets, {"images": chosen, "label": known.name, "label_id": known.pk})
        now = labels_of(pets, chosen)
        if status == 200:
            live = [pk for pk in chosen if pk not in trashed]
            given = {now[pk] for pk in live}
            assert given <= {known.pk}, "renamed meanwhile: still the label that was meant"
            assert all(now[pk] == before[pk] for pk in trashed)
            assert answer["changed"] == sum(before[pk] != known.pk for pk in live)
            outcomes["kept" if live else "in the trash"] += 1
        else:
            assert status in (404, 409) and answer["detail"], answer
            assert not Label.objects.filter(pk=known.pk).exists(), "refused only where the label is gone"
            assert now == before
            outcomes["refused"] += 1
    assert outcomes["kept"] and outcomes["refused"]
    print(f"L5, L6: {outcomes}")


def test_a_renamed_label_is_the_one_that_was_meant_even_if_another_has_its_old_name(
    page: Page, team: Team, pets: Dataset
) -> None:
    cat = pets.labels.get(name="cat")
    rename_label(label=cat, name="feline", user=team.people["owner"])
    create_label(dataset=pets, name="cat", user=team.people["owner"])
    image = pets.images.earliest("pk").pk
    status, _ = send(page("labeller"), pets, {"images": [image], "label": "cat", "label_id": cat.pk})
    assert (status, labels_of(pets, [image])) == (200, {image: cat.pk})


def test_a_deleted_label_whose_name_was_taken_anew_is_served_by_the_new_one(
    page: Page, team: Team, pets: Dataset
) -> None:
    cat = pets.labels.get(name="cat")
    delete_label(label=cat, user=team.people["owner"])
    anew = create_label(dataset=pets, name="cat", user=team.people["owner"])
    image = pets.images.earliest("pk").pk
    send(page("labeller"), pets, {"images": [image], "label": "cat", "label_id": cat.pk})
    assert labels_of(pets, [image]) == {image: anew.pk}


def test_a_purged_picture_is_named_and_the_others_wait_for_another_word(page: Page, pets: Dataset) -> None:
    ids = list(pets.images.order_by("pk").values_list("pk", flat=True))
    pets.images.filter(pk=ids[0]).delete()
    status, answer = send(page("labeller"), pets, {"images": ids[:3], "label": "cat"})
    assert (status, answer["code"]) == (404, "unknown-images")
    assert answer["detail"] == "1 of these pictures are not in this data set."
