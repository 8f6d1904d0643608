"""Suggested labels: stored by whoever has some, counted, and accepted many at once in one undoable act."""

# ruff: noqa: S608  every word of this SQL stands in this file

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Case, Count, F, OuterRef, QuerySet, Subquery, Sum, When

from datasets.models import ActionKind, Dataset, Image, Suggestion, TagAction, TagChange
from datasets.selection import Filter, images_matching, images_with_ids, with_suggestion
from datasets.tagging import one_at_a_time, remember_and_change, start

# The source of what the built-in features say; all other sources are taken at their word.
WEAK = "simple-features"
SURE = (0.99, 0.95, 0.9, 0.8, 0.7, 0.5)


class Proposal(NamedTuple):
    """What a source says of one picture."""

    image: int
    label: str
    confidence: float
    margin: float | None = None  # over the next label; None: the least that it can be


@dataclass(frozen=True)
class Record:
    """How often people gave a picture the label that was suggested."""

    right: int
    asked: int

    @property
    def percent(self) -> int:
        """Rounded down, so that only a spotless record says 100."""
        return 100 * self.right // self.asked if self.asked else 0


@transaction.atomic
def store(*, dataset: Dataset, source: str, rows: Iterable[Proposal]) -> int:
    """Put these suggestions in the place of all that the data set had; how many were kept.

    Left out: labels that the data set has not; pictures that have a label by now, went, or lie in the trash.
    """
    labels = dict(dataset.labels.values_list("name", "pk"))
    wanted = {row.image: row for row in rows if row.label in labels}
    untagged = images_with_ids(dataset, wanted).filter(label=None, trashed_at=None)
    kept = [wanted[pk] for pk in untagged.values_list("pk", flat=True)]
    dataset.suggestions.all().delete()
    Suggestion.objects.bulk_create(
        Suggestion(
            dataset=dataset,
            image_id=row.image,
            label_id=labels[row.label],
            confidence=min(max(float(row.confidence), 0.0), 1.0),
            margin=min(max(float(2 * row.confidence - 1 if row.margin is None else row.margin), 0.0), 1.0),
            source=source[:80],
        )
        for row in kept
    )
    return len(kept)


@transaction.atomic
def accept(*, dataset: Dataset, user: User, chosen: "QuerySet[Image]", at_least: float = 0.0) -> TagAction:
    """Give each chosen picture the label that is suggested for it with at least this confidence: one act.

    Pictures that have a label, or no suggestion, stay as they are.
    """
    one_at_a_time(dataset)
    sure = with_suggestion(chosen, dataset).filter(suggestion__confidence__gte=at_least)
    return give_each(start(dataset, user, ActionKind.ACCEPT), sure, F("suggestion__label_id"))


@transaction.atomic
def accept_again(*, before: TagAction, user: User) -> TagAction:
    """What an act had accepted before it was undone, where the pictures are still without a label."""
    one_at_a_time(before.dataset)
    live = TagChange.objects.filter(action=before, image=OuterRef("pk"), after__removed_at=None)
    again = Image.objects.live().filter(label=None, changes__action=before, changes__after__removed_at=None)
    action = start(before.dataset, user, ActionKind.ACCEPT)
    return give_each(action, again, Subquery(live.values("after")[:1]))


def give_each(action: TagAction, chosen: "QuerySet[Image]", after: "F | Subquery") -> TagAction:
    """Remember each picture's own new label, then give it."""
    return remember_and_change(action, chosen, after=after)


def record_of(dataset: Dataset) -> Record:
    """How right suggestions were so far; acts that were undone do not count."""
    acts = dataset.actions.filter(undone_at=None, suggested__gt=0)
    sums = acts.aggregate(right=Sum("agreed"), asked=Sum("suggested"))
    return Record(sums["right"] or 0, sums["asked"] or 0)


def open_ones(dataset: Dataset) -> int:
    """How many pictures wait for a label and have a suggestion of one that is in use.

    Counted from suggestion to picture, both by an index alone; SQLite's planner, which knows no numbers of rows,
    would begin with the pictures, of which there may be a million.
    """
    waiting, params = _waiting(dataset)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {waiting}", params)
        return int(cursor.fetchone()[0])


def _waiting(dataset: Dataset) -> tuple[str, list[int]]:
    """SQL from FROM on, and its parameters: the suggestions of labels that are in use for pictures that wait."""
    by_index = " INDEXED BY image_open" if connection.vendor == "sqlite" else ""
    return (
        "FROM datasets_suggestion s WHERE s.dataset_id = %s AND s.label_id NOT IN"
        " (SELECT l.id FROM datasets_label l WHERE l.dataset_id = %s AND l.removed_at IS NOT NULL)"
        f" AND EXISTS (SELECT 1 FROM datasets_image i{by_index} WHERE i.dataset_id = %s AND i.id = s.image_id"
        " AND i.trashed_at IS NULL AND i.label_id IS NULL AND i.skipped_at IS NULL)",
        [dataset.pk, dataset.pk, dataset.pk],
    )


Spread = list[tuple[str, int, int]]  # suggested label, which step of SURE it reaches, how many


def spread(dataset: Dataset, wanted: Filter) -> Spread:
    """How the suggestions that match are spread, whatever label the filter names: one read for all that is told."""
    if means_all(wanted):
        return _spread_of_all(dataset)
    matching = images_matching(dataset, replace(wanted, label="")).order_by()
    rows = Suggestion.objects.filter(dataset=dataset, image__in=matching.values("pk"))
    step = Case(*(When(confidence__gte=sure, then=at) for at, sure in enumerate(SURE)), default=len(SURE))
    counts = rows.values_list("label_id", step).annotate(n=Count("pk"))
    names = dict(dataset.labels.values_list("pk", "name"))
    return [(names[label], at, n) for label, at, n in counts if label in names]


def means_all(wanted: Filter) -> bool:
    """Whether `spread` tells of all suggestions that wait."""
    return replace(wanted, label="", order="id") == Filter(state="suggested")


def waiting_in(found: Spread, wanted: Filter) -> int | None:
    """What `open_ones` would count, where the spread tells."""
    return sum(n for _, _, n in found) if means_all(wanted) else None


def _spread_of_all(dataset: Dataset) -> Spread:
    """As `spread`, along the same index as `open_ones`; grouped by one number, which SQLite sorts twice as fast."""
    waiting, params = _waiting(dataset)
    kinds = len(SURE) + 1
    steps = " ".join(f"WHEN s.confidence >= {sure} THEN {at}" for at, sure in enumerate(SURE))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT kind, count(*) FROM"
            f" (SELECT s.label_id * {kinds} + CASE {steps} ELSE {len(SURE)} END AS kind {waiting}) found GROUP BY kind",
            params,
        )
        counts = cursor.fetchall()
    names = dict(dataset.labels.values_list("pk", "name"))
    return [(names[kind // kinds], kind % kinds, n) for kind, n in counts if kind // kinds in names]


def how_sure(dataset: Dataset, wanted: Filter, found: Spread | None = None) -> list[tuple[float, int]]:
    """How many of the suggestions that match are at least so sure, for each step that has some."""
    rows = spread(dataset, wanted) if found is None else found
    mine = [(at, n) for name, at, n in rows if wanted.label in ("", name)]
    counts = [(sure, sum(n for reached, n in mine if reached <= at)) for at, sure in enumerate(SURE)]
    return [(sure, n) for sure, n in counts if n]


def by_label(found: Spread, most: int) -> list[tuple[str, int]]:
    """The labels that are suggested most often, with how often."""
    counts = Counter[str]()
    for name, _, n in found:
        counts[name] += n
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))[:most]
