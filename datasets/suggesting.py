"""The quick job that learns from the tags so far and suggests a label for every untagged picture."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets import embeddings, tally
from datasets.embeddings import Extractor, current_extractor, embed_soon, features_of, missing_of
from datasets.models import Dataset
from datasets.models.tally import OPEN, SKIPPED
from datasets.ridge import Head, fit
from datasets.strangeness import Known, known
from datasets.suggestions import WEAK, Proposal, store
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import Job
from web.sentences import Sentence

KIND = "datasets.suggest"
SOURCE = "embeddings"
LABELS, LEAST = 2, 5  # so many labels with so many pictures each are enough to begin
MOST_LEARNT, MOST_LOOKED_AT, MOST_SUGGESTED = 4_000, 100_000, 20_000
CHUNK = 2_000
EMBED_AGAIN = timedelta(hours=1)
SUGGESTING = Sentence(gettext_noop("Learning from the tags so far"))
Row = tuple[int, str, str]  # picture, sha256, storage key


@dataclass(frozen=True)
class Learnt:
    """What the tags so far teach: a head for the labels of `names`, and the pictures it was taught with."""

    names: list[str]
    head: Head
    known: Known

    def say(self, vectors: np.ndarray) -> Iterator[tuple[str, float, float]]:
        """[m, d] → for each the likeliest label, how sure, its lead; the two are less where nothing tagged is alike."""
        found = self.head.probabilities(vectors)
        best = found.argmax(axis=1)
        first_two = np.partition(found, -2, axis=1)[:, -2:]
        trust = self.known.trust(vectors, best)
        lead = (first_two[:, 1] - first_two[:, 0]) * trust
        for column, confidence, margin in zip(best, found.max(axis=1) * trust, lead, strict=True):
            yield self.names[column], float(confidence), float(margin)


def suggest_soon(dataset: Dataset, user: User | None, waiting: Job | None) -> None:
    """Queue a run, unless one waits already or there is too little to learn from. In the act's transaction."""
    if waiting is None and (dataset.suggestions.exists() or enough(dataset)):
        queue.enqueue(KIND, {"dataset": dataset.pk}, project=dataset.project, user=user)


def enough(dataset: Dataset) -> bool:
    """Whether labels have the pictures to learn from, and pictures wait for a label."""
    shelves = tally.read(dataset)
    waiting = shelves.get(OPEN, 0) + shelves.get(SKIPPED, 0)
    return bool(waiting) and sum(n >= LEAST for shelf, n in shelves.items() if shelf > 0) >= LABELS


def run(attempt: Attempt) -> None:
    """Learn, suggest, and put the outcome in the place of the last one."""
    dataset = Dataset.objects.filter(pk=attempt.payload["dataset"]).first()
    if dataset is None:
        return
    attempt.progress(0, 1, SUGGESTING)
    extractor = current_extractor()
    proposals = list(propose(dataset, extractor, attempt))
    with transaction.atomic():
        attempt.hold()
        store(dataset=dataset, source=WEAK if extractor.weak else SOURCE, rows=proposals)
    attempt.progress(1, 1, SUGGESTING)


def propose(dataset: Dataset, extractor: Extractor, attempt: Attempt) -> Iterator[Proposal]:
    """The most likely label of each untagged picture that has an embedding."""
    open_ones = with_features(dataset, extractor, untagged(dataset))
    learnt = learn(dataset, extractor) if open_ones else None
    if learnt is None:
        return
    for start in range(0, len(open_ones), CHUNK):
        attempt.check()
        part = open_ones[start : start + CHUNK]
        found = learnt.say(features_of(extractor, [sha256 for _, sha256, _ in part]))
        for (image, _, _), (name, confidence, margin) in zip(part, found, strict=True):
            yield Proposal(image, name, confidence, margin)


def untagged(dataset: Dataset) -> list[Row]:
    """The pictures that wait for a label, the first ones of very many."""
    waiting = dataset.images.live().filter(label=None).order_by("pk")
    return list(waiting.values_list("pk", "sha256", "key")[:MOST_SUGGESTED])


def learn(dataset: Dataset, extractor: Extractor) -> Learnt | None:
    """From the tagged pictures; None where too few labels have enough of them."""
    tagged = dataset.images.live().filter(label__removed_at=None, label__archived_at=None)
    tagged = tagged.exclude(label=None).order_by("-pk")
    rows = list(tagged.values_list("pk", "sha256", "key", "label__name")[:MOST_LOOKED_AT])
    counts = Counter(name for *_, name in rows)
    names = sorted(name for name, count in counts.items() if count >= LEAST)
    if len(names) < LABELS:
        return None
    chosen = with_features(dataset, extractor, [row[:3] for row in evenly(rows, names)])
    label_of = {pk: names.index(name) for pk, _, _, name in rows if name in names}
    classes = np.array([label_of[pk] for pk, _, _ in chosen], dtype=np.int64)
    if len(set(classes.tolist())) < LABELS:
        return None
    vectors = features_of(extractor, [sha256 for _, sha256, _ in chosen])
    return Learnt(names, fit(vectors, classes, len(names)), known(vectors, classes))


def evenly(
    rows: Sequence[tuple[int, str, str, str]], names: Sequence[str]
) -> Iterator[tuple[int, str, str, str]]:
    """Not more than can be learnt from quickly, as many of each label as there are to be had."""
    share = max(LEAST, MOST_LEARNT // len(names))
    left = dict.fromkeys(names, share)
    for index in np.random.default_rng(0).permutation(len(rows)):
        row = rows[index]
        if left.get(row[3], 0):
            left[row[3]] -= 1
            yield row


def with_features(dataset: Dataset, extractor: Extractor, rows: Sequence[Row]) -> list[Row]:
    """Those whose embedding is there. Where some lack theirs, it is asked for, but not without end."""
    missing = {sha256 for sha256, _ in missing_of(extractor, [(sha256, key) for _, sha256, key in rows])}
    if missing:
        with transaction.atomic():
            since = timezone.now() - EMBED_AGAIN
            asked = Job.objects.filter(kind=embeddings.KIND, payload={"dataset": dataset.pk})
            if not asked.filter(created_at__gt=since).exists():
                embed_soon(dataset, user=None)
    return [row for row in rows if row[1] not in missing]
