"""Likely mislabels: found by what did not learn from the picture, and settled by people."""

from collections.abc import Callable

import numpy as np
import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from datasets import mislabels
from datasets.confident import class_thresholds, confident_joint, suspects
from datasets.embeddings import current_extractor, keep
from datasets.labels import create_label
from datasets.mislabels import accept, dismiss, judge, look_soon, queue_of, reopen
from datasets.models import Dataset, Image, Mislabel
from datasets.tagging import tag_images, undo
from jobs import queue
from jobs.models import Job
from tests.datasets.makers import Work, make_dataset, make_images
from tests.factories import Team

Page = Callable[[str], Client]
PER_LABEL = 12


@pytest.fixture
def pets(team: Team) -> Dataset:
    """Cats and dogs far apart from each other, one cat among them tagged dog."""
    dataset = make_dataset(team)
    extractor, noise = current_extractor(), np.random.default_rng(1)
    for side, name in enumerate(("cat", "dog")):
        images = make_images(dataset, PER_LABEL, create_label(dataset=dataset, name=name, user=None))
        vectors = noise.normal(0, 0.1, (PER_LABEL, extractor.dimensions)).astype(np.float16)
        vectors[:, side] += 1
        keep(extractor, [image.sha256 for image in images], vectors)
    Image.objects.filter(pk=wrong(dataset).pk).update(label=dataset.labels.get(name="dog"))
    return dataset


def wrong(dataset: Dataset) -> Image:
    """The cat that is tagged dog."""
    return dataset.images.order_by("pk")[3]


def look(dataset: Dataset, work: Work) -> None:
    """As when tagging has settled."""
    with transaction.atomic():
        queue.enqueue(mislabels.KIND, {"dataset": dataset.pk}, project=dataset.project)
    work()


def test_the_threshold_is_what_a_class_is_on_average_sure_of() -> None:
    probabilities = np.array([[0.9, 0.1], [0.7, 0.3], [0.2, 0.8], [0.75, 0.25]])
    given = np.array([0, 0, 1, 1])
    assert class_thresholds(probabilities, given, 3).tolist() == pytest.approx([0.8, 0.525, np.inf])
    assert suspects(probabilities, given) == []
    given[3], probabilities[3] = 1, [0.95, 0.05]
    ((row, proposed, score),) = suspects(probabilities, given)
    assert (row, proposed) == (3, 0)
    assert score == pytest.approx(0.9)
    assert confident_joint(probabilities, given).tolist() == [[2, 0], [1, 1]]


def test_flipped_labels_are_found_among_many() -> None:
    noise = np.random.default_rng(3)
    truth = np.repeat(np.arange(4), 50)
    vectors = noise.normal(0, 0.15, (200, 32)) + 2 * np.eye(32)[truth]
    given = truth.copy()
    flipped = noise.choice(200, 10, replace=False)
    given[flipped] = (given[flipped] + 1) % 4
    found = judge(vectors.astype(np.float16), given, 4)
    assert {each.row for each in found[:10]} == set(flipped.tolist())
    assert all(each.proposed == truth[each.row] for each in found[:10])


def test_a_cat_among_the_dogs_is_proposed_with_what_it_looks_like(pets: Dataset, work: Work) -> None:
    look(pets, work)
    (found,) = queue_of(pets)
    assert (found.image, found.given.name, found.proposed.name) == (wrong(pets), "dog", "cat")
    assert len(found.neighbours) == 3
    assert set(Image.objects.filter(pk__in=found.neighbours).values_list("label__name", flat=True)) == {"cat"}


def test_accepting_is_an_act_that_can_be_undone(team: Team, pets: Dataset, work: Work) -> None:
    look(pets, work)
    action = accept(mislabel=queue_of(pets)[0], user=team.people["labeller"])
    assert (action.changed, queue_of(pets).count(), wrong(pets).label.name) == (1, 0, "cat")  # type: ignore[union-attr]
    undo(action=action, user=team.people["labeller"])
    assert queue_of(pets).count() == 1


