"""Pictures that may have the wrong label: looked for once tagging has settled, then accepted or dismissed by people.

See docs/mislabels.md.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import NamedTuple

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets import tally
from datasets.confident import Suspect, suspects
from datasets.embeddings import Extractor, current_extractor, features_of, missing_of
from datasets.models import Dataset, Label, Mislabel, TagAction
from datasets.ridge import fit, unit
from datasets.selection import images_with_ids
from datasets.tagging import tag_images
from jobs.attempts import Attempt
from jobs.models import Job
from jobs.queue import enqueue_later, put_off
from web.sentences import Sentence

KIND = "datasets.mislabels"
SETTLED = timedelta(seconds=40)  # after the last act
LABELS, LEAST = 2, 5  # so many labels with so many pictures each are enough to judge
MOST_LEARNT, MOST_LOOKED_AT, MOST_KEPT = 4_000, 50_000, 1_000
CHUNK, NEIGHBOURS = 2_000, 3
LOOKING = Sentence(gettext_noop("Looking for pictures with a wrong label"))


class Row(NamedTuple):
    """A tagged picture."""

    image: int
    sha256: str
    key: str
    label: int


class Doubt(NamedTuple):
    """What the judgement of one picture came to."""

    image: int
    given: int
    proposed: int
    score: float
    neighbours: list[int]


def look_soon(dataset: Dataset, user: User | None, waiting: Job | None = None) -> None:
    """Queue a look for when tagging has settled, if there is enough to judge. In the act's transaction."""
    if waiting:
        put_off(waiting, SETTLED)
    elif sum(n >= LEAST for shelf, n in tally.read(dataset).items() if shelf > 0) >= LABELS:
        enqueue_later(KIND, {"dataset": dataset.pk}, project=dataset.project, pause=SETTLED)


def run(attempt: Attempt) -> None:
    """Judge every tagged picture that has an embedding, and put the outcome in the place of the last one."""
    dataset = Dataset.objects.filter(pk=attempt.payload["dataset"], trashed_at=None).first()
    if dataset is None:
        return
    attempt.progress(0, 1, LOOKING)
    doubts = find(dataset, current_extractor(), attempt)
    with transaction.atomic():
        attempt.hold()
        store(dataset, doubts)
    attempt.progress(1, 1, LOOKING)


def find(dataset: Dataset, extractor: Extractor, attempt: Attempt) -> list[Doubt]:
    """The pictures whose label is doubted, the most certain first."""
    rows = tagged(dataset, extractor)
    labels = sorted({row.label for row in rows})
    if len(labels) < LABELS:
        return []
    attempt.check()
    vectors = features_of(extractor, [row.sha256 for row in rows])
    given = np.searchsorted(labels, [row.label for row in rows])
    found = judge(vectors, given, len(labels))[:MOST_KEPT]
    attempt.check()
    nearest = neighbours(vectors, [each.row for each in found])
    return [
        Doubt(rows[each.row].image, labels[given[each.row]], labels[each.proposed], each.score, close)
        for each, close in zip(found, [[rows[at].image for at in row] for row in nearest], strict=True)
    ]


def tagged(dataset: Dataset, extractor: Extractor) -> list[Row]:
    """The last pictures of labels in use that have enough of them, as far as their embeddings are there."""
    images = dataset.images.live().filter(label__removed_at=None, label__archived_at=None).exclude(label=None)
    rows = [
        Row(*each)
        for each in images.order_by("-pk").values_list("pk", "sha256", "key", "label")[:MOST_LOOKED_AT]
    ]
    missing = {sha256 for sha256, _ in missing_of(extractor, [(row.sha256, row.key) for row in rows])}
    rows = [row for row in rows if row.sha256 not in missing]
    labels, counts = np.unique([row.label for row in rows], return_counts=True)
    enough = set(labels[counts >= LEAST].tolist())
    return [row for row in rows if row.label in enough]


