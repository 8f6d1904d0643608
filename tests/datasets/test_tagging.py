"""Bulk tags and their undo: exact, and never over somebody else's work."""

import random
import threading
import time

import pytest
from django.db import connection

from datasets.history import history_of, recent_actions
from datasets.labels import delete_label, merge_labels
from datasets.models import Dataset, Image, Label, TagAction
from datasets.selection import Selection, UnknownImages
from datasets.tagging import LabelGone, restore_images, tag_images, trash_images, undo
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team

Picture = tuple[int, int | None, int | None, bool]


def state(dataset: Dataset) -> list[Picture]:
    rows = dataset.images.order_by("pk").values_list("pk", "label", "last_action", "trashed_at")
    return [(pk, label, action, trashed is not None) for pk, label, action, trashed in rows]


@pytest.fixture
def dataset(team: Team) -> Dataset:
    return make_dataset(team)


@pytest.fixture
def labels(dataset: Dataset) -> list[Label]:
    return [dataset.labels.create(name=name) for name in ("cat", "dog", "bird")]


def tag(team: Team, dataset: Dataset, label: Label | None, ids: list[int] | None = None) -> TagAction:
    chosen = dataset.images.all() if ids is None else Selection.of(dataset, images=ids)
    return tag_images(dataset=dataset, user=team.people["labeller"], chosen=chosen, label=label)


def test_ten_thousand_pictures_are_tagged_and_untagged_exactly(
    team: Team, dataset: Dataset, labels: list[Label]
) -> None:
    make_images(dataset, 10_000)
    ids = list(dataset.images.values_list("pk", flat=True))
    tag(team, dataset, labels[1], ids[::3])
    before = state(dataset)
    began = time.monotonic()
    action = tag(team, dataset, labels[0], ids)
    took = time.monotonic() - began
    assert action.changed == 10_000
    assert set(dataset.images.values_list("label", flat=True)) == {labels[0].pk}
    undone = undo(action=action, user=team.people["labeller"])
    assert (undone.changed, undone.skipped) == (10_000, 0)
    assert state(dataset) == before
    assert took < 10, "about a second on a quiet machine"


def test_pictures_that_have_the_label_are_not_counted_as_changed(
    team: Team, dataset: Dataset, labels: list[Label]
) -> None:
    make_images(dataset, 3, labels[0])
    make_images(dataset, 2)
    action = tag(team, dataset, labels[0])
    assert action.changed == action.changes.count() == 2


def test_an_undo_skips_what_somebody_changed_since(team: Team, dataset: Dataset, labels: list[Label]) -> None:
    images = make_images(dataset, 5)
    first = tag(team, dataset, labels[0])
    second = tag(team, dataset, labels[1], [image.pk for image in images[:2]])
    undone = undo(action=first, user=team.people["engineer"])
    assert (undone.changed, undone.skipped) == (3, 2)
    assert dataset.images.filter(label=labels[1]).count() == 2
    assert undo(action=second, user=team.people["engineer"]).changed == 2
    assert dataset.images.filter(label=labels[0]).count() == 2


def test_an_undo_twice_changes_nothing_the_second_time(
    team: Team, dataset: Dataset, labels: list[Label]
) -> None:
    make_images(dataset, 2)
    action = tag(team, dataset, labels[0])
    undo(action=action, user=team.people["owner"])
    again = undo(action=action, user=team.people["owner"])
    assert (again.changed, again.skipped) == (0, 2)


def test_undoing_everything_backwards_gives_the_first_state_whatever_was_done(
    team: Team, dataset: Dataset, labels: list[Label]
) -> None:
    chance = random.Random(7)
    ids = [image.pk for image in make_images(dataset, 30)]
    first, user = state(dataset), team.people["engineer"]
    acts = []
    for _ in range(40):
        chosen = Selection.of(dataset, images=chance.sample(ids, chance.randint(1, 15)))
        how = chance.choice(["tag", "tag", "tag", "trash", "restore"])
        if how == "tag":
            label = chance.choice([None, *labels])
            acts.append(tag_images(dataset=dataset, user=user, chosen=chosen, label=label))
        elif how == "trash":
            acts.append(trash_images(dataset=dataset, user=user, chosen=chosen))
        else:
            acts.append(restore_images(dataset=dataset, user=user, chosen=chosen))
    for action in reversed(acts):
        assert undo(action=action, user=user).skipped == 0
    assert state(dataset) == first


