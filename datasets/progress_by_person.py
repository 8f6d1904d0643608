"""Who tagged how much, today, this week and in all: sums over the acts, read from one index."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Q, Sum
from django.utils import timezone

from datasets.models import ActionKind, Dataset

# Taking labels away, or a label from all its pictures, is no tagging
GAVE_LABELS = Q(kind=ActionKind.ACCEPT) | Q(kind=ActionKind.TAG) & ~Q(label_name="")
WEEK = timedelta(days=7)
COLUMNS = {"tagged": "changed", "asked": "suggested", "agreed": "agreed", "undone": "undone"}


@dataclass(frozen=True)
class Span:
    """What one person did in a stretch of time. `tagged` counts each picture once an act, undone ones too."""

    tagged: int = 0
    asked: int = 0
    agreed: int = 0
    undone: int = 0

    @property
    def agreed_percent(self) -> int | None:
        """Of the pictures that had a suggestion; rounded down, None where none had."""
        return 100 * self.agreed // self.asked if self.asked else None


@dataclass
class Progress:
    """One person's, None being who is not here any more."""

    person: User | None
    today: Span = field(default_factory=Span)
    week: Span = field(default_factory=Span)
    ever: Span = field(default_factory=Span)


def progress_of(dataset: Dataset, *, only: User | None = None) -> list[Progress]:
    """Everybody who tagged, who did most first; or one person alone. Days are those of the server's time zone."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    found = {row.pop("created_by"): Progress(None, ever=Span(**row)) for row in sums(dataset, None, only)}
    for name, begin in (("week", midnight - WEEK + timedelta(days=1)), ("today", midnight)):
        # Naming the people lets the index find their last days without reading all years
        for row in sums(dataset, begin, only, [pk for pk in found if pk]):
            setattr(found[row.pop("created_by")], name, Span(**row))
    people = User.objects.in_bulk([pk for pk in found if pk])
    for pk, progress in found.items():
        progress.person = people.get(pk) if pk else None
    return sorted(found.values(), key=lambda each: (-each.ever.tagged, str(each.person)))


def sums(
    dataset: Dataset, begin: datetime | None, only: User | None, people: list[int] | None = None
) -> list[dict[str, Any]]:
    """One row a person, from an instant on."""
    acts = dataset.actions.filter(GAVE_LABELS)
    if only:
        acts = acts.filter(created_by=only)
    if begin:
        acts = acts.filter(created_at__gte=begin, created_by__in=people or [])
    columns = {name: Sum(column) for name, column in COLUMNS.items()}
    return [dict(row) for row in acts.order_by().values("created_by").annotate(**columns)]


def tagged_today(dataset: Dataset, user: User) -> int:
    """The short form: how many pictures this person tagged since midnight, without what was taken back."""
    midnight = timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)
    acts = dataset.actions.filter(GAVE_LABELS, created_by=user, created_at__gte=midnight)
    found = acts.aggregate(tagged=Sum("changed"), undone=Sum("undone"))
    return (found["tagged"] or 0) - (found["undone"] or 0)
