"""Finds pictures of a data set that show nearly the same thing, and keeps them as groups."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from datasets.embeddings import Extractor, current_extractor, features_of, missing_of
from datasets.hashes import near_pairs, unsigned
from datasets.looks import measure_missing
from datasets.models import AlikeGroup, AlikeMember, AlikeSearch, Dataset
from datasets.near_vectors import SAMPLE, SLACK, Indices, Vectors, Worth, basis_of, near_vectors, unit
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import WAITING, Job
from web.sentences import Sentence

KIND = "datasets.alike"
SEARCHING = Sentence(gettext_noop("Looking for pictures that are nearly the same"))
# Measured on 150 photographs and their copies (docs/imports.md): re-encoded and resized ones differ in at most 5
# bits of 64, different ones in at least 8; embeddings of cropped, turned and mirrored copies have cosines around
# 0.95, those of different pictures at most 0.85.
NEAR_BITS, NEAR_COSINE = 6, 0.95
BITS_WITH_COSINE, COSINE_WITH_BITS = 12, 0.88
OTHER_COSINE = 0.7  # below it a likeness of hashes is chance: two plain walls
AT_ONCE = 4_000
BY_ITSELF = 200_000  # larger data sets are searched when somebody asks


class Seen(NamedTuple):
    """What the search needs of a picture."""

    pk: int
    sha256: str
    key: str
    difference_hash: int | None
    label: int | None
    pixels: int
    bytes: int

    @property
    def rank(self) -> tuple[bool, int, int, int]:
        """The first is what one would keep: with a label, larger, earlier."""
        return (self.label is None, -self.pixels, -self.bytes, self.pk)


@dataclass
class Features:
    """The unit vectors of those pictures that have one; `rows`: each picture's, or -1."""

    extractor: Extractor
    rows: np.ndarray
    sha256s: list[str]
    short: Vectors

    def whole(self, indices: np.ndarray) -> Vectors:
        """The unit vectors of these rows."""
        return unit(features_of(self.extractor, [self.sha256s[at] for at in indices]))

    def cosines(self, ones: np.ndarray, others: np.ndarray) -> np.ndarray:
        """Of pairs of pictures; 1 where one has no vector, so that nothing is held against it."""
        found = np.ones(len(ones), dtype=np.float32)
        known = np.flatnonzero((self.rows[ones] >= 0) & (self.rows[others] >= 0))
        for start in range(0, len(known), AT_ONCE):
            some = known[start : start + AT_ONCE]
            one, other = self.whole(self.rows[ones[some]]), self.whole(self.rows[others[some]])
            found[some] = (one * other).sum(axis=1)
        return found


def search_soon(dataset: Dataset, *, user: User | None, asked: bool = False) -> Job | None:
    """Queue measuring and searching, unless that waits already. Call it in the act's transaction."""
    payload = {"dataset": dataset.pk, "asked": asked}
    waiting = Job.objects.filter(kind=KIND, state__in=WAITING, payload__dataset=dataset.pk)
    if waiting.exists():
        return None
    return queue.enqueue(KIND, payload, project=dataset.project, user=user)


def run(attempt: Attempt) -> None:
    """The job: measure the new pictures, then look for near-duplicates among all."""
    dataset = Dataset.objects.filter(pk=attempt.payload["dataset"]).first()
    if dataset is None:
        return
    measure_missing(attempt, dataset.pk)
    if dataset.images.live().count() > BY_ITSELF and not attempt.payload.get("asked"):
        return
    seen = pictures_of(dataset)
    attempt.progress(0, len(seen), SEARCHING)
    features = features_for(attempt, seen)
    groups = groups_of(seen, set(pairs_of(attempt, seen, features)) - dismissed_pairs(dataset, seen))
    store(attempt, dataset, seen, groups, features)


def pictures_of(dataset: Dataset) -> list[Seen]:
    """All live ones, what one would keep first."""
    columns = ("pk", "sha256", "key", "difference_hash", "label", "width", "height", "bytes")
    rows = dataset.images.live().order_by("pk").values_list(*columns).iterator(chunk_size=5_000)
    found = [
        Seen(pk, sha256, key, bits, label, width * height, size)
        for pk, sha256, key, bits, label, width, height, size in rows
    ]
    return sorted(found, key=lambda each: each.rank)


def features_for(attempt: Attempt, seen: Sequence[Seen]) -> Features:
    """The vectors that were computed; nothing is computed here."""
    extractor = current_extractor()
    missing = {sha256 for sha256, _ in missing_of(extractor, [(each.sha256, each.key) for each in seen])}
    known = [at for at, each in enumerate(seen) if each.sha256 not in missing]
    rows = np.full(len(seen), -1, dtype=np.int64)
    rows[known] = np.arange(len(known))
    features = Features(
        extractor, rows, [seen[at].sha256 for at in known], np.empty((0, 0), dtype=np.float32)
    )
    if not extractor.weak and len(known) > 1:
        chosen = np.linspace(0, len(known) - 1, min(SAMPLE, len(known))).astype(np.int64)
        basis = basis_of(features.whole(chosen))
        parts = []
        for start in range(0, len(known), AT_ONCE):
            attempt.check()
            whole = features.whole(np.arange(start, min(start + AT_ONCE, len(known))))
            parts.append(unit(whole @ basis))
        features.short = np.concatenate(parts)
    return features


