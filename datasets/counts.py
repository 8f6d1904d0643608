"""How many pictures a data set holds: in all, labelled, and a label. One grouped read over an index."""

from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum

from datasets.models import Dataset, Image, Label
from datasets.selection import Filter, images_matching, with_suggestion


@dataclass(frozen=True)
class Counts:
    """Pictures outside the trash; `labels` by the label's number, `matching` for one filter."""

    total: int
    unlabelled: int
    matching: int
    labels: dict[int, int]
    suggested: int = 0

    @property
    def labelled(self) -> int:
        """With a label."""
        return self.total - self.unlabelled

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
            "matching": self.matching,
            "labels": self.labels,
        }


def counts_of(dataset: Dataset, wanted: Filter | None = None) -> Counts:
    """The numbers beside tabs and labels, and how many pictures the filter means."""
    found = dict(dataset.images.live().order_by().values_list("label").annotate(Count("pk")))
    unlabelled, total = found.pop(None, 0), sum(found.values())
    total += unlabelled
    suggested = with_suggestion(Image.objects.filter(dataset=dataset), dataset).count() if unlabelled else 0
    by_state = {
        "": total,
        "unlabelled": unlabelled,
        "labelled": total - unlabelled,
        "suggested": suggested,
    }
    if wanted is None or (wanted.state in by_state and not wanted.label and wanted.source is None):
        matching = by_state[wanted.state if wanted else ""]
    else:
        matching = images_matching(dataset, wanted).count()
    return Counts(total, unlabelled, matching, found, suggested)


def with_counts(labels: list[Label], counts: Counts) -> list[Label]:
    """The labels with `images_count` and `share` (per cent of the largest) for their bars."""
    most = max(counts.labels.values(), default=0) or 1
    for label in labels:
        label.images_count = counts.labels.get(label.pk, 0)  # type: ignore[attr-defined]
        label.share = f"{100 * label.images_count / most:.1f}"  # type: ignore[attr-defined]
    return labels


def bytes_of(dataset: Dataset) -> int:
    """What the pictures take in storage, those in the trash too."""
    return Image.objects.filter(dataset=dataset).aggregate(sum=Sum("bytes"))["sum"] or 0