def test_what_was_dismissed_stays_away_until_its_label_changes(team: Team, pets: Dataset, work: Work) -> None:
    look(pets, work)
    first = queue_of(pets)[0]
    dismiss(mislabel=first, user=team.people["labeller"])
    look(pets, work)
    assert not queue_of(pets).exists()
    reopen(mislabel=Mislabel.objects.get(pk=first.pk))
    assert queue_of(pets).count() == 1
    dismiss(mislabel=first, user=team.people["labeller"])
    chosen = pets.images.filter(pk=wrong(pets).pk)
    tag_images(dataset=pets, user=team.people["labeller"], chosen=chosen, label=pets.labels.get(name="cat"))
    look(pets, work)
    tag_images(dataset=pets, user=team.people["labeller"], chosen=chosen, label=pets.labels.get(name="dog"))
    look(pets, work)
    assert queue_of(pets).count() == 1


def test_acts_ask_for_one_look_that_waits_until_they_have_settled(team: Team, pets: Dataset) -> None:
    with transaction.atomic():
        look_soon(pets, None)
    (job,) = Job.objects.filter(kind=mislabels.KIND)
    earlier = timezone.now()
    Job.objects.update(wake_at=earlier)
    person, cat = team.people["labeller"], pets.labels.get(name="cat")
    tag_images(dataset=pets, user=person, chosen=pets.images.filter(pk=wrong(pets).pk), label=cat)
    (job,) = Job.objects.filter(kind=mislabels.KIND)
    assert job.wake_at and job.wake_at > earlier + mislabels.SETTLED / 2


def test_the_page_shows_one_at_a_time_and_takes_the_answer(pets: Dataset, work: Work, page: Page) -> None:
    address = f"/datasets/{pets.pk}/mislabels/"
    assert "Nothing looks wrong" in page("viewer").get(address).text
    look(pets, work)
    assert "1 picture may be tagged wrongly" in page("viewer").get(f"/datasets/{pets.pk}/?state=all").text
    shown = page("labeller").get(f"{address}?at=99").text
    assert all(word in shown for word in ("Tag cat", "Keep dog", "Looks most like these"))
    assert "Tag cat" not in page("viewer").get(address).text
    kept = page("labeller").post(f"{address}{wrong(pets).pk}/dismiss/", {"at": "0"}, follow=True)
    assert "It stays dog." in kept.text and "Nothing looks wrong" in kept.text
    mislabel = Mislabel.objects.get()
    page("labeller").post(f"{address}undo/", {"mislabel": mislabel.pk})
    taken = page("labeller").post(f"{address}{wrong(pets).pk}/accept/", follow=True)
    assert "Tagged cat." in taken.text
    action = pets.actions.latest("pk")
    page("labeller").post(f"{address}undo/", {"action": action.pk})
    assert wrong(pets).label.name == "dog"  # type: ignore[union-attr]


def test_who_may_and_what_is_no_picture(pets: Dataset, work: Work, page: Page) -> None:
    look(pets, work)
    address = f"/datasets/{pets.pk}/mislabels/"
    decide = f"{address}{wrong(pets).pk}/accept/"
    assert [page(who).post(decide).status_code for who in ("stranger", "viewer")] == [404, 403]
    assert page("labeller").get(decide).status_code == 405
    assert page("labeller").post(decide, {"label": "x"}).status_code == 404
    assert page("labeller").post(f"{address}999/accept/").status_code == 404
    assert page("labeller").post(f"{address}undo/", {"action": "x"}).status_code == 404


def test_the_api_lists_and_dismisses(pets: Dataset, work: Work, api: Callable[..., Client]) -> None:
    look(pets, work)
    address = f"/api/v1/datasets/{pets.pk}/mislabels"
    (item,) = api("viewer").get(address).json()["items"]
    assert (item["image"], item["given"], item["proposed"]) == (wrong(pets).pk, "dog", "cat")
    assert 0 < item["score"] <= 1
    assert api("labeller").post(f"{address}/{item['image']}/dismiss").status_code == 204
    assert api("viewer").get(address).json() == {"items": [], "next": None}
    assert api("stranger").get(address).status_code == 404