def pairs_of(attempt: Attempt, seen: Sequence[Seen], features: Features) -> Iterator[tuple[int, int]]:
    """Pairs of places in `seen`, the better picture first."""
    hashed = np.array([at for at, each in enumerate(seen) if each.difference_hash is not None], np.int64)
    hashes = np.array([unsigned(seen[at].difference_hash) for at in hashed], dtype=np.uint64)
    ones, others, _ = near_pairs(hashes, NEAR_BITS, check=attempt.check)
    ones, others = hashed[ones], hashed[others]
    attempt.progress(len(seen) // 3, len(seen), SEARCHING)
    same = features.cosines(ones, others) >= OTHER_COSINE
    yield from zip(ones[same].tolist(), others[same].tolist(), strict=True)
    if not len(features.short):
        return
    attempt.progress(len(seen) // 2, len(seen), SEARCHING)
    places = np.flatnonzero(features.rows >= 0).tolist()
    worth = worth_of([seen[at] for at in places])
    found = near_vectors(features.short, features.whole, COSINE_WITH_BITS, worth=worth, check=attempt.check)
    for row, other_row, cosine in found:
        one, other = places[row], places[other_row]
        if cosine >= NEAR_COSINE or bits_between(seen[one], seen[other]) <= BITS_WITH_COSINE:
            yield one, other


def worth_of(rows: Sequence[Seen]) -> Worth:
    """Which candidates are read whole: those whose hashes are close, or that are surely alike."""
    known = np.array([each.difference_hash is not None for each in rows])
    hashes = np.array([unsigned(each.difference_hash) for each in rows], dtype=np.uint64)

    def worth(ones: Indices, others: Indices, likeness: Vectors) -> NDArray[np.bool_]:
        close = np.bitwise_count(hashes[ones] ^ hashes[others]) <= BITS_WITH_COSINE
        return np.asarray((close & known[ones] & known[others]) | (likeness >= NEAR_COSINE - SLACK))

    return worth


def bits_between(one: Seen, other: Seen) -> int:
    """How many bits of their hashes differ; all, where one has none."""
    if one.difference_hash is None or other.difference_hash is None:
        return 64
    return (unsigned(one.difference_hash) ^ unsigned(other.difference_hash)).bit_count()


def dismissed_pairs(dataset: Dataset, seen: Sequence[Seen]) -> set[tuple[int, int]]:
    """Those that somebody said are different."""
    place = {each.pk: at for at, each in enumerate(seen)}
    members: dict[int, list[int]] = defaultdict(list)
    rows = AlikeMember.objects.filter(group__dataset=dataset).exclude(group__dismissed_at=None)
    for group, image in rows.values_list("group", "image").iterator(chunk_size=5_000):
        if image in place:
            members[group].append(place[image])
    return {
        (min(one, other), max(one, other)) for group in members.values() for one in group for other in group
    }


def groups_of(seen: Sequence[Seen], pairs: "set[tuple[int, int]]") -> list[list[int]]:
    """Stars: each group's first picture is the best, and every other is nearly the same as that one.

    So whoever keeps the first loses nothing; a chain of likenesses makes no group.
    """
    followers: dict[int, list[int]] = defaultdict(list)
    for one, other in pairs:
        followers[one].append(other)
    taken: set[int] = set()
    groups = []
    for at in range(len(seen)):
        if at in taken or at not in followers:
            continue
        group = [at, *sorted(other for other in followers[at] if other not in taken)]
        if len(group) > 1:
            taken.update(group)
            groups.append(group)
    return groups


def store(
    attempt: Attempt, dataset: Dataset, seen: Sequence[Seen], groups: list[list[int]], features: Features
) -> None:
    """In the place of what an earlier search found; what was dismissed stays."""
    with transaction.atomic():
        attempt.hold()
        AlikeGroup.objects.filter(dataset=dataset, dismissed_at=None).delete()
        rows = AlikeGroup.objects.bulk_create([AlikeGroup(dataset=dataset) for _ in groups], batch_size=500)
        AlikeMember.objects.bulk_create(
            [
                AlikeMember(group=row, image_id=seen[at].pk)
                for row, group in zip(rows, groups, strict=True)
                for at in group
            ],
            batch_size=500,
        )
        helped = features.extractor.id if len(features.short) else ""
        AlikeSearch.objects.update_or_create(
            dataset=dataset, defaults={"images": len(seen), "extractor": helped}
        )
