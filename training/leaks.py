"""Looks for near copies across the split with another eye than the one that grouped: the data sets' embeddings.

Grouping compares difference hashes of one label's pictures. What it cannot see (a mirrored, recoloured or cropped copy,
the next shot of the same thing) is near in the embeddings. A held-back picture with a near copy among those that are
learned from or chosen by is moved to these, with its group; a pinned or wished one stays, and the copy is left out.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from datasets import embeddings
from datasets.near_vectors import SAMPLE, Vectors, basis_of, unit
from datasets.pixels import UnreadableImage
from training import inputs
from training.manifest import Entry, Manifest
from training.models import Extractor
from training.splitting import HELD_BACK, TRAIN, VALIDATION

# The least cosine of near copies, by backbone, measured on real photographs (docs/splits.md).
LEAST = {"mobilenet_v2": 0.92, "squeezenet1_1": 0.94}
LEAST_ELSE = 0.95
STEPS, SAMPLED = (0.95, 0.97, 0.99), 500  # where all pictures look alike, only more says “copy”
MOST_COPIES, MOST_SHARE = 10, 0.05  # a picture may have so many copies, but not a twentieth of all
DIRECTIONS, ROWS, COLUMNS, AT_ONCE = 128, 2_048, 8_192, 20_000
AFFORDABLE = 500  # pictures to embed for this alone, where the training itself goes by other features
ROUNDING = 1e-5
KEPT = 0.5  # of each label's part, at least, stays where it is
LEARNING = (TRAIN, VALIDATION)
Done = Callable[[int, int], None]


def without_leaks(
    data: Manifest, *, fixed: Collection[str], goes_by: Extractor | None, threads: int, done: Done
) -> Manifest:
    """The manifest with near copies on one side, and in its facts how many moved. `fixed`: contents that stay.

    `goes_by`: by which features the training goes. `done` may raise OutOfTime: then what has a vector is looked at.
    """
    source = embeddings.current_extractor()
    own = goes_by is not None and goes_by.name == source.name
    if source.weak:
        return replace(data, facts=data.facts | {"leaks": {"looked_at": 0}})
    known = looked_at(data, source, own, threads, done)
    seen = [at for at, entry in enumerate(data.entries) if entry.sha256 in known]
    vectors = embeddings.features_of(source, [data.entries[at].sha256 for at in seen])
    tested = np.array([n for n, at in enumerate(seen) if data.entries[at].part != TRAIN], dtype=np.int64)
    least = telling(vectors, tested, least_of(source.name))
    about: dict[str, Any] = {"looked_at": len(seen), "of": len(data.entries)}
    if least is None:
        return replace(data, facts=data.facts | {"leaks": about | {"too_alike": True}})
    near: dict[int, set[int]] = defaultdict(set)
    for one, other in near_pairs(vectors, tested, least):
        near[seen[one]].add(seen[other])
        near[seen[other]].add(seen[one])
    entries, facts = settled(data.entries, near, fixed)
    about |= {"least": least, "extractor": source.name}
    found = data.facts | {"leaks": facts | about}
    if "pinned" in found:  # what was held back beside the test set may have moved
        found["pinned"] = found["pinned"] | {"beside": found["pinned"]["beside"] - facts["moved"]}
    return replace(data, entries=tuple(entries), facts=found)


def least_of(extractor: str) -> float:
    """The threshold for an extractor, by the backbone in its name."""
    return next((least for name, least in LEAST.items() if extractor.startswith(name)), LEAST_ELSE)


def looked_at(data: Manifest, source: embeddings.Extractor, own: bool, threads: int, done: Done) -> set[str]:
    """Contents that have a vector, after those that are missing were computed as far as that is worth it."""
    entries = [*inputs.learning_entries(data), *data.part(HELD_BACK)]
    missing = {sha256 for sha256, _ in embeddings.missing_of(source, inputs.rows_of(entries))}
    if missing and (own or len(missing) <= AFFORDABLE):
        try:
            try:
                inputs.ensure(source, entries, threads, done)
            except (UnreadableImage, FileNotFoundError):
                entries, _ = inputs.readable(entries)
                inputs.ensure(source, entries, threads, done)
        except inputs.OutOfTime:
            pass
        missing = {sha256 for sha256, _ in embeddings.missing_of(source, inputs.rows_of(entries))}
        missing |= {entry.sha256 for entry in data.entries} - {entry.sha256 for entry in entries}
    return {entry.sha256 for entry in data.entries} - missing


def telling(vectors: NDArray[np.floating], tested: NDArray[np.int64], least: float) -> float | None:
    """The least cosine, from `least` on, at which a tested picture has few copies among those to learn from.

    Where all pictures show much the same, as on an assembly line, each is like many others, and a lower cosine says
    nothing; an augmented set has few copies of each picture, and these are leaks. None: no such.
    """
    learned = np.setdiff1d(np.arange(len(vectors)), tested)
    if not len(tested) or not len(learned):
        return least
    some = tested[:: max(1, len(tested) // SAMPLED)]
    steps = [least, *(step for step in STEPS if step > least)]
    alike = dict.fromkeys(steps, 0)
    for start in range(0, len(learned), COLUMNS):
        cosines = unit(vectors[some]) @ unit(vectors[learned[start : start + COLUMNS]]).T
        for step in steps:
            alike[step] += int((cosines >= step).sum())
    most = max(1.0, min(MOST_COPIES, MOST_SHARE * len(learned))) * len(some)
    return next((step for step in steps if alike[step] <= most), None)


def near_pairs(
    vectors: NDArray[np.floating], tested: NDArray[np.int64], least: float
) -> Iterator[tuple[int, int]]:
    """All pairs of a tested row and any other with a cosine of at least `least`; exact. `vectors`: [n, d].

    Rows are shortened to the directions in which they differ most, with the length of what that leaves out as one
    number more: the product of two such rows is never below their cosine (Cauchy and Schwarz), so few need the whole.
    """
    if not len(tested):
        return
    basis = basis_of(unit(vectors[:: max(1, len(vectors) // SAMPLE)]))[:, :DIRECTIONS]
    short = np.concatenate(
        [shortened(vectors[at : at + COLUMNS], basis) for at in range(0, len(vectors), COLUMNS)]
    )
    for start in range(0, len(tested), ROWS):
        rows = tested[start : start + ROWS]
        for first in range(0, len(short), COLUMNS):
            ones, others = np.nonzero(short[rows] @ short[first : first + COLUMNS].T >= least - ROUNDING)
            ones, others = rows[ones], others + first
            ones, others = ones[ones != others], others[ones != others]
            for at in range(0, len(ones), AT_ONCE):
                some, rest = ones[at : at + AT_ONCE], others[at : at + AT_ONCE]
                near = (unit(vectors[some]) * unit(vectors[rest])).sum(axis=1) >= least
                yield from zip(some[near].tolist(), rest[near].tolist(), strict=True)


def shortened(vectors: NDArray[np.floating], basis: Vectors) -> Vectors:
    """[n, d] → [n, directions + 1]."""
    whole = unit(vectors)
    short = whole @ basis
    rest = np.sqrt(np.maximum(0, (whole * whole).sum(axis=1) - (short * short).sum(axis=1)))
    return np.concatenate([short, rest[:, None]], axis=1)


def settled(
    entries: Sequence[Entry], near: dict[int, set[int]], fixed: Collection[str]
) -> tuple[list[Entry], dict[str, int]]:
    """Move offenders, group by group, until none is left that may be moved; leave copies of the others out."""
    deal = Deal(entries, near, fixed)
    moved = deal.move(HELD_BACK, LEARNING)
    left_out = deal.leave_out()
    chosen_by = deal.move(VALIDATION, (TRAIN,))
    remaining = len(deal.offenders(HELD_BACK, LEARNING))
    kept = [replace(entry, part=part) for entry, part in zip(entries, deal.parts, strict=True) if part]
    return kept, {"moved": moved, "validation_moved": chosen_by, "left_out": left_out, "remaining": remaining}


class Deal:
    """The parts of all pictures while they are settled; an empty one is left out."""

    def __init__(self, entries: Sequence[Entry], near: dict[int, set[int]], fixed: Collection[str]) -> None:
        self.entries, self.near, self.fixed = entries, near, fixed
        self.parts = [entry.part for entry in entries]
        self.groups: dict[tuple[str, int], list[int]] = defaultdict(list)
        for at, entry in enumerate(entries):
            self.groups[entry.label, entry.group].append(at)
        # How many each label's part can still spare.
        counts = Counter((entry.label, entry.part) for entry in entries)
        self.spare = {key: int(count - max(1, count * KEPT)) for key, count in counts.items()}

    def offenders(self, part: str, against: Collection[str]) -> list[int]:
        """Pictures of a part with a near copy in one of these, in order."""
        return [
            at
            for at in sorted(self.near)
            if self.parts[at] == part and any(self.parts[other] in against for other in self.near[at])
        ]

    def move(self, part: str, against: Collection[str]) -> int:
        """Offenders of a part go to the training side with their groups; how many pictures went."""
        moved, before = 0, -1
        while moved != before:
            before = moved
            for at in self.offenders(part, against):
                moved += self.move_group(at, part)
        return moved

    def move_group(self, at: int, part: str) -> int:
        """The group of a picture to the training side, if it may and its label can spare it."""
        label = self.entries[at].label
        group = [each for each in self.groups[label, self.entries[at].group] if self.parts[each] == part]
        if any(self.entries[each].sha256 in self.fixed for each in group):
            return 0
        if not group or len(group) > self.spare[label, part]:
            return 0
        self.spare[label, part] -= len(group)
        for each in group:
            self.parts[each] = TRAIN
        return len(group)

    def leave_out(self) -> int:
        """Of the offenders that stay held back, the near copies leave the training, as far as their labels can spare
        them; how many went."""
        count = 0
        for at in self.offenders(HELD_BACK, LEARNING):
            for other in sorted(self.near[at]):
                key = self.entries[other].label, self.parts[other]
                if self.parts[other] in LEARNING and self.spare.get(key, 0) > 0:
                    self.spare[key] -= 1
                    self.parts[other] = ""
                    count += 1
        return count
