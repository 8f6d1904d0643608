"""Near-duplicates: found wherever they hide, settled with one act, and never brought again once dismissed."""

import io
import random
from collections.abc import Callable

import numpy as np
import pytest
from django.test import Client
from PIL import Image as Picture
from PIL import ImageDraw

from datasets.alike import brought_by, counted, members_of, open_groups
from datasets.models import AlikeGroup, Dataset, Image, Import
from datasets.near_duplicates import Seen, groups_of
from datasets.near_vectors import basis_of, near_vectors, unit
from tests.datasets.makers import Work, begin, make_dataset
from tests.factories import Team


def scene(seed: int, side: int = 240) -> Picture.Image:
    """A picture full of shapes."""
    chance = random.Random(seed)
    drawn = Picture.new("RGB", (side, side), tuple(chance.randrange(256) for _ in range(3)))
    pen = ImageDraw.Draw(drawn)
    for _ in range(14):
        x, y = chance.randrange(side), chance.randrange(side)
        colour = tuple(chance.randrange(256) for _ in range(3))
        pen.ellipse((x, y, x + chance.randrange(20, 120), y + chance.randrange(20, 120)), fill=colour)
    return drawn


def jpeg(picture: Picture.Image, quality: int = 92) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=quality)
    return out.getvalue()


@pytest.fixture
def dataset(team: Team, work: Work) -> Dataset:
    """Two scenes in three and two versions, one with its labels at odds, and three scenes alone."""
    found = make_dataset(team)
    one, two = scene(1), scene(2)
    for label, files in {
        "cat": {"large.jpg": jpeg(one), "small.jpg": jpeg(one.resize((120, 120))), "two.jpg": jpeg(two)},
        "dog": {"soft.jpg": jpeg(two, 40)},
        "": {"poor.jpg": jpeg(one, 30)} | {f"{n}.jpg": jpeg(scene(n)) for n in (3, 4, 5)},
    }.items():
        begin(team, found, *files.items(), label_name=label)
    work()
    return found


def names(dataset: Dataset) -> list[list[str]]:
    """The open groups, by the names of their pictures."""
    groups = list(open_groups(dataset))
    members = members_of(groups)
    return [[image.name for image in members[group.pk]] for group in groups]


def live(dataset: Dataset) -> set[str]:
    return set(dataset.images.live().values_list("name", flat=True))


def test_copies_are_grouped_with_odd_labels_first_and_the_best_picture_in_front(dataset: Dataset) -> None:
    assert names(dataset) == [["two.jpg", "soft.jpg"], ["large.jpg", "small.jpg", "poor.jpg"]]
    counts = counted(dataset)
    assert (counts.groups, counts.images, counts.disagreeing, counts.spare) == (2, 5, 1, 3)


def test_the_page_shows_them_side_by_side(dataset: Dataset, page: Callable[[str], Client]) -> None:
    shown = page("viewer").get(f"/datasets/{dataset.pk}/near-duplicates/").content.decode()
    assert shown.index("two.jpg") < shown.index("large.jpg")
    assert "Labels differ" in shown and "Keep this one" not in shown
    assert (
        "Keep this one" in page("engineer").get(f"/datasets/{dataset.pk}/near-duplicates/").content.decode()
    )


def test_keeping_one_trashes_the_rest_and_can_be_undone(
    dataset: Dataset, page: Callable[[str], Client]
) -> None:
    before = live(dataset)
    group = open_groups(dataset)[1]
    keep = dataset.images.get(name="small.jpg")
    person = page("engineer")
    answer = person.post(f"/datasets/{dataset.pk}/near-duplicates/{group.pk}/keep/", {"image": keep.pk})
    assert answer.status_code == 302
    assert before - live(dataset) == {"large.jpg", "poor.jpg"}
    assert names(dataset) == [["two.jpg", "soft.jpg"]]
    shown = person.get(answer["Location"])
    person.post(f"/datasets/{dataset.pk}/near-duplicates/undo/", {"action": shown.context["undo"]})
    assert live(dataset) == before


def test_keeping_the_largest_of_all_leaves_odd_labels_to_people(
    dataset: Dataset, page: Callable[[str], Client]
) -> None:
    before = live(dataset)
    answer = page("engineer").post(f"/datasets/{dataset.pk}/near-duplicates/keep/")
    assert "undo=" in answer["Location"]
    assert before - live(dataset) == {"small.jpg", "poor.jpg"}
    again = page("engineer").post(f"/datasets/{dataset.pk}/near-duplicates/keep/")
    assert "undo=" not in again["Location"]


def test_a_picture_with_a_label_is_kept_before_a_larger_one_without(team: Team, work: Work) -> None:
    dataset = make_dataset(team)
    begin(team, dataset, ("large.jpg", jpeg(scene(1))))
    begin(team, dataset, ("small.jpg", jpeg(scene(1).resize((120, 120)))), label_name="cat")
    work()
    assert names(dataset) == [["small.jpg", "large.jpg"]]


