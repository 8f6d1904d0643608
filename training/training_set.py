"""What a version learned from, by its manifest: labels with their parts and effect, sources, pictures."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from datasets.models import Dataset, Image, Snapshot
from training import manifest
from training.manifest import Entry, Manifest
from training.models import ModelVersion
from training.splitting import PARTS

COUNTED = 50_000


@dataclass(frozen=True)
class LabelLine:
    """A label: pictures by part, and what came of it (None where it was not measured)."""

    name: str
    parts: dict[str, int]
    effect: dict[str, Any] | None

    @property
    def pictures(self) -> int:
        """Of all parts."""
        return sum(self.parts.values())


@dataclass(frozen=True)
class Source:
    """A data set that took part. `dataset`: None where it is gone since; `gone`: its pictures that are."""

    name: str
    dataset: Dataset | None
    snapshot: Snapshot | None
    labels: list[str]


@dataclass(frozen=True)
class Shown:
    """One picture. `there`: it can still be looked at; `label_now`: what it is tagged today."""

    entry: Entry
    there: bool
    label_now: str

    @property
    def retagged(self) -> bool:
        """Its tag was changed since."""
        return self.there and self.label_now != self.entry.label


def label_lines(version: ModelVersion) -> list[LabelLine]:
    """In the model's order."""
    measured = {row["name"]: row for row in version.report.get("labels", []) if row["support"]}
    return [
        LabelLine(name, {part: version.split_counts.get(name, {}).get(part, 0) for part in PARTS},
                  measured.get(name))
        for name in version.labels
    ]  # fmt: skip


def sources(version: ModelVersion) -> list[Source]:
    """The data sets as they were asked for, each with its frozen content."""
    here = Dataset.objects.filter(project=version.model.project_id, trashed_at=None)
    datasets = here.in_bulk([item["dataset"] for item in version.data])
    kept = {each.dataset_id: each for each in Snapshot.objects.filter(pk__in=version.snapshots)}
    return [
        Source(item["name"], datasets.get(item["dataset"]), kept.get(item["dataset"]), item["labels"])
        for item in version.data
    ]


def entries_of(version: ModelVersion, label: str, part: str) -> list[Entry]:
    """The pictures of a label and a part; empty: all of them."""
    if not version.manifest_key:
        return []
    data: Manifest = manifest.load(version.manifest_key)
    return [
        entry
        for entry in data.entries
        if (not label or entry.label == label) and (not part or entry.part == part)
    ]


def shown(version: ModelVersion, entries: list[Entry]) -> list[Shown]:
    """The pictures of a page, with what has become of them."""
    rows = Image.objects.live().filter(
        pk__in=[entry.image for entry in entries],
        dataset__project=version.model.project_id,
        dataset__trashed_at=None,
    )
    now = dict(rows.values_list("pk", "label__name"))
    return [Shown(entry, entry.image in now, now.get(entry.image) or "") for entry in entries]


def gone(version: ModelVersion, entries: list[Entry]) -> int | None:
    """How many of these are no longer there; None where counting would keep the page waiting."""
    if len(entries) > COUNTED:
        return None
    wanted = Counter(entry.image for entry in entries)
    rows = Image.objects.live().filter(
        dataset__in=[item["dataset"] for item in version.data], dataset__trashed_at=None
    )
    there = set(rows.values_list("pk", flat=True))
    return sum(count for image, count in wanted.items() if image not in there)
