"""Acts that overlap end as if they had come one after another; and an undo gives back exactly what was."""

import itertools
import os
import random
import threading
from collections.abc import Callable
from typing import Any

from django.contrib.auth.models import User
from django.db import connection

from datasets.models import Dataset, Image, Label, TagAction
from datasets.selection import Selection
from datasets.tagging import restore_images, tag_images, trash_images, undo
from tests.datasets.makers import Work, make_dataset, make_images
from tests.factories import Team

LONG = os.environ.get("TAXON_FAULTS") == "long"
SEED = int(os.environ.get("TAXON_FAULTS_SEED", "1"))
State = dict[int, tuple[int | None, bool]]
Act = tuple[str, frozenset[int], int | None]


def together(*acts: Callable[[], Any]) -> list[BaseException | None]:
    """At the same time, each on a connection of its own; what each raised."""
    raised: list[BaseException | None] = [None] * len(acts)
    gate = threading.Barrier(len(acts))

    def run(place: int) -> None:
        try:
            gate.wait(10)
            acts[place]()
        except Exception as error:  # noqa: BLE001  (told to the test)
            raised[place] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return raised


def state(dataset: Dataset) -> State:
    rows = dataset.images.values_list("pk", "label", "trashed_at")
    return {pk: (label, trashed is not None) for pk, label, trashed in rows}


def after(before: State, act: Act) -> State:
    """What one act by itself makes of a state."""
    kind, images, label = act
    now = dict(before)
    for pk in images:
        was, trashed = before[pk]
        if kind == "tag" and not trashed:
            now[pk] = (label, False)
        elif kind == "trash":
            now[pk] = (was, True)
        elif kind == "restore":
            now[pk] = (was, False)
    return now


def orders_that_end_so(before: State, acts: list[Act], end: State) -> list[tuple[int, ...]]:
    """Every order of the acts, one after another, that leads to this end."""
    found = []
    for order in itertools.permutations(range(len(acts))):
        now = before
        for place in order:
            now = after(now, acts[place])
        if now == end:
            found.append(order)
    return found


def perform(
    dataset: Dataset, user: User, act: Act, done: dict[int, TagAction], place: int
) -> Callable[[], None]:
    kind, images, label_pk = act

    def run() -> None:
        chosen = Selection.of(dataset, images=images)
        if kind == "tag":
            label = Label.objects.get(pk=label_pk) if label_pk else None
            done[place] = tag_images(dataset=dataset, user=user, chosen=chosen, label=label)
        else:
            verb = trash_images if kind == "trash" else restore_images
            done[place] = verb(dataset=dataset, user=user, chosen=chosen)

    return run


def test_overlapping_bulk_acts_end_in_one_serial_order_and_both_histories_say_so(
    work: Work, team: Team
) -> None:
    """L3: rounds of two to four acts on overlapping pictures, each judged by trying all orders."""
    dice = random.Random(SEED)
    dataset = make_dataset(team)
    labels = [dataset.labels.create(name=name).pk for name in ("cat", "dog", "bird")]
    images = 5000 if LONG else 300
    ids = [image.pk for image in make_images(dataset, images)]
    people = list(team.people.values())
    for _ in range(50 if LONG else 6):
        before = state(dataset)
        acts: list[Act] = []
        for _ in range(dice.choice([2, 2, 3, 4])):
            first = dice.randrange(images // 2)
            chosen = frozenset(ids[first : first + images // 2])
            kind = dice.choice(["tag", "tag", "tag", "trash", "restore"])
            acts.append((kind, chosen, dice.choice([*labels, None]) if kind == "tag" else None))
        done: dict[int, TagAction] = {}
        raised = together(*(perform(dataset, people[n], act, done, n) for n, act in enumerate(acts)))
        assert raised == [None] * len(acts)
        orders = orders_that_end_so(before, acts, state(dataset))
        told = tuple(sorted(done, key=lambda place: done[place].pk))
        assert told in orders, "the numbers of the acts tell the order in which they count"
        check_history(before, acts, [done[place] for place in told], told)
        for place in reversed(told):
            assert undo(action=done[place], user=people[0]).skipped == 0
        assert state(dataset) == before


def check_history(before: State, acts: list[Act], done: list[TagAction], order: tuple[int, ...]) -> None:
    """Each act remembers exactly the pictures it changed, and what they were."""
    now = before
    for action, place in zip(done, order, strict=True):
        then = after(now, acts[place])
        changed = {pk for pk in then if then[pk] != now[pk]}
        rows = dict(action.changes.values_list("image", "before"))
        assert set(rows) == changed and action.changed == len(changed)
        assert all(rows[pk] == now[pk][0] for pk in changed)
        now = then


def test_the_undo_of_a_bulk_act_gives_back_exactly_what_was(team: Team) -> None:
    """L9: whatever was done before, ten thousand pictures are again what they were, label, trash and last act."""
    dice = random.Random(SEED)
    dataset, user = make_dataset(team), team.people["engineer"]
    labels = [dataset.labels.create(name=name) for name in ("cat", "dog", "bird")]
    count = 10_000
    ids = [image.pk for image in make_images(dataset, count)]
    for _ in range(12 if LONG else 2):
        for _ in range(dice.randrange(4)):
            some = Selection.of(dataset, images=dice.sample(ids, dice.randrange(1, count)))
            tag_images(dataset=dataset, user=user, chosen=some, label=dice.choice([None, *labels]))
        away = Selection.of(dataset, images=dice.sample(ids, dice.randrange(1, 500)))
        dice.choice([trash_images, restore_images])(dataset=dataset, user=user, chosen=away)
        whole = list(dataset.images.order_by("pk").values())
        action = tag_images(
            dataset=dataset, user=user, chosen=dataset.images.all(), label=dice.choice([None, *labels])
        )
        undone = undo(action=action, user=team.people["owner"])
        assert (undone.changed, undone.skipped) == (action.changed, 0)
        assert list(dataset.images.order_by("pk").values()) == whole
        action.refresh_from_db()
        assert action.undone == action.changed


def test_an_undo_that_meets_others_at_work_takes_back_no_tag_of_theirs(work: Work, team: Team) -> None:
    """An undo races with tags on half of its pictures: theirs stay, the rest is as it was."""
    dataset = make_dataset(team)
    labels = [dataset.labels.create(name=name) for name in ("cat", "dog")]
    ids = [image.pk for image in make_images(dataset, 200)]
    for _ in range(10 if LONG else 3):
        first = tag_images(
            dataset=dataset,
            user=team.people["labeller"],
            chosen=Selection.of(dataset, images=ids),
            label=labels[0],
        )
        theirs = Selection.of(dataset, images=ids[:100])

        def tag(theirs: Any = theirs) -> None:
            tag_images(dataset=dataset, user=team.people["engineer"], chosen=theirs, label=labels[1])

        def take_back(first: TagAction = first) -> None:
            undo(action=first, user=team.people["labeller"])

        assert together(tag, take_back) == [None, None]
        assert set(dataset.images.filter(pk__in=ids[:100]).values_list("label", flat=True)) == {labels[1].pk}
        assert set(dataset.images.filter(pk__in=ids[100:]).values_list("label", flat=True)) == {None}
        Image.objects.filter(dataset=dataset).update(label=None, last_action=None)
