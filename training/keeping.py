"""After a warm start nothing counts as held back that an earlier version learned from."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from django.utils.translation import gettext_noop
from numpy.typing import NDArray

from datasets.hashes import BLOCK, unsigned
from training.grouping import NEAR
from training.manifest import Entry, Manifest
from training.splitting import HELD_BACK, TRAIN, VALIDATION
from web.sentences import Conflict


class NothingLeft(Conflict):
    """A label could not be measured on pictures that are new to the weights."""

    code = "nothing-left-to-measure"


@dataclass(frozen=True)
class Seen:
    """What became of pictures in the version gone on from. `parts`: by sha256; `learned`: also by those before it;
    `looks`: the difference hashes of these, as far as they are known."""

    parts: dict[str, str]
    learned: frozenset[str]
    looks: dict[str, int]

    @classmethod
    def by(cls, source: Manifest, older: Mapping[str, int]) -> "Seen":
        """From the manifest of the version gone on from. `older`: difference hashes that it does not hold itself."""
        parts = {entry.sha256: entry.part for entry in source.entries}
        learned = frozenset(sha for sha, part in parts.items() if part != HELD_BACK) | set(
            source.learned_before
        )
        looks = dict(older) | source.looks_before
        looks |= {entry.sha256: entry.look for entry in source.entries if entry.look is not None}
        return cls(parts, learned, {sha256: look for sha256, look in looks.items() if sha256 in learned})

    def copies_of_gone(self, data: Manifest) -> set[str]:
        """Pictures that are new and look like one that was learned from and is not among the data any more."""
        here = {entry.sha256 for entry in data.entries}
        gone = [look for sha256, look in self.looks.items() if sha256 not in here]
        new = [each for each in data.entries if each.look is not None and self.part_of(each.sha256) is None]
        alike = alike_any([unsigned(each.look) for each in new], [unsigned(each) for each in set(gone)])
        return {each.sha256 for each, is_copy in zip(new, alike, strict=True) if is_copy}

    def part_of(self, sha256: str) -> str | None:
        """Where a picture was; None for one that is new. One that was learned from before and held back since
        does not exist: each version of a chain keeps it among the learned."""
        part = self.parts.get(sha256)
        return TRAIN if part in (None, HELD_BACK) and sha256 in self.learned else part


def alike_any(ones: Sequence[int], others: Sequence[int]) -> NDArray[np.bool_]:
    """Of each of the first hashes, whether it differs from any of the others in at most NEAR bits. Exact."""
    found, against = np.zeros(len(ones), dtype=np.bool_), np.array(others, dtype=np.uint64)
    if not len(against):
        return found
    rows = max(1, BLOCK // len(against))
    for start in range(0, len(ones), rows):
        some = np.array(ones[start : start + rows], dtype=np.uint64)
        found[start : start + rows] = (np.bitwise_count(some[:, None] ^ against) <= NEAR).any(1)
    return found


Rule = Callable[[str, set[str]], str | None]


def kept_apart(
    data: Manifest, source: Manifest, number: int, older: Mapping[str, int] = MappingProxyType({})
) -> Manifest:
    """The same pictures, split so that the report is fair. `older`: difference hashes that the source's manifest lacks,
    by sha256. Raises NothingLeft.

    By our own rule, a picture that the source knows stays where it was there, and takes what looks like it along; where
    some of a group were learned from, all are. With a test set or wishes, what should be held back but was learned
    from is left out altogether: neither learned from nor measured on. A new picture that looks like a deleted one which
    was learned from counts as learned from.
    """
    seen = Seen.by(source, older)
    copies = seen.copies_of_gone(data)
    rule = by_wish if data.wishes or data.facts.get("pinned") else by_source
    entries: list[Entry] = []
    for group in groups(data):
        known = {part for entry in group if (part := seen.part_of(entry.sha256))}
        if any(entry.sha256 in copies for entry in group):
            known.add(TRAIN)
        part = rule(group[0].part, known)
        if part is not None:
            entries += [entry if entry.part == part else replace(entry, part=part) for entry in group]
    order = {entry.sha256: at for at, entry in enumerate(data.entries)}
    entries.sort(key=lambda entry: order[entry.sha256])
    refuse_nothing_left(data, entries, number)
    here = {entry.sha256 for entry in entries if entry.part != HELD_BACK}
    facts = {
        "version": number,
        "known": sum(entry.sha256 in seen.parts for entry in entries),
        "not_judged": not_judged(data, entries),
        "left_out": len(data.entries) - len(entries),
        "copies": sum(entry.part == HELD_BACK and entry.sha256 in copies for entry in data.entries),
    }
    before = tuple(sorted(seen.learned - here))
    return replace(
        data,
        entries=tuple(entries),
        facts=data.facts | {"warm_start": facts},
        learned_before=before,
        looks_before={sha256: seen.looks[sha256] for sha256 in before if sha256 in seen.looks},
    )


def by_source(dealt: str, known: set[str]) -> str | None:
    """What was learned from stays so; else what was held back does; else as it was dealt."""
    return next((part for part in (TRAIN, VALIDATION, HELD_BACK) if part in known), dealt)


def by_wish(dealt: str, known: set[str]) -> str | None:
    """Held back only what the weights do not know; chosen by only what they were not trained on."""
    if dealt == HELD_BACK:
        return None if known & {TRAIN, VALIDATION} else HELD_BACK
    return TRAIN if TRAIN in known else dealt


def groups(data: Manifest) -> list[list[Entry]]:
    """Pictures of one label that look alike, and so share a part."""
    found: dict[tuple[str, int], list[Entry]] = defaultdict(list)
    for entry in data.entries:
        found[entry.label, entry.group].append(entry)
    return list(found.values())


def not_judged(data: Manifest, entries: list[Entry]) -> int:
    """Pictures that would have been held back, were the start not a warm one."""
    still = {entry.sha256 for entry in entries if entry.part == HELD_BACK}
    return sum(entry.part == HELD_BACK and entry.sha256 not in still for entry in data.entries)


def refuse_nothing_left(data: Manifest, entries: list[Entry], number: int) -> None:
    """Each label needs something to learn from and something to be measured on."""
    for label in data.labels:
        parts = {entry.part for entry in entries if entry.label == label}
        if not {TRAIN, HELD_BACK} <= parts:
            raise NothingLeft(
                gettext_noop(
                    "Going on from version %(number)s, “%(label)s” has nothing to be measured on that those weights"
                    " have not seen, or nothing to learn from. Tag more of it, or begin anew."
                ),
                number=number,
                label=label,
            )