def test_what_was_called_different_is_not_brought_again(
    dataset: Dataset, team: Team, page: Callable[[str], Client], work: Work
) -> None:
    group = open_groups(dataset)[1]
    address = f"/datasets/{dataset.pk}/near-duplicates/{group.pk}/differ/"
    page("labeller").post(address)
    assert names(dataset) == [["two.jpg", "soft.jpg"]]
    begin(team, dataset, ("new.jpg", jpeg(scene(1), 50)))
    work()
    assert names(dataset) == [["two.jpg", "soft.jpg"], ["large.jpg", "new.jpg"]]
    page("labeller").post(address, {"again": "1"})
    assert AlikeGroup.objects.get(pk=group.pk).dismissed_at is None


def test_the_report_of_an_import_says_how_many_it_brought(
    dataset: Dataset, team: Team, page: Callable[[str], Client], work: Work
) -> None:
    found = begin(team, dataset, ("a.jpg", jpeg(scene(3), 50)), ("b.jpg", jpeg(scene(9))))
    work()
    found.refresh_from_db()
    assert brought_by(found) == 1
    shown = page("viewer").get(f"/imports/{found.pk}/").content.decode()
    assert "nearly the same" in shown and f"/datasets/{dataset.pk}/near-duplicates/" in shown


def test_before_the_search_the_report_claims_nothing(team: Team) -> None:
    assert brought_by(Import.objects.create(dataset=make_dataset(team))) is None


def test_plain_pictures_of_different_colours_are_no_duplicates(team: Team, work: Work) -> None:
    dataset = make_dataset(team)
    plain = [(f"{c}.jpg", jpeg(Picture.new("RGB", (200, 200), c))) for c in ("red", "lime", "blue", "white")]
    begin(team, dataset, *plain)
    work()
    assert len(set(dataset.images.values_list("difference_hash", flat=True))) == 1, "their hashes say nothing"
    assert names(dataset) == []


def test_bad_input_and_strangers(dataset: Dataset, page: Callable[[str], Client]) -> None:
    base = f"/datasets/{dataset.pk}/near-duplicates/"
    group = open_groups(dataset)[1]
    outsider = dataset.images.get(name="3.jpg")
    engineer = page("engineer")
    assert engineer.post(f"{base}{group.pk}/keep/", {"image": outsider.pk}).status_code == 404
    assert engineer.post(f"{base}{group.pk}/keep/", {"image": "x"}).status_code == 404
    assert engineer.post(f"{base}999999/keep/", {"image": outsider.pk}).status_code == 404
    assert engineer.get(f"{base}keep/").status_code == 405
    assert engineer.get(base, {"undo": "<b>", "differ": "9" * 40, "page": "x"}).status_code == 200
    assert engineer.post(f"{base}undo/", {"action": "x"}).status_code == 404
    assert page("labeller").post(f"{base}keep/").status_code == 403
    assert page("viewer").post(f"{base}{group.pk}/differ/").status_code == 403
    assert page("stranger").get(base).status_code == 404


def test_a_group_is_a_star_so_that_keeping_its_first_loses_nothing() -> None:
    seen = [Seen(n, str(n), "", n, 1, 100 - n, 1) for n in range(5)]
    chain = {(0, 1), (1, 2), (2, 3), (3, 4)}
    assert groups_of(seen, chain) == [[0, 1], [2, 3]]
    assert groups_of(seen, set()) == []


def test_near_vectors_are_found_among_many() -> None:
    chance = np.random.default_rng(1)
    base = np.abs(chance.normal(size=(3_000, 256)))
    copies = base[:200] + chance.normal(scale=0.15, size=(200, 256))
    vectors = unit(np.concatenate([base, copies]))
    true = (vectors[:200] * vectors[3_000:]).sum(axis=1) >= 0.95

    def all_of_them(ones: np.ndarray, others: np.ndarray, likeness: np.ndarray) -> np.ndarray:
        return np.ones(len(ones), dtype=bool)

    short = unit(vectors @ basis_of(vectors))
    found = {
        (one, other): cosine
        for one, other, cosine in near_vectors(short, lambda at: vectors[at], 0.95, worth=all_of_them)
    }
    hits = [(n, 3_000 + n) in found for n in range(200) if true[n]]
    assert sum(true) > 150 and sum(hits) >= 0.95 * len(hits)
    everything = vectors @ vectors.T
    assert all(abs(everything[pair] - cosine) < 1e-3 and cosine >= 0.95 for pair, cosine in found.items())


def test_searching_anew_costs_no_trashed_pictures(dataset: Dataset, team: Team, work: Work) -> None:
    Image.objects.filter(name__in=["small.jpg", "poor.jpg"]).update(trashed_at="2026-01-01T00:00:00Z")
    assert names(dataset) == [["two.jpg", "soft.jpg"]]