def judge(vectors: np.ndarray, given: np.ndarray, k: int) -> list[Suspect]:
    """Suspects by out-of-fold probabilities; then once more by a head that did not learn from the first ones.

    vectors [n, d], given [n] of 0..k-1. A wrong label teaches the head a little of what is wrong, so the second
    look (the paper's pruning) is the sharper one.
    """
    learnt = np.random.default_rng(0).permutation(len(given))[:MOST_LEARNT]
    first = suspects(out_of_fold(vectors, given, k, learnt), given)
    clean = np.setdiff1d(learnt, [each.row for each in first])
    if len(np.unique(given[clean])) < len(np.unique(given[learnt])):
        return first
    return suspects(out_of_fold(vectors, given, k, clean), given)


def out_of_fold(vectors: np.ndarray, given: np.ndarray, k: int, learnt: np.ndarray) -> np.ndarray:
    """Probabilities [n, k] by a head that never saw the row: left out of the fit, or not in it at all."""
    head = fit(vectors[learnt], given[learnt], k)
    found = np.empty((len(given), k), dtype=np.float32)
    for start in range(0, len(given), CHUNK):
        found[start : start + CHUNK] = head.probabilities(vectors[start : start + CHUNK])
    found[learnt] = head.left_out
    return found


def neighbours(vectors: np.ndarray, rows: Sequence[int]) -> np.ndarray:
    """The rows whose pictures look most like each of these: int [len(rows), NEIGHBOURS]."""
    every = unit(vectors)
    found = np.empty((len(rows), min(NEIGHBOURS, len(vectors) - 1)), dtype=np.int64)
    for start in range(0, len(rows), 100):
        part = np.asarray(rows[start : start + 100], dtype=np.int64)
        alike = every[part] @ every.T
        alike[np.arange(len(part)), part] = -np.inf
        found[start : start + 100] = np.argsort(-alike, axis=1)[:, : found.shape[1]]
    return found


def store(dataset: Dataset, doubts: Sequence[Doubt]) -> None:
    """In the place of the last outcome. What was dismissed stays so until the picture's label changes."""
    Mislabel.objects.filter(dataset=dataset, dismissed_at=None).delete()
    Mislabel.objects.filter(dataset=dataset).exclude(image__label=F("given")).delete()
    dismissed = set(Mislabel.objects.filter(dataset=dataset).values_list("image", flat=True))
    now = dict(images_with_ids(dataset, [each.image for each in doubts]).values_list("pk", "label"))
    labels = set(dataset.labels.values_list("pk", flat=True))
    Mislabel.objects.bulk_create(
        Mislabel(
            dataset=dataset,
            image_id=each.image,
            given_id=each.given,
            proposed_id=each.proposed,
            score=each.score,
            neighbours=each.neighbours,
        )
        for each in doubts
        if each.image not in dismissed and now.get(each.image) == each.given and each.proposed in labels
    )


def queue_of(dataset: Dataset) -> "QuerySet[Mislabel]":
    """What waits for somebody to look, the most certain first."""
    open_ones = Mislabel.objects.filter(dataset=dataset, dismissed_at=None, image__trashed_at=None)
    open_ones = open_ones.filter(
        image__label=F("given"), proposed__removed_at=None, proposed__archived_at=None
    )
    return open_ones.select_related("image", "given", "proposed").order_by("-score", "pk")


def accept(*, mislabel: Mislabel, user: User, label: Label | None = None) -> TagAction:
    """The picture gets the proposed label, or another; an act like any other, undoable. Raises LabelGone."""
    chosen = mislabel.dataset.images.filter(pk=mislabel.image_id)
    return tag_images(dataset=mislabel.dataset, user=user, chosen=chosen, label=label or mislabel.proposed)


def dismiss(*, mislabel: Mislabel, user: User) -> None:
    """The given label is right."""
    Mislabel.objects.filter(pk=mislabel.pk).update(dismissed_at=timezone.now(), dismissed_by=user)


def reopen(*, mislabel: Mislabel) -> None:
    """Undo of a dismissal."""
    Mislabel.objects.filter(pk=mislabel.pk).update(dismissed_at=None, dismissed_by=None)
