"""The manifest of a training: which pictures, labels and parts of the split; written once, never changed."""

import gzip
import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext_noop

from datasets.models import Snapshot
from datasets.snapshots import Row, rows_of
from training.pinned import Pinned
from training.splitting import (
    HELD_BACK,
    OWN,
    PARTS,
    TEST,
    TRAIN,
    WISHES,
    Place,
    split_as_wished,
    split_label,
    split_learning,
)
from web import storage
from web.sentences import Conflict

FOLDER = "manifests"
EXAMPLES = 3
MOVES = ("moved", "validation_moved", "left_out")


class TwoLabels(Conflict):
    """The same picture stands under two labels."""

    code = "one-picture-two-labels"


class NothingToLearn(Conflict):
    """As the import wished, or beside the pinned test set, a label would have nothing to learn from."""

    code = "nothing-to-learn"


@dataclass(frozen=True)
class Entry:
    """One picture of a training. `group`: pictures of one label and group look alike and share a part. `look`: its
    difference hash, so that a copy is known when the picture itself is gone; None in older manifests."""

    image: int
    name: str
    sha256: str
    key: str
    label: str
    part: str
    group: int
    look: int | None = None


@dataclass(frozen=True)
class Manifest:
    """All pictures of a training in a fixed order, with the labels in the model's order."""

    labels: tuple[str, ...]
    entries: tuple[Entry, ...]
    snapshots: tuple[dict[str, Any], ...]
    # Of a split as the import wished: pictures wished for testing, and those held back because they look like them.
    wishes: dict[str, int] = field(default_factory=dict)
    # What befell the split beside that: by the pinned test set, and by the second look for near copies.
    facts: dict[str, dict[str, Any]] = field(default_factory=dict)
    # sha256s that the versions which it went on from learned from, and it did not itself (training/keeping.py)
    learned_before: tuple[str, ...] = ()
    looks_before: dict[str, int] = field(default_factory=dict)  # their difference hashes, by sha256

    def part(self, name: str) -> list[Entry]:
        """The pictures of one part of the split, in order."""
        return [entry for entry in self.entries if entry.part == name]

    def counts(self) -> dict[str, dict[str, int]]:
        """Pictures by label and part: {label: {train, validation, held_back}}."""
        found = Counter((entry.label, entry.part) for entry in self.entries)
        return {label: {part: found[label, part] for part in PARTS} for label in self.labels}

    @property
    def dealt_anew(self) -> bool:
        """Whether the parts are others than our rule alone gives."""
        leaks = self.facts.get("leaks", {})
        named = "pinned" in self.facts or "warm_start" in self.facts
        return named or any(leaks.get(name) for name in MOVES)

    @property
    def content_hash(self) -> str:
        """What stands for the data: the same pictures under the same labels give the same, split by the same rule."""
        lines = sorted(f"{entry.sha256} {entry.label}" for entry in self.entries)
        if self.wishes or self.dealt_anew:
            lines += sorted(f"{entry.sha256} {entry.part}" for entry in self.entries)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def seed(self) -> int:
        """The seed of everything random in the training, from the content."""
        return int(self.content_hash[:7], 16)

    def to_bytes(self) -> bytes:
        """Gzipped JSON; the same manifest gives the same bytes."""
        rows = [list(vars(entry).values()) for entry in self.entries]
        body: dict[str, Any] = {
            "labels": self.labels,
            "columns": COLUMNS,
            "rows": rows,
            "snapshots": self.snapshots,
        }
        if self.wishes:
            body["wishes"] = self.wishes
        if self.facts:
            body["facts"] = self.facts
        if self.learned_before:
            body["learned_before"] = self.learned_before
        if self.looks_before:
            body["looks_before"] = self.looks_before
        return gzip.compress(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(), mtime=0)


COLUMNS = list(Entry.__dataclass_fields__)


