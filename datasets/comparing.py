"""What differs between two snapshots, or between one and now: pictures added, removed, relabelled."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from datasets.snapshots import Row

Kind = Literal["added", "removed", "relabelled"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Change:
    """One picture; `before` is empty where it was added, `after` where it was removed."""

    image: int
    name: str
    sha256: str
    before: str
    after: str


@dataclass(frozen=True)
class Difference:
    """All changes, sorted by label and name."""

    added: tuple[Change, ...]
    removed: tuple[Change, ...]
    relabelled: tuple[Change, ...]

    def of(self, kind: Kind) -> tuple[Change, ...]:
        """Those of one kind."""
        return {"added": self.added, "removed": self.removed, "relabelled": self.relabelled}[kind]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.relabelled)


def difference(before: Sequence[Row], after: Sequence[Row]) -> Difference:
    """Pictures are known by their content, so one that was deleted and uploaded again is the same."""
    then, now = ({row.sha256: row for row in rows} for rows in (before, after))
    return Difference(
        added=ordered(change("", row) for sha256, row in now.items() if sha256 not in then),
        removed=ordered(change(row.label, row, "") for sha256, row in then.items() if sha256 not in now),
        relabelled=ordered(
            change(then[sha256].label, row)
            for sha256, row in now.items()
            if sha256 in then and then[sha256].label != row.label
        ),
    )


def change(before: str, row: Row, after: str | None = None) -> Change:
    """Of one picture."""
    return Change(row.image, row.name, row.sha256, before, row.label if after is None else after)


def ordered(changes: Iterable[Change]) -> tuple[Change, ...]:
    """By label, then name."""
    return tuple(sorted(changes, key=lambda each: (each.after, each.before, each.name, each.sha256)))
