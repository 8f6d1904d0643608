"""After a warm start nothing counts as held back that an earlier version learned from."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, replace

from django.utils.translation import gettext_noop

from training.manifest import Entry, Manifest
from training.splitting import HELD_BACK, TRAIN, VALIDATION
from web.sentences import Conflict


class NothingLeft(Conflict):
    """A label could not be measured on pictures that are new to the weights."""

    code = "nothing-left-to-measure"


@dataclass(frozen=True)
class Seen:
    """What became of pictures in the version gone on from. `parts`: by sha256; `learned`: also by those before it."""

    parts: dict[str, str]
    learned: frozenset[str]

    @classmethod
    def by(cls, source: Manifest) -> "Seen":
        """From the manifest of the version gone on from."""
        parts = {entry.sha256: entry.part for entry in source.entries}
        own = {sha256 for sha256, part in parts.items() if part != HELD_BACK}
        return cls(parts, frozenset(own | set(source.learned_before)))

    def part_of(self, sha256: str) -> str | None:
        """Where a picture was; None for one that is new. One that was learned from before and held back since
        does not exist: each version of a chain keeps it among the learned."""
        part = self.parts.get(sha256)
        return TRAIN if part in (None, HELD_BACK) and sha256 in self.learned else part


Rule = Callable[[str, set[str]], str | None]


def kept_apart(data: Manifest, source: Manifest, number: int) -> Manifest:
    """The same pictures, split so that the report is fair. Raises NothingLeft.

    By our own rule, a picture that the source knows stays where it was there, and takes what looks like it along; where
    some of a group were learned from, all are. With a test set or wishes, what should be held back but was learned
    from is left out altogether: neither learned from nor measured on.
    """
    seen = Seen.by(source)
    rule = by_wish if data.wishes or data.facts.get("pinned") else by_source
    entries: list[Entry] = []
    for group in groups(data):
        known = {part for entry in group if (part := seen.part_of(entry.sha256))}
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
    }
    return replace(
        data,
        entries=tuple(entries),
        facts=data.facts | {"warm_start": facts},
        learned_before=tuple(sorted(seen.learned - here)),
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