def build(
    snapshots: Sequence[Snapshot], labels: Sequence[str], *, split: str = OWN, pinned: Pinned | None = None
) -> Manifest:
    """Merge the snapshots' labels by name, refuse pictures with two labels, and split by our rule or as wished.

    A label with pictures in the pinned test set is measured on these alone.
    """
    rows = one_each(row for snapshot in snapshots for row in rows_of(snapshot))
    by_label: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_label[row.label].append(row)
    entries: list[Entry] = []
    wishes: dict[str, int] = {"held_back": 0, "alike": 0} if split == WISHES else {}
    for label in labels:
        judged = pinned.judged_of(label) if pinned else []
        mine = by_label[label]
        if pinned:
            mine = pinned.learnable(label, mine, but_wished=split == WISHES and bool(judged))
        places = (split_learning if judged else split_as_wished if wishes else split_label)(label, mine)
        refuse_nothing_to_learn(label, {place.part for place in places}, judged, pinned, wishes)
        if wishes and not judged:
            count_wishes(wishes, mine, places)
        entries += [_entry(row, label, place) for row, place in zip(mine, places, strict=True)]
        after = 1 + max((place.group for place in places), default=0)
        entries += [_entry(row, label, Place(HELD_BACK, after + at)) for at, row in enumerate(judged)]
    about = [
        {"dataset": each.dataset_id, "snapshot": each.pk, "hash": each.content_hash} for each in snapshots
    ]
    facts = {"pinned": pinned.facts_beside(rows, entries)} if pinned else {}
    return Manifest(tuple(labels), tuple(entries), tuple(about), wishes, facts)


def _entry(row: Row, label: str, place: Place) -> Entry:
    return Entry(row.image, row.name, row.sha256, row.key, label, *place, row.difference_hash)


def count_wishes(wishes: dict[str, int], rows: Sequence[Row], places: Sequence[Place]) -> None:
    """Pictures held back as wished, and because they look like these."""
    for row, place in zip(rows, places, strict=True):
        if place.part == HELD_BACK:
            wishes["held_back" if row.split == TEST else "alike"] += 1


def refuse_nothing_to_learn(
    label: str, parts: set[str], judged: Sequence[Row], pinned: Pinned | None, wishes: dict[str, int]
) -> None:
    """Raises NothingToLearn."""
    if pinned and TRAIN not in parts:
        raise NothingToLearn(
            gettext_noop(
                "All pictures of “%(label)s” are in the pinned test set or look like those in it, so nothing is left"
                " to learn from. Tag more, or unpin the test set."
            ),
            label=label,
        )
    if wishes and not judged and not {TRAIN, HELD_BACK} <= parts:
        raise NothingToLearn(
            gettext_noop(
                "As the import wished, “%(label)s” has nothing to learn from, or nothing to be measured on. Train"
                " with a split of our own."
            ),
            label=label,
        )


def one_each(rows: Iterable[Row]) -> list[Row]:
    """Each picture once, wished for testing where any of its rows says so; raises TwoLabels for two names."""
    taken: dict[str, Row] = {}
    clashes: list[tuple[Row, Row]] = []
    for row in rows:
        first = taken.setdefault(row.sha256, row)
        if first.label != row.label:
            clashes.append((first, row))
        elif row.split == TEST:
            taken[row.sha256] = row
    if clashes:
        shown = "; ".join(f"{one.name}: {one.label} / {other.label}" for one, other in clashes[:EXAMPLES])
        raise two_labels(len(clashes), shown)
    return sorted(taken.values(), key=lambda row: (row.label, row.sha256))


def two_labels(count: int, shown: str) -> TwoLabels:
    """The refusal, with how many pictures clash, which, and how to settle it."""
    return TwoLabels(
        gettext_noop(
            "%(count)s pictures stand under two labels (%(shown)s). Give each the same label in both"
            " data sets, or delete one of the two, then train again."
        ),
        count=count,
        shown=shown,
    )


def save(manifest: Manifest) -> str:
    """Write it into storage; returns the key."""
    return storage.put_bytes(FOLDER, manifest.to_bytes(), ".json.gz")


def load(key: str) -> Manifest:
    """Back from storage."""
    body = json.loads(gzip.decompress(storage.read(key)))
    entries = tuple(Entry(**dict(zip(body["columns"], row, strict=True))) for row in body["rows"])
    return Manifest(
        tuple(body["labels"]),
        entries,
        tuple(body["snapshots"]),
        body.get("wishes", {}),
        body.get("facts", {}),
        tuple(body.get("learned_before", ())),
        body.get("looks_before", {}),
    )
