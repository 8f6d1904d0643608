"""Suggested labels: stored by whoever has some, counted, and accepted many at once in one undoable act."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum

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
    mine = TagChange.objects.filter(action=action, image=OuterRef("pk"))
    return remember_and_change(action, chosen, after=after, label=Subquery(mine.values("after")[:1]))


def record_of(dataset: Dataset) -> Record:
    """How right suggestions were so far; acts that were undone do not count."""
    acts = dataset.actions.filter(undone_at=None, suggested__gt=0)
    sums = acts.aggregate(right=Sum("agreed"), asked=Sum("suggested"))
    return Record(sums["right"] or 0, sums["asked"] or 0)


def how_sure(dataset: Dataset, wanted: Filter) -> list[tuple[float, int]]:
    """How many of the suggestions that match are at least so sure, for each step that has some."""
    found = images_matching(dataset, wanted).order_by()
    names = {f"at_{step:.2f}".replace(".", "_"): step for step in SURE}
    counts = found.aggregate(
        **{name: Count("pk", filter=Q(suggestion__confidence__gte=step)) for name, step in names.items()}
    )
    return [(step, counts[name]) for name, step in names.items() if counts[name]]


def by_label(dataset: Dataset, wanted: Filter, most: int) -> list[tuple[str, int]]:
    """The labels that are suggested most often, with how often, whatever label the filter names."""
    found = images_matching(dataset, replace(wanted, label="")).order_by()
    counts = found.values_list("suggestion__label__name").annotate(n=Count("pk"))
    return list(counts.order_by("-n", "suggestion__label__name")[:most])
