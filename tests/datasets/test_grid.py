"""Pages of the grid: every picture once, in order, however rare what matches is; and tallies that are never wrong."""

import random
from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.db.models import Count, Q

from datasets import counts, grid, tally
from datasets.counts import counts_of
from datasets.filters import Filter
from datasets.grid import page_of
from datasets.models import Dataset, Image, Tally
from datasets.models.tally import OPEN, SKIPPED, TRASHED
from datasets.skipping import skip_images, unskip_images
from datasets.tagging import restore_images, tag_images, trash_images, undo
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team
from web.pagination import BadCursor, encode


@pytest.fixture
def dataset(team: Team) -> Dataset:
    return make_dataset(team)


def walk(dataset: Dataset, limit: int = 7, **params: Any) -> list[int]:
    """All ids, page after page."""
    wanted = Filter.from_params(params)
    seen: list[int] = []
    found, cursor = page_of(dataset, wanted, limit=limit)
    for _ in range(100):
        seen += [image.pk for image in found]
        if cursor is None:
            return seen
        found, cursor = page_of(dataset, wanted, limit=limit, cursor=cursor)
    raise AssertionError("no end")


@pytest.mark.parametrize(
    "order", ["id", "-id", "file", "-file", "bytes", "-width", "height", "cluster", "-cluster"]
)
def test_every_picture_comes_once_in_each_order(dataset: Dataset, order: str) -> None:
    chance = random.Random(3)
    for image in make_images(dataset, 60):
        Image.objects.filter(pk=image.pk).update(
            bytes=chance.randrange(5), width=chance.randrange(3), height=9, cluster=chance.randrange(4),
            name=chance.choice("abc"),
        )  # fmt: skip
    field = order.replace("file", "name")
    sign = "-" if order.startswith("-") else ""
    expected = dataset.images.order_by(*([field] if field.endswith("id") else [field, f"{sign}id"]))
    assert walk(dataset, order=order) == list(expected.values_list("pk", flat=True))


@pytest.mark.parametrize("order", ["id", "-id", "-bytes"])
def test_what_is_rare_is_found_behind_many_windows(
    dataset: Dataset, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grid, "WINDOW", 10)
    make_images(dataset, 95)
    rare = sorted(dataset.images.filter(name__in=["4.jpg", "44.jpg", "84.jpg"]).values_list("pk", flat=True))
    found = walk(dataset, name="4.jpg", limit=2, order=order)
    assert sorted(found) == sorted(dataset.images.filter(name__endswith="4.jpg").values_list("pk", flat=True))
    assert set(rare) <= set(found)


