"""What an import would do, found out before it does it: a pass over the files that decodes hardly any of them."""

import base64
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, Q

from datasets import pixels
from datasets.archives import Offered
from datasets.choices import key_of
from datasets.formats import fer2013
from datasets.labels import BadLabel, clean_name
from datasets.lookalike_names import merged
from datasets.models import Dataset, Image
from datasets.preparing import check_header
from datasets.reasons import NotAccepted
from datasets.thumbnails import jpeg_bytes, thumbnail_of

MOST_ROWS = 2_000  # names that a person can be asked about; what is beyond keeps its own
SAMPLES, ALL_SAMPLES, SAMPLE_SIDE, SAMPLE_QUALITY = 3, 90, 72, 60
TOGETHER = 200


@dataclass
class Row:
    """The files of one name. `to`: the label proposed for them; `why`: the reason where it is another name.

    `here`: how many are in the data set already, by their label there; `twice`: how many came before in this
    upload, by the name they came under; `refused`: how many cannot be taken, by code.
    """

    name: str
    to: str = ""
    why: str = ""  # lookalike, fer, bad
    files: int = 0
    here: dict[str, int] = field(default_factory=Counter)
    twice: dict[str, int] = field(default_factory=Counter)
    refused: dict[str, int] = field(default_factory=Counter)
    samples: list[str] = field(default_factory=list)  # small JPEGs in base64

    @property
    def other_label(self) -> int:
        """How many are here under another label than the proposed one."""
        return sum(count for label, count in self.here.items() if label and self.to and label != self.to)

    @property
    def already(self) -> int:
        """How many bring no new picture."""
        return sum(self.here.values()) + sum(self.twice.values())


@dataclass
class Plan:
    """What would happen, name by name. Kept as JSON in the import's row."""

    rows: list[Row] = field(default_factory=list)
    total: int = 0
    more_names: int = 0
    more_files: int = 0
    encoding: str = ""  # empty: the names leave no question
    sure: bool = True
    readings: dict[str, list[str]] = field(default_factory=dict)
    numbers: bool = False

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Plan":
        """Back from the row."""
        return cls(**kept | {"rows": [Row(**row) for row in kept.get("rows", [])]})

    def to_json(self) -> dict[str, Any]:
        """For the row."""
        return vars(self) | {"rows": [vars(row) for row in self.rows]}

    @property
    def conflicts(self) -> int:
        """How many pictures are in the data set, or twice in the upload, under two labels."""
        to = {row.name: row.to for row in self.rows}
        twice = sum(
            count
            for row in self.rows
            for name, count in row.twice.items()
            if row.to and to.get(name) and to[name] != row.to
        )
        return twice + sum(row.other_label for row in self.rows)

    def is_unclear(self, existing: Sequence[str]) -> bool:
        """Whether a person should look at it first. A first import with plain names need not be asked about."""
        known = set(existing)
        surprises = any(row.to and row.to not in known for row in self.rows) and bool(known)
        named = any(row.why for row in self.rows) or self.more_names > 0
        return surprises or named or self.numbers or not self.sure or self.conflicts > 0


class Planner:
    """Looks at the files one after another."""

    def __init__(self, dataset: Dataset, loose: str, *, fer: bool) -> None:
        self._dataset, self._loose, self._fer = dataset, loose, fer
        self._rows: dict[str, Row] = {}
        self._keys: dict[str, str] = {}
        self._seen: dict[bytes, str] = {}
        self._left_samples = ALL_SAMPLES
        self.plan = Plan()

    def look_at(self, files: Sequence[Offered], told: Callable[[int], None]) -> Plan:
        """The plan. `told` is called with how many were looked at; what it raises ends the work."""
        for start in range(0, len(files), TOGETHER):
            told(self.plan.total)
            self._compare(list(self._new_ones(files[start : start + TOGETHER], told)))
        self._propose()
        return self.plan

    def _new_ones(self, some: Sequence[Offered], told: Callable[[int], None]) -> Iterator[tuple[bytes, Row]]:
        """Count each file; those that could be in the data set already, with their sha256."""
        for offered in some:
            self.plan.total += 1
            row = self._row_of(offered.folder or self._loose)
            row.files += 1
            try:
                content = offered.load()
                check_header(content)
            except NotAccepted as refusal:
                row.refused[refusal.code] += 1
                continue
            self._sample(row, content)
            digest = hashlib.sha256(content).digest()
            if digest in self._seen:
                row.twice[self._seen[digest]] += 1
            else:
                self._seen[digest] = row.name
                yield digest, row
            told(self.plan.total)

    def _row_of(self, folder: str) -> Row:
        key = self._keys.get(folder)
        if key is None:
            key = self._keys[folder] = key_of(folder)
        row = self._rows.get(key)
        if row is None:
            row = self._rows[key] = Row(key, *proposed(key, folder))
        return row

    def _compare(self, new: Sequence[tuple[bytes, Row]]) -> None:
        """Which of them the data set has."""
        wanted = {digest.hex(): row for digest, row in new}
        rows = Image.objects.filter(dataset=self._dataset, sha256__in=list(wanted), trashed_at=None)
        for sha256, label in rows.values_list("sha256", "label__name"):
            wanted[sha256].here[label or ""] += 1

    def _sample(self, row: Row, content: bytes) -> None:
        """A few small pictures of each name, for the first names: numbers say nothing."""
        if len(row.samples) >= SAMPLES or not self._left_samples:
            return
        try:
            picture = pixels.decode(content, draft_to=2 * SAMPLE_SIDE).image
        except pixels.UnreadableImage:
            return
        small = thumbnail_of(picture)
        small.thumbnail((SAMPLE_SIDE, SAMPLE_SIDE))
        row.samples.append(base64.b64encode(jpeg_bytes(small, SAMPLE_QUALITY)).decode())
        self._left_samples -= 1

    def _propose(self) -> None:
        """Names for numbers, one name for look-alikes."""
        rows = list(self._rows.values())
        existing = pictures_by_label(self._dataset)
        named = [row for row in rows if row.name and row.why != "bad"]
        new = {row.name: row.files for row in named}
        for name, other in merged(new, existing).items():
            self._rows[name].to, self._rows[name].why = other, "lookalike"
        numbers = [row for row in named if row.name.isdecimal() and row.name not in existing]
        self.plan.numbers = len(numbers) > 1 and len(numbers) == len(named)
        for row in numbers if self._fer else ():
            if row.name.isascii() and int(row.name) < len(fer2013.EMOTIONS):
                row.to, row.why = fer2013.EMOTIONS[int(row.name)], "fer"
        self.plan.rows = rows[:MOST_ROWS]
        self.plan.more_names = len(rows[MOST_ROWS:])
        self.plan.more_files = sum(row.files for row in rows[MOST_ROWS:])


def pictures_by_label(dataset: Dataset) -> dict[str, int]:
    """The labels of a data set, each with how many pictures it has."""
    live = Count("images", filter=Q(images__trashed_at=None))
    return dict(dataset.labels.annotate(count=live).values_list("name", "count"))


def proposed(key: str, folder: str) -> tuple[str, str]:
    """The label for a folder, and why where it cannot be called so."""
    if not folder:
        return "", ""
    try:
        return clean_name(folder), ""
    except BadLabel:
        return nearest_name(key), "bad"


def nearest_name(text: str) -> str:
    """A name that a label can have, as near as may be; empty where nothing is left."""
    plain = " ".join("".join(" " if char in "/\\:\ufffd" else char for char in text).split())[:64].strip()
    try:
        return clean_name(plain)
    except BadLabel:
        return ""
