"""The bulk job that learns, after the embeddings, which pictures of a data set look alike, and groups them.

What it learnt serves later pictures too, until there are half as many again: then it learns anew.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from datasets.clusters import centres_of, groups_of, how_many
from datasets.embeddings import Extractor, current_extractor, features_of, missing_of
from datasets.models import Dataset, Image, Likeness
from datasets.selection import images_with_ids
from datasets.sketches import Basis, Sketch
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import WAITING, Job
from web import storage
from web.sentences import Sentence

KIND = "datasets.likeness"
SAMPLE, CHUNK, WRITTEN_AT_ONCE = 20_000, 4_000, 5_000
GROWN = 1.5
COMPARING = Sentence(gettext_noop("Comparing the pictures with one another"))
Rows = list[tuple[int, str, str, int]]  # picture, sha256, storage key, group so far


def compare_soon(dataset: Dataset) -> None:
    """Queue a run, unless one waits already. Said when embeddings came, in their transaction."""
    payload = {"dataset": dataset.pk}
    if not Job.objects.filter(kind=KIND, state__in=WAITING, payload=payload).exists():
        queue.enqueue(KIND, payload, project=dataset.project, user=None)


@lru_cache(maxsize=2)
def sketch_at(key: str) -> Sketch:
    """A stored sketch: 70 bytes a picture, and it never changes."""
    return Sketch.from_bytes(storage.read(key))


@dataclass(frozen=True)
class Work:
    """A run: whose pictures, by whose vectors, for which attempt."""

    dataset: Dataset
    extractor: Extractor
    attempt: Attempt


@dataclass(frozen=True)
class Shortened:
    """Live pictures that have an embedding, by rising id, with the group that each was in."""

    ids: NDArray[np.int64]
    codes: NDArray[np.int8]
    groups: NDArray[np.int64]


def run(attempt: Attempt) -> None:
    """Bring the sketch and the groups up to date."""
    dataset = Dataset.objects.filter(pk=attempt.payload["dataset"]).first()
    if dataset is None:
        return
    work = Work(dataset, current_extractor(), attempt)
    total = dataset.images.live().count()
    before = Likeness.objects.filter(dataset=dataset, extractor=work.extractor.id).first()
    if before and total > GROWN * before.learnt_from:
        before = None
    old = sketch_at(before.key) if before else None
    basis = old.basis if old else learn(work)
    found = shortened(work, basis, old, total) if basis else None
    if basis is None or found is None or not len(found.ids):
        return
    centres = (
        old.centres
        if old
        else centres_of(
            evenly(found.codes).astype(np.float32), how_many(len(found.codes)), check=attempt.check
        )
    )
    write(work, found, groups_of(found.codes, centres) + 1)
    sketch = Sketch(found.ids, found.codes, basis, centres)
    values = {
        "extractor": work.extractor.id,
        "key": storage.put_bytes("likeness", sketch.to_bytes(), ".npz"),
        "images": len(found.ids),
        "learnt_from": before.learnt_from if before else total,
    }
    with transaction.atomic():
        attempt.hold()
        Likeness.objects.update_or_create(dataset=dataset, defaults=values)


def evenly(rows: NDArray[np.int8]) -> NDArray[np.int8]:
    """At most SAMPLE of the rows, from everywhere."""
    return rows[:: -(-len(rows) // SAMPLE)]


def learn(work: Work) -> Basis | None:
    """From a sample; None where no picture has an embedding."""
    every = list(work.dataset.images.live().order_by("pk").values_list("pk", flat=True))
    some = every[:: max(1, -(-len(every) // SAMPLE))]
    vectors = [np.empty((0, work.extractor.dimensions), dtype=np.float16)]
    for start in range(0, len(some), CHUNK):
        work.attempt.check()
        part = images_with_ids(work.dataset, some[start : start + CHUNK]).order_by("pk")
        vectors.append(vectors_of(work.extractor, rows_of(part))[1])
    found = np.concatenate(vectors)
    return Basis.learn(found) if len(found) else None


def rows_of(images: "QuerySet[Image]") -> Rows:
    """What is needed of these pictures."""
    return list(images.values_list("pk", "sha256", "key", "cluster"))


def vectors_of(extractor: Extractor, rows: Rows) -> tuple[Rows, NDArray[np.float16]]:
    """The rows that have an embedding, and these."""
    missing = {sha256 for sha256, _ in missing_of(extractor, [row[1:3] for row in rows])}
    kept = [row for row in rows if row[1] not in missing]
    if not kept:
        return [], np.empty((0, extractor.dimensions), dtype=np.float16)
    return kept, features_of(extractor, [row[1] for row in kept])


def parts(dataset: Dataset) -> Iterator[Rows]:
    """All live pictures by rising number, a part at a time."""
    last = 0
    while rows := rows_of(dataset.images.live().filter(pk__gt=last).order_by("pk")[:CHUNK]):
        yield rows
        last = rows[-1][0]


def shortened(work: Work, basis: Basis, old: Sketch | None, total: int) -> Shortened:
    """All of them; those that the old sketch knows are taken over from it."""
    found = [Shortened(np.empty(0, np.int64), basis.codes(learnt_nothing(basis)), np.empty(0, np.int64))]
    done = 0
    for rows in parts(work.dataset):
        work.attempt.check()
        found.append(part_of(work, basis, old, rows))
        done += len(rows)
        work.attempt.progress(done, total, COMPARING)
    return Shortened(
        np.concatenate([part.ids for part in found]),
        np.concatenate([part.codes for part in found]),
        np.concatenate([part.groups for part in found]),
    )


def learnt_nothing(basis: Basis) -> NDArray[np.float16]:
    """No vectors, of the right width."""
    return np.empty((0, len(basis.mean)), dtype=np.float16)


def part_of(work: Work, basis: Basis, old: Sketch | None, rows: Rows) -> Shortened:
    """Some pictures, by rising id."""
    places = {row[0]: place for row in rows if old and (place := old.place_of(row[0])) is not None}
    fresh, vectors = vectors_of(work.extractor, [row for row in rows if row[0] not in places])
    both = [row for row in rows if row[0] in places] + fresh
    codes = basis.codes(vectors)
    if old and places:
        codes = np.concatenate([old.codes[list(places.values())], codes])
    ids = np.array([row[0] for row in both], dtype=np.int64)
    order = np.argsort(ids)
    return Shortened(ids[order], codes[order], np.array([row[3] for row in both], dtype=np.int64)[order])


def write(work: Work, found: Shortened, groups: NDArray[np.int64]) -> None:
    """Give the pictures whose group is another one their new number, few enough at once to let others in."""
    differ = groups != found.groups
    for group in np.unique(groups[differ]):
        moved = found.ids[(groups == group) & differ].tolist()
        for start in range(0, len(moved), WRITTEN_AT_ONCE):
            work.attempt.check()
            with transaction.atomic():
                work.attempt.hold()
                chosen = images_with_ids(work.dataset, moved[start : start + WRITTEN_AT_ONCE])
                chosen.update(cluster=int(group))