def test_two_people_tagging_the_same_pictures_leave_one_order_and_both_histories(
    transactional_db: None, team: Team, dataset: Dataset, labels: list[Label]
) -> None:
    make_images(dataset, 400)
    ids = list(dataset.images.values_list("pk", flat=True))
    done: list[TagAction] = []

    def one(label: Label, chosen: list[int]) -> None:
        try:
            done.append(tag(team, dataset, label, chosen))
        finally:
            connection.close()

    threads = [
        threading.Thread(target=one, args=(labels[0], ids[:300])),
        threading.Thread(target=one, args=(labels[1], ids[100:])),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    shared = set(dataset.images.filter(pk__in=ids[100:300]).values_list("label", flat=True))
    assert len(shared) == 1
    assert [action.changed for action in done] == [300, 300]
    for action in sorted(done, key=lambda each: -each.pk):
        assert undo(action=action, user=team.people["owner"]).skipped == 0
    assert not dataset.images.exclude(label=None).exists()


def test_pictures_in_the_trash_are_not_tagged(team: Team, dataset: Dataset, labels: list[Label]) -> None:
    images = make_images(dataset, 2)
    trash_images(
        dataset=dataset, user=team.people["owner"], chosen=Selection.of(dataset, images=[images[0].pk])
    )
    assert tag(team, dataset, labels[0], [image.pk for image in images]).changed == 1


def test_ids_of_elsewhere_are_refused_with_their_number(team: Team, dataset: Dataset) -> None:
    image = make_images(dataset, 1)[0]
    with pytest.raises(UnknownImages, match="2 of these"):
        Selection.of(dataset, images=[image.pk, image.pk + 1000, 2**62])
    with pytest.raises(UnknownImages):
        Selection.of(dataset, images=[-1, 2**80])


def test_a_hundred_thousand_ids_fit_into_one_question(team: Team, dataset: Dataset) -> None:
    ids = [image.pk for image in make_images(dataset, 10)]
    with pytest.raises(UnknownImages, match="99990 of these"):
        Selection.of(dataset, images=[*ids, *range(10**9, 10**9 + 99_990)])


def test_a_label_that_went_meanwhile_is_refused(team: Team, dataset: Dataset, labels: list[Label]) -> None:
    make_images(dataset, 1)
    delete_label(label=labels[0], user=team.people["owner"])
    with pytest.raises(LabelGone):
        tag(team, dataset, labels[0])
    assert not TagAction.objects.filter(label=labels[0]).exists()


def test_undoing_the_end_of_a_label_brings_it_back(team: Team, dataset: Dataset, labels: list[Label]) -> None:
    make_images(dataset, 3, labels[0])
    action = delete_label(label=labels[0], user=team.people["owner"])
    assert dataset.images.filter(label=None).count() == 3
    assert [label.name for label in dataset.labels.all()] == ["dog", "bird"]
    assert undo(action=action, user=team.people["owner"]).changed == 3
    assert [label.name for label in dataset.labels.all()] == ["cat", "dog", "bird"]
    assert dataset.images.filter(label=labels[0]).count() == 3


def test_undoing_a_merge_takes_the_labels_apart_again(
    team: Team, dataset: Dataset, labels: list[Label]
) -> None:
    make_images(dataset, 3, labels[0])
    make_images(dataset, 2, labels[1])
    action = merge_labels(label=labels[0], into=labels[1], user=team.people["owner"])
    assert dataset.images.filter(label=labels[1]).count() == 5
    undo(action=action, user=team.people["owner"])
    assert dataset.images.filter(label=labels[0]).count() == 3


def test_where_the_name_was_taken_anew_the_new_label_serves(
    team: Team, dataset: Dataset, labels: list[Label]
) -> None:
    make_images(dataset, 3, labels[0])
    action = delete_label(label=labels[0], user=team.people["owner"])
    anew = dataset.labels.create(name="cat")
    undo(action=action, user=team.people["owner"])
    assert dataset.images.filter(label=anew).count() == 3
    assert dataset.labels.filter(name="cat").count() == 1


def test_the_history_names_each_act_latest_first(team: Team, dataset: Dataset, labels: list[Label]) -> None:
    image = make_images(dataset, 1)[0]
    for label in labels:
        tag(team, dataset, label)
    told = [(change.action.label_name, change.before and change.before.name) for change in history_of(image)]
    assert told == [("bird", "dog"), ("dog", "cat"), ("cat", None)]
    assert [action.label_name for action in recent_actions(dataset)] == ["bird", "dog", "cat"]
    assert Image.objects.get().last_action == recent_actions(dataset)[0]