def test_a_count_says_where_it_stopped(dataset: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    make_images(dataset, 60)
    assert (counts_of(dataset, Filter(name="1")).matching, counts_of(dataset, Filter(name="1")).more) == (
        15,
        False,
    )
    for module in (grid, counts):
        monkeypatch.setattr(module, "WINDOW", 12)
    cut = counts_of(dataset, Filter(name="1"))
    assert (cut.matching, cut.more) == (3, True)  # 1, 10, 11


@pytest.mark.parametrize(
    ("order", "values"),
    [
        ("id", [1, 2]),
        ("id", ["x"]),
        ("file", [3, 4]),
        ("file", ["a\x00", 4]),
        ("bytes", ["x", 1]),
        ("bytes", [2**70, 1]),
    ],
)
def test_a_made_up_cursor_is_refused(dataset: Dataset, order: str, values: list[Any]) -> None:
    make_images(dataset, 3)
    with pytest.raises(BadCursor):
        page_of(dataset, Filter.from_params({"order": order}), limit=2, cursor=encode(values))


def counted(dataset: Dataset) -> dict[int, int]:
    """The slow truth."""
    found: Counter[int] = Counter()
    for label, trashed, skipped in dataset.images.values_list("label", "trashed_at", "skipped_at"):
        found[TRASHED if trashed else label or (SKIPPED if skipped else OPEN)] += 1
    return dict(found)


def test_tallies_are_right_after_whatever_happens(team: Team, dataset: Dataset) -> None:
    chance = random.Random(5)
    other = make_dataset(team, "Other")
    labels = [dataset.labels.create(name=name) for name in "abc"]
    make_images(dataset, 120, labels[0])
    make_images(other, 5)
    person, actions = team.people["engineer"], []
    for _ in range(60):
        ids = chance.sample(list(dataset.images.values_list("pk", flat=True)), 20)
        same: Any = {"dataset": dataset, "user": person, "chosen": dataset.images.filter(pk__in=ids)}
        act = chance.choice(["tag", "trash", "restore", "skip", "unskip", "undo", "delete", "more"])
        if act == "tag":
            actions.append(tag_images(**same, label=chance.choice([*labels, None])))
        elif act == "undo" and actions:
            undo(action=chance.choice(actions), user=person)
        elif act == "delete":
            dataset.images.filter(pk__in=ids[:2]).delete()
        elif act == "more":
            make_more(dataset, chance)
        elif act in ("trash", "restore", "skip", "unskip"):
            verb = {
                "trash": trash_images,
                "restore": restore_images,
                "skip": skip_images,
                "unskip": unskip_images,
            }
            actions.append(verb[act](**same))
        assert tally.read(dataset) == counted(dataset), act
    assert tally.read(other) == {OPEN: 5}
    dataset.delete()
    assert tally.read(dataset) == {}


def make_more(dataset: Dataset, chance: random.Random) -> None:
    """Five pictures more, of names that nobody had."""
    same = {"key": "k", "thumbnail_key": "t", "format": "JPEG", "bytes": 1, "width": 64, "height": 64}
    Image.objects.bulk_create(
        Image(dataset=dataset, name="more.jpg", sha256=f"{chance.getrandbits(250):064x}", **same)
        for _ in range(5)
    )


def test_the_triggers_come_back_after_a_migration_has_remade_the_table(dataset: Dataset) -> None:
    make_images(dataset, 4)
    with connection.cursor() as cursor:
        of = "" if connection.vendor == "sqlite" else " ON datasets_image"
        cursor.execute(f"DROP TRIGGER datasets_tally_update{of}")
    dataset.images.update(label=dataset.labels.create(name="a"))
    assert tally.read(dataset) == {OPEN: 4}
    with connection.cursor() as cursor:
        for event in ("insert", "delete"):
            cursor.execute(f"DROP TRIGGER datasets_tally_{event}{of}")
    tally.keep(connection)
    assert tally.read(dataset) == counted(dataset)
    tally.keep(connection)
    dataset.images.update(label=None)
    assert tally.read(dataset) == {OPEN: 4}


def test_many_rows_of_a_tally_are_added_up(dataset: Dataset) -> None:
    label = dataset.labels.create(name="a")
    picture = make_images(dataset, 1)[0]
    for at in range(3 * tally.MANY):
        Image.objects.filter(pk=picture.pk).update(label=None if at % 2 else label)
    tally.fold(dataset)
    assert Tally.objects.filter(dataset_id=dataset.pk).count() <= 2
    assert tally.read(dataset) == {OPEN: 1}


def test_counts_and_lists_agree(team: Team, dataset: Dataset) -> None:
    label = dataset.labels.create(name="a")
    ids = [image.pk for image in make_images(dataset, 30)]
    person = team.people["engineer"]
    tag_images(dataset=dataset, user=person, chosen=dataset.images.filter(pk__in=ids[:7]), label=label)
    skip_images(dataset=dataset, user=person, chosen=dataset.images.filter(pk__in=ids[5:10]))
    trash_images(dataset=dataset, user=person, chosen=dataset.images.filter(pk__in=ids[20:24]))
    everything = (
        {},
        {"state": "unlabelled"},
        {"state": "labelled"},
        {"state": "skipped"},
        {"state": "trashed"},
    )
    of_a_label = {"label": "a"}, {"state": "labelled", "label": "a"}, {"state": "unlabelled", "label": "a"}
    for params in (*everything, *of_a_label):
        wanted = Filter.from_params(params)
        assert counts_of(dataset, wanted).matching == len(walk(dataset, **params)), params
    found = counts_of(dataset)
    assert (found.total, found.unlabelled, found.labelled, found.skipped) == (26, 16, 7, 3)
    assert dataset.images.aggregate(n=Count("pk", filter=Q(skipped_at__isnull=False)))["n"] == 3
