"""How many pictures a data set holds: in all, of each state, of each label; and how many a filter means."""

from dataclasses import dataclass, replace
from typing import Any

from datasets import tally
from datasets.filters import Filter
from datasets.grid import WINDOW, bare, up_to, ways
from datasets.models import Dataset, Label
from datasets.models.tally import OPEN, SKIPPED, TRASHED
from datasets.selection import images_matching, labels_named, ordering
from datasets.suggestions import open_ones


@dataclass(frozen=True)
class Counts:
    """Pictures outside the trash; `labels` by the label's number, `matching` for one filter.

    `more`: there are more than `matching`, but how many would have taken too long to count.
    """

    total: int
    unlabelled: int
    matching: int
    labels: dict[int, int]
    suggested: int = 0
    skipped: int = 0
    more: bool = False

    @property
    def labelled(self) -> int:
        """With a label."""
        return self.total - self.unlabelled - self.skipped

    def labels_with(self, least: int) -> int:
        """How many labels have at least so many pictures."""
        return sum(count >= least for count in self.labels.values())

    def to_json(self) -> dict[str, Any]:
        """What the bench's script reads."""
        return {
            "total": self.total,
            "unlabelled": self.unlabelled,
            "labelled": self.labelled,
            "suggested": self.suggested,
            "skipped": self.skipped,
            "matching": self.matching,
            "more": self.more,
            "labels": self.labels,
        }


def counts_of(dataset: Dataset, wanted: Filter | None = None, *, suggested: int | None = None) -> Counts:
    """The numbers beside tabs and labels, and how many pictures the filter means.

    `suggested`: how many suggestions wait, where the caller knows (`suggestions.waiting_in`).
    """
    shelves = tally.read(dataset)
    trashed, skipped, unlabelled = (shelves.pop(each, 0) for each in (TRASHED, SKIPPED, OPEN))
    total = sum(shelves.values()) + skipped + unlabelled
    if suggested is None:
        suggested = open_ones(dataset) if unlabelled else 0
    by_state = {
        "": total,
        "unlabelled": unlabelled,
        "skipped": skipped,
        "labelled": total - unlabelled - skipped,
        "suggested": suggested,
        "trashed": trashed,
    }
    matching, more = matching_of(dataset, wanted or Filter(), by_state, shelves)
    return Counts(total, unlabelled, matching, shelves, suggested, skipped, more)


def matching_of(
    dataset: Dataset, wanted: Filter, by_state: dict[str, int], labels: dict[int, int]
) -> tuple[int, bool]:
    """How many pictures match, and whether there are more that were not counted."""
    rest = replace(wanted, state="", order="id")
    if rest == Filter():
        return by_state[wanted.state], False
    if rest == Filter(label=wanted.label) and wanted.state in ("", "labelled"):
        return sum(labels.get(pk, 0) for pk in labels_named(dataset, wanted.label)), False
    matching, way, exact = ways(dataset, wanted)
    if exact:
        # In an order that an index knows: without one SQLite's planner may take an index that does not help
        inside = replace(wanted, order="-confidence" if wanted.state == "suggested" else "id")
        found = images_matching(dataset, inside)[: WINDOW + 1].count()
        return min(found, WINDOW), found > WINDOW
    # Both along the order's index, as the grid reads its pages: PostgreSQL would join a list of pictures the long way
    fields = ordering(wanted)
    ends = list(way.order_by(*fields).values_list(*bare(fields))[WINDOW - 1 : WINDOW + 1])
    if len(ends) < 2:
        return matching.order_by().count(), False
    return matching.filter(up_to(fields, ends[0])).order_by(*fields)[:WINDOW].count(), True


def with_counts(labels: list[Label], counts: Counts) -> list[Label]:
    """The labels with `images_count` and `share` (per cent of the largest) for their bars."""
    most = max(counts.labels.values(), default=0) or 1
    for label in labels:
        label.images_count = counts.labels.get(label.pk, 0)  # type: ignore[attr-defined]
        label.share = f"{100 * label.images_count / most:.1f}"  # type: ignore[attr-defined]
    return labels
