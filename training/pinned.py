"""A model's pinned test set: its pictures by content, what they are tagged today, and what must not be learned."""

import gzip
import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

from datasets.models import Image
from datasets.snapshots import COLUMNS, Row, line_of
from training.grouping import neighbours
from training.models import ModelVersion, PinnedSet
from training.splitting import HELD_BACK, TEST
from web import storage

FOLDER = "test-sets"
LOOK_UP = 900


class Placed(Protocol):
    """What is asked of a manifest's entry."""

    @property
    def label(self) -> str: ...

    @property
    def sha256(self) -> str: ...

    @property
    def part(self) -> str: ...


@dataclass(frozen=True)
class Pinned:
    """`rows`: the pictures as they were pinned; `judged`: those that can be judged on, under today's labels;
    `facts`: how many of either, and what became of the others."""

    rows: tuple[Row, ...]
    judged: tuple[Row, ...]
    facts: Mapping[str, Any]

    @cached_property
    def contents(self) -> frozenset[str]:
        """What is never learned from."""
        return frozenset(row.sha256 for row in self.rows)

    def judged_of(self, label: str) -> list[Row]:
        """Those of one label."""
        return [row for row in self.judged if row.label == label]

    def learnable(self, label: str, rows: Sequence[Row], *, but_wished: bool) -> list[Row]:
        """Of a label's pictures those that are not pinned and look like none that is.

        `but_wished`: nor those that an import wished for testing, where the test set stands in for its wishes.
        """
        now = {row.sha256: row.label for row in self.judged}
        ours = [row for row in self.rows if now.get(row.sha256, row.label) == label]
        rest = [row for row in rows if row.sha256 not in self.contents]
        rest = [row for row in rest if not (but_wished and row.split == TEST)]
        marks = {row.group for row in ours if row.group}
        alike = neighbours([*ours, *rest])
        return [
            row
            for at, row in enumerate(rest, start=len(ours))
            if row.group not in marks and not any(other < len(ours) for other in alike[at])
        ]

    def for_own_file(self, rows: Sequence[Row], labels: Sequence[str]) -> list[Row]:
        """What a file from elsewhere is judged on: the test set, and all pictures of labels that it does not cover."""
        ours = [row for row in self.judged if row.label in labels]
        covered = {row.label for row in ours}
        return sorted(
            [*ours, *(row for row in rows if row.label in labels and row.label not in covered)],
            key=lambda row: (row.label, row.sha256),
        )

    def facts_beside(self, rows: Sequence[Row], entries: Sequence[Placed]) -> dict[str, Any]:
        """The facts of a manifest: also what was not learned from, and what was held back beside the test set."""
        labels = {entry.label for entry in entries}
        placed = {entry.sha256 for entry in entries} | self.contents
        tested = [entry for entry in entries if entry.part == HELD_BACK]
        beside = [entry.label for entry in tested if entry.sha256 not in self.contents]
        judged = len(tested) - len(beside)
        return {
            **self.facts,
            "judged": judged,
            "other": self.facts["other"] + self.facts["judged"] - judged,
            "kept_out": sum(row.label in labels and row.sha256 not in placed for row in rows),
            "beside": len(beside),
            "uncovered": sorted(set(beside)),
        }


def save(rows: Iterable[Row]) -> str:
    """Write rows into the storage; the same rows give the same key."""
    lines = "".join(map(line_of, sorted(rows, key=lambda row: row.sha256)))
    return storage.put_bytes(FOLDER, gzip.compress(lines.encode(), mtime=0), ".jsonl.gz")


def load(key: str) -> tuple[Row, ...]:
    """Back from the storage."""
    lines = gzip.decompress(storage.read(key)).decode().split("\n")[:-1]
    found = map(json.loads, lines)
    return tuple(Row(**{name: row[name] for name in COLUMNS if name in row}) for row in found)


def of_version(version: ModelVersion) -> Pinned | None:
    """The test set that a version was asked for with, as it was tagged then."""
    if version.pinned is None:
        return None
    judged = load(version.pinned_key) if version.pinned_key else ()
    return Pinned(load(version.pinned.key), judged, version.split_facts.get("pinned", {}))


def as_of_now(pinned: PinnedSet, labels: Sequence[str] | None, datasets: Sequence[int]) -> Pinned:
    """The test set under today's labels, for a version with these labels (None: any) from these data sets.

    A picture is found by its content, so in a copy as well; where copies differ, the data sets of the training decide,
    then the picture that was pinned.
    """
    rows = load(pinned.key)
    here = _live(pinned.model.project_id, [row.sha256 for row in rows])
    judged: list[Row] = []
    became: Counter[str] = Counter()
    for row in rows:
        images = here.get(row.sha256, [])
        best = min(
            images, key=lambda im: (im.dataset_id not in datasets, im.pk != row.image, im.pk), default=None
        )
        name = best.label.name if best and best.label else ""
        known = labels is None or name in labels
        became["gone" if best is None else "untagged" if not name else "judged" if known else "other"] += 1
        if best is not None and name and known:
            became["relabelled"] += name != row.label
            judged.append(replace(row, image=best.pk, name=best.name, key=best.key, label=name, split=""))
    names = ("judged", "gone", "untagged", "other", "relabelled")
    facts = {"set": pinned.pk, "pictures": len(rows), **{name: became[name] for name in names}}
    return Pinned(rows, tuple(judged), facts)


def _live(project: int, sha256s: Sequence[str]) -> dict[str, list[Image]]:
    """The project's pictures of these contents that are not in the trash."""
    found: dict[str, list[Image]] = {}
    images = Image.objects.live().filter(dataset__project=project, dataset__trashed_at=None)
    for start in range(0, len(sha256s), LOOK_UP):
        some = images.filter(sha256__in=sha256s[start : start + LOOK_UP]).select_related("label")
        for image in some.only("pk", "sha256", "name", "key", "dataset_id", "label__name"):
            found.setdefault(image.sha256, []).append(image)
    return found
