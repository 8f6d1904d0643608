"""Look-alikes: found by embedding, by hash until there is one, in groups, bounded, and never from another data set."""

from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client

from datasets import likeness
from datasets.clusters import centres_of, groups_of, how_many
from datasets.embeddings import BUILT_IN, embed_soon, keep
from datasets.filters import BadFilter, Filter
from datasets.grid import page_of
from datasets.lookalikes import lookalikes_of
from datasets.models import Dataset, Image, Likeness
from datasets.sketches import Basis, Sketch
from datasets.tagging import trash_images
from tests.datasets.makers import Work, begin, colours, make_dataset, make_images
from tests.factories import Team, picture

GROUPS, EACH = 6, 40


def points(groups: int = GROUPS, each: int = EACH, width: int = 24) -> np.ndarray:
    """Vectors in as many heaps, far from one another."""
    chance = np.random.default_rng(1)
    heaps = chance.normal(size=(groups, width))
    near = chance.normal(size=(groups, each, width)) * 0.05
    return (heaps[:, None] + near).reshape(groups * each, width).astype(np.float32)


@pytest.fixture
def heaps(team: Team, work: Work, monkeypatch: pytest.MonkeyPatch) -> Dataset:
    """Pictures whose embeddings lie in heaps: the picture n is in the heap n // EACH."""
    dataset = make_dataset(team)
    images = make_images(dataset, GROUPS * EACH)
    vectors = np.zeros((len(images), BUILT_IN.dimensions), dtype=np.float16)
    vectors[:, :24] = points()
    keep(BUILT_IN, [image.sha256 for image in images], vectors)
    embed_soon(dataset, user=None)
    work()
    work()
    return dataset


