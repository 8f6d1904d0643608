"""Suggestions: from a few tags to a label for every picture, accepted and undone as one act."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.test import Client

from datasets import ridge
from datasets.embeddings import BUILT_IN, ensure_features
from datasets.labels import delete_label
from datasets.models import ActionKind, Dataset, Image, Label
from datasets.selection import BadFilter, Filter, Selection, images_matching
from datasets.strangeness import known
from datasets.suggesting import KIND, Learnt
from datasets.suggestions import WEAK, Proposal, accept, accept_again, how_sure, record_of, store
from datasets.tagging import tag_images, undo
from jobs.models import Job
from tests.datasets.makers import Work, begin, make_dataset, make_images, zip_of
from tests.factories import Team, picture
from web import storage

Api = Callable[..., Client]
SUGGESTED = Filter(state="suggested")


@pytest.fixture
def dataset(team: Team) -> Dataset:
    """Two labels and ten pictures without one."""
    dataset = make_dataset(team)
    for position, name in enumerate(["red", "blue"]):
        Label.objects.create(dataset=dataset, name=name, position=position)
    make_images(dataset, 10)
    return dataset


@pytest.fixture
def photos(team: Team) -> Dataset:
    """Twelve reddish and twelve bluish pictures with real files and embeddings; none has a label."""
    dataset = make_dataset(team, "Photos")
    for position, name in enumerate(["red", "blue"]):
        Label.objects.create(dataset=dataset, name=name, position=position)
    made = []
    for n in range(24):
        colour = f"#{200 + n:02x}2020" if n % 2 else f"#2020{200 + n:02x}"
        key = storage.put_bytes("images", picture(colour), ".png")
        same = {"format": "PNG", "bytes": 9, "width": 64, "height": 48, "key": key, "thumbnail_key": key}
        made.append(
            Image(dataset=dataset, name=f"{'red' if n % 2 else 'blue'}-{n}.png", sha256=f"{n:064d}", **same)
        )
    Image.objects.bulk_create(made)
    ensure_features(BUILT_IN, list(dataset.images.values_list("sha256", "key")))
    return dataset


def suggest(dataset: Dataset, label: str = "red", confidences: list[float] | None = None) -> list[int]:
    """Suggestions for the first pictures, one for each confidence."""
    ids = list(dataset.images.order_by("pk").values_list("pk", flat=True))
    sure = confidences or [0.5, 0.6, 0.95]
    rows = [Proposal(pk, label, each) for pk, each in zip(ids, sure, strict=False)]
    store(dataset=dataset, source="somebody", rows=rows)
    return ids


def shown(dataset: Dataset, **more: str) -> list[int]:
    wanted = Filter.from_params({"state": "suggested", **more})
    return list(images_matching(dataset, wanted).values_list("pk", flat=True))


def test_the_latest_suggestions_take_the_place_of_those_before(dataset: Dataset) -> None:
    _, second, *_ = suggest(dataset)
    assert store(dataset=dataset, source="new", rows=[Proposal(second, "blue", 0.7)]) == 1
    assert shown(dataset) == [second]


def test_unknown_labels_tagged_pictures_and_strangers_are_not_stored(team: Team, dataset: Dataset) -> None:
    first, second, third, *_ = suggest(dataset)
    dataset.images.filter(pk=first).update(label=dataset.labels.get(name="red"))
    other = make_images(make_dataset(team, "Other"), 1)[0].pk
    rows = [Proposal(first, "red", 1), Proposal(second, "green", 1), Proposal(other, "red", 1)]
    assert store(dataset=dataset, source="x", rows=[*rows, Proposal(third, "red", 7.0)]) == 1
    assert dataset.suggestions.get().confidence == 1.0


def test_suggestions_are_ordered_by_confidence_or_doubt_and_filtered_by_label(dataset: Dataset) -> None:
    ids = suggest(dataset)
    assert shown(dataset, order="-confidence") == ids[2::-1]
    assert shown(dataset, order="confidence") == ids[:3]
    assert shown(dataset, label="red") == ids[:3] and shown(dataset, label="blue") == []
    with pytest.raises(BadFilter, match="confidence"):
        images_matching(dataset, Filter(order="confidence"))


def test_accepting_gives_each_picture_its_own_label_and_is_undone_as_a_whole(
    team: Team, dataset: Dataset
) -> None:
    first, second, third, *_ = (image.pk for image in dataset.images.order_by("pk"))
    rows = [Proposal(first, "red", 0.9), Proposal(second, "blue", 0.95), Proposal(third, "blue", 0.4)]
    store(dataset=dataset, source="x", rows=rows)
    everything = Selection.of(dataset, filter={})
    user = team.people["labeller"]
    action = accept(dataset=dataset, user=user, chosen=everything, at_least=0.9)
    labels = dict(dataset.images.exclude(label=None).values_list("pk", "label__name"))
    assert labels == {first: "red", second: "blue"}
    assert (action.kind, action.changed) == (ActionKind.ACCEPT, 2)
    assert undo(action=action, user=user).changed == 2
    assert not dataset.images.exclude(label=None).exists() and shown(dataset) == [first, second, third]
    store(dataset=dataset, source="x", rows=[])
    assert accept_again(before=action, user=user).changed == 2
    assert dict(dataset.images.exclude(label=None).values_list("pk", "label__name")) == labels


def test_a_picture_that_got_a_label_meanwhile_keeps_it(team: Team, dataset: Dataset) -> None:
    ids = suggest(dataset)
    user, everything = team.people["labeller"], Selection.of(dataset, filter={})
    blue = dataset.labels.get(name="blue")
    tag_images(dataset=dataset, user=user, chosen=Selection.of(dataset, images=ids[:1]), label=blue)
    assert shown(dataset) == ids[1:3]
    assert accept(dataset=dataset, user=user, chosen=everything).changed == 2
    assert dataset.images.get(pk=ids[0]).label == blue


def test_a_label_taken_away_is_suggested_no_more(team: Team, dataset: Dataset) -> None:
    suggest(dataset)
    delete_label(label=dataset.labels.get(name="red"), user=team.people["engineer"])
    assert shown(dataset) == []
    chosen = Selection.of(dataset, filter={})
    assert accept(dataset=dataset, user=team.people["labeller"], chosen=chosen).changed == 0


def test_the_record_counts_what_people_gave_against_what_was_suggested(team: Team, dataset: Dataset) -> None:
    ids = suggest(dataset, confidences=[0.9] * 6)
    user = team.people["labeller"]
    red, blue = dataset.labels.get(name="red"), dataset.labels.get(name="blue")

    def tag(pictures: list[int], label: Label):  # type: ignore[no-untyped-def]
        return tag_images(
            dataset=dataset, user=user, chosen=Selection.of(dataset, images=pictures), label=label
        )

    tag(ids[:2], red)
    wrong = tag(ids[2:4], blue)
    tag(ids[2:3], red)  # a change of mind is no answer to a suggestion
    tag(ids[8:], red)  # nothing was suggested for these
    accept(dataset=dataset, user=user, chosen=Selection.of(dataset, images=ids[4:6]))
    assert (record_of(dataset).right, record_of(dataset).asked) == (4, 6)
    assert record_of(dataset).percent == 66
    undo(action=wrong, user=user)
    assert record_of(dataset).percent == 100


def test_how_many_are_how_sure(dataset: Dataset) -> None:
    suggest(dataset, confidences=[0.4, 0.55, 0.92, 0.93])
    assert how_sure(dataset, SUGGESTED) == [(0.9, 2), (0.8, 2), (0.7, 2), (0.5, 3)]


def test_five_tags_of_two_labels_bring_right_suggestions_for_all_others(
    work: Work, team: Team, photos: Dataset
) -> None:
    for name in ("red", "blue"):
        chosen = photos.images.filter(name__startswith=name)
        some = Selection.of(photos, images=list(chosen.values_list("pk", flat=True)[:5]))
        label = photos.labels.get(name=name)
        tag_images(dataset=photos, user=team.people["labeller"], chosen=some, label=label)
    assert Job.objects.filter(kind=KIND).count() == 1
    work()
    found = photos.suggestions.values_list("image__name", "label__name", "source")
    assert len(found) == 14
    assert all(name.startswith(label) and source == WEAK for name, label, source in found)


def test_pictures_imported_later_get_suggestions_by_themselves(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    reds = [picture(f"#{200 + n:02x}2020") for n in range(7)]
    blues = [picture(f"#2020{200 + n:02x}") for n in range(7)]
    tagged = {f"red/{n}.png": content for n, content in enumerate(reds[:5])}
    tagged |= {f"blue/{n}.png": content for n, content in enumerate(blues[:5])}
    loose = {"red-x.png": reds[5], "red-y.png": reds[6], "blue-x.png": blues[5]}
    begin(team, dataset, ("tagged.zip", zip_of(tagged)))
    work()
    assert not dataset.suggestions.exists()
    begin(team, dataset, *loose.items())
    work()
    found = dict(dataset.suggestions.values_list("image__name", "label__name"))
    assert found == {"red-x.png": "red", "red-y.png": "red", "blue-x.png": "blue"}


def test_many_acts_queue_one_run_and_too_few_tags_none(team: Team, photos: Dataset) -> None:
    user, ids = team.people["labeller"], list(photos.images.order_by("pk").values_list("pk", flat=True))
    labels = list(photos.labels.order_by("pk"))
    for at, pk in enumerate(ids[:8]):
        chosen = Selection.of(photos, images=[pk])
        tag_images(dataset=photos, user=user, chosen=chosen, label=labels[at % 2])
    assert not Job.objects.filter(kind=KIND).exists()
    for at, pk in enumerate(ids[8:14]):
        chosen = Selection.of(photos, images=[pk])
        tag_images(dataset=photos, user=user, chosen=chosen, label=labels[at % 2])
    assert Job.objects.filter(kind=KIND).count() == 1


def test_left_out_scores_are_those_of_a_fit_without_the_picture() -> None:
    chance = np.random.default_rng(1)
    vectors, classes = chance.normal(size=(30, 8)), chance.integers(0, 3, 30)
    known = ridge.unit(vectors).astype(np.float64)
    wanted = np.eye(3)[classes]
    left, values = ridge.directions(known - known.mean(axis=0))
    along = left.T @ (wanted - wanted.mean(axis=0))
    found = ridge.left_out_scores(left, values / (values + 0.5), along, wanted)[4]
    rest = np.arange(30) != 4
    # The same problem in the open: an intercept that is not shrunk, and weights that are
    wide = np.hstack([known[rest], np.ones((29, 1))])
    weights = np.linalg.solve(wide.T @ wide + np.diag([0.5] * 8 + [0.0]), wide.T @ wanted[rest])
    assert np.allclose(found, np.append(known[4], 1.0) @ weights, atol=1e-6)


def test_a_head_is_fitted_quickly_and_its_probabilities_add_up() -> None:
    import time

    chance = np.random.default_rng(0)
    classes = chance.integers(0, 10, 400)
    vectors = (chance.normal(size=(400, 640)) + np.eye(10, 640)[classes] * 20).astype(np.float16)
    began = time.process_time()
    head = ridge.fit(vectors, classes, 10)
    assert time.process_time() - began < 8, "a few tenths of a second on one quiet core"
    found = head.probabilities(vectors[:50])
    assert found.shape == (50, 10) and np.allclose(found.sum(axis=1), 1, atol=1e-5)
    assert (head.left_out.argmax(axis=1) == classes).mean() > 0.9


def test_what_looks_like_nothing_tagged_is_suggested_with_doubt() -> None:
    chance = np.random.default_rng(3)
    centres = chance.normal(size=(3, 64)) * 3
    classes = np.repeat([0, 1], 20)
    tagged = centres[classes] + chance.normal(size=(40, 64))
    learnt = Learnt(["cat", "dog"], ridge.fit(tagged, classes, 2), known(tagged, classes))
    of_known = [sure for _, sure, _ in learnt.say(centres[classes] + chance.normal(size=(40, 64)))]
    of_others = [sure for _, sure, _ in learnt.say(centres[[2] * 40] + chance.normal(size=(40, 64)))]
    assert np.median(of_known) > 0.9
    assert max(of_others) < 0.5


def test_suggesting_needs_neither_torch_nor_scikit_learn() -> None:
    root = Path(__file__).resolve().parents[2]
    program = "import sys, datasets.ridge; print(sorted({'torch', 'sklearn', 'scipy'} & set(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=root, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"


def test_the_api_lists_suggestions_accepts_them_and_undoes_it(api: Api, dataset: Dataset) -> None:
    suggest(dataset)
    client = api("labeller")
    address = f"/api/v1/datasets/{dataset.pk}"
    listed = client.get(f"{address}/images?state=suggested&order=-confidence&limit=2").json()
    assert [item["suggestion"]["confidence"] for item in listed["items"]] == [0.95, 0.6]
    assert listed["items"][0]["suggestion"]["label"] == "red"
    rest = client.get(f"{address}/images?state=suggested&order=-confidence&cursor={listed['next']}").json()
    assert [item["suggestion"]["confidence"] for item in rest["items"]] == [0.5]
    body = {"filter": {"state": "suggested"}, "at_least": 0.6}
    answer = client.post(f"{address}/accept-suggestions", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200 and answer.json()["changed"] == 2
    undone = client.post(f"{address}/tag-actions/{answer.json()['action']}/undo")
    assert undone.json() == {"changed": 2, "skipped": 0}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"images": [1], "filter": {}}, 422),
        ({"filter": {}, "at_least": 2}, 422),
        ({"images": [0]}, 404),
    ],
)
def test_a_bad_wish_to_accept_is_refused(api: Api, dataset: Dataset, body: object, status: int) -> None:
    address = f"/api/v1/datasets/{dataset.pk}/accept-suggestions"
    answer = api("labeller").post(address, json.dumps(body), content_type="application/json")
    assert answer.status_code == status and answer["Content-Type"].startswith("application/problem+json")
    assert api("labeller").get(address).status_code == 405