def test_the_most_alike_come_first_and_from_the_same_heap(heaps: Dataset) -> None:
    ids = list(heaps.images.order_by("pk").values_list("pk", flat=True))
    found = lookalikes_of(heaps, ids[3 * EACH], EACH - 1)
    assert {ids.index(each) // EACH for each in found} == {3}
    assert ids[3 * EACH] not in found and len(set(found)) == EACH - 1


def test_groups_are_the_heaps_and_stay_what_they_are(heaps: Dataset, work: Work) -> None:
    clusters = list(heaps.images.order_by("pk").values_list("cluster", flat=True))
    by_heap = [set(clusters[at : at + EACH]) for at in range(0, len(clusters), EACH)]
    assert all(len(each) == 1 and 0 not in each for each in by_heap)
    assert len(set(clusters)) == GROUPS
    likeness.compare_soon(heaps)
    work()
    assert list(heaps.images.order_by("pk").values_list("cluster", flat=True)) == clusters


def test_new_pictures_join_the_groups_until_there_are_many(heaps: Dataset, work: Work) -> None:
    before = Likeness.objects.get(dataset=heaps)

    def add(count: int) -> list[int]:
        images = make_images(heaps, count)
        vectors = np.zeros((count, BUILT_IN.dimensions), dtype=np.float16)
        vectors[:, :24] = points()[:count]
        keep(BUILT_IN, [image.sha256 for image in images], vectors)
        likeness.compare_soon(heaps)
        work()
        return [image.pk for image in images]

    first_heap = heaps.images.order_by("pk").values_list("cluster", flat=True)[0]
    joined = add(10)
    now = Likeness.objects.get(dataset=heaps)
    assert (now.learnt_from, now.images) == (before.learnt_from, GROUPS * EACH + 10)
    assert set(Image.objects.filter(pk__in=joined).values_list("cluster", flat=True)) == {first_heap}
    add(EACH * 4)
    assert Likeness.objects.get(dataset=heaps).learnt_from == GROUPS * EACH * 5 // 3 + 10


def test_the_filter_shows_them_most_alike_first_and_an_act_means_them(team: Team, heaps: Dataset) -> None:
    ids = list(heaps.images.order_by("pk").values_list("pk", flat=True))
    wanted = Filter.from_params({"like": str(ids[0])})
    expected = lookalikes_of(heaps, ids[0])
    found, cursor = page_of(heaps, wanted, limit=100)
    rest, end = page_of(heaps, wanted, limit=500, cursor=cursor or "")
    assert [image.pk for image in [*found, *rest]] == expected and end is None
    gone = expected[:3]
    trash_images(dataset=heaps, user=team.people["owner"], chosen=heaps.images.filter(pk__in=gone))
    assert [image.pk for image in page_of(heaps, wanted, limit=5)[0]] == expected[3:8]


def test_a_picture_of_another_data_set_is_nothing_to_compare_with(team: Team, heaps: Dataset) -> None:
    other = make_images(make_dataset(team, "Other"), 1)[0]
    for number in (other.pk, 10**15):
        with pytest.raises(BadFilter):
            lookalikes_of(heaps, number)


def test_before_embeddings_the_difference_hash_finds_near_copies(team: Team) -> None:
    dataset = make_dataset(team)
    images = make_images(dataset, 4)
    for image, mark in zip(images, (0, 0b1, -1, 0b111), strict=True):
        Image.objects.filter(pk=image.pk).update(difference_hash=mark)
    assert lookalikes_of(dataset, images[0].pk, 3) == [images[1].pk, images[3].pk, images[2].pk]
    Image.objects.filter(pk=images[0].pk).update(difference_hash=None)
    assert lookalikes_of(dataset, images[0].pk) == []


def test_the_preview_shows_twelve_and_a_stranger_none(
    team: Team, heaps: Dataset, page: Callable[[str], Client]
) -> None:
    first = heaps.images.order_by("pk")[0]
    told = page("viewer").get(f"/images/{first.pk}/alike/")
    assert told.text.count("data-alike-image") == 12 and f"?like={first.pk}" in told.text
    assert page("viewer").get(f"/images/{first.pk}/").text.count("data-alike-image") == 12
    assert page("viewer").post(f"/images/{first.pk}/alike/").status_code == 405
    assert page("stranger").get(f"/images/{first.pk}/alike/").status_code == 404
    listed = page("viewer").get(f"/datasets/{heaps.pk}/?like={first.pk}")
    assert listed.status_code == 200 and "Most alike first" in listed.text
    missing = page("viewer").get(f"/datasets/{heaps.pk}/images/?like=999999999")
    assert (missing.status_code, "999999999" in missing.text) == (422, True)


def test_an_import_is_compared_without_anybody_asking(team: Team, work: Work) -> None:
    dataset = make_dataset(team)
    files = [(f"{n}.png", content) for n, content in enumerate(colours(6))]
    begin(team, dataset, *files, ("near.png", picture("#000001")))
    work()
    work()
    black = dataset.images.get(name="0.png")
    assert Likeness.objects.get(dataset=dataset).images == 7
    assert Image.objects.get(pk=lookalikes_of(dataset, black.pk)[0]).name == "near.png"


def test_the_same_points_give_the_same_groups() -> None:
    found = [groups_of(points(), centres_of(points(), GROUPS)) for _ in range(2)]
    assert (found[0] == found[1]).all()
    assert [len(set(found[0][at : at + EACH].tolist())) for at in range(0, GROUPS * EACH, EACH)] == [
        1
    ] * GROUPS
    alone = centres_of(points()[:3], how_many(3))
    assert len(alone) == 1


def test_short_vectors_find_almost_the_same_neighbours_as_whole_ones() -> None:
    chance = np.random.default_rng(2)
    whole = (chance.normal(size=(3000, 40)) @ chance.normal(size=(40, 512))).astype(np.float16)
    basis = Basis.learn(whole[:1000])
    sketch = Sketch(np.arange(3000), basis.codes(whole), basis, np.zeros((1, 40), np.float32))
    again = Sketch.from_bytes(sketch.to_bytes())
    upright = whole.astype(np.float32) / np.linalg.norm(whole.astype(np.float32), axis=1, keepdims=True)
    hits = 0
    for place in range(0, 3000, 100):
        true = np.argsort(-(upright @ upright[place]))[1:13]
        hits += len(set(true.tolist()) & set(again.nearest(place, 12)))
    assert hits / (30 * 12) > 0.9
