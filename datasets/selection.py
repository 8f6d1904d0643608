"""Which pictures of a data set are meant: those that a filter matches, or a list of ids."""

import json
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, time, timedelta
from typing import Any

from django.db import connection
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.filters import BadFilter, Filter, Order, State
from datasets.lookalikes import lookalikes_of
from datasets.models import ActionKind, Dataset, Image, Import, TagAction, TagChange
from datasets.models.images import LIVE, OPEN, SKIPPED, TRASHED
from web.sentences import Refusal

__all__ = ["BadFilter", "Filter", "Order", "Selection", "State", "UnknownImages", "images_matching"]
SIDES = ("width", "height", "bytes", "brightness", "sharpness")
FEW = 100
RANGES = [f"{end}_{side}" for side in SIDES for end in ("min", "max")]


class UnknownImages(Refusal):
    """Ids that are not pictures of this data set."""

    code = "unknown-images"
    status = 404


def images_matching(dataset: Dataset, wanted: Filter) -> "QuerySet[Image]":
    """The pictures in the filter's order; those in the trash only where the filter asks for them.

    Look-alikes come by their number here; datasets/grid.py puts them in their own order. Raises BadFilter.
    """
    wanted.checked()
    images = _in_state(Image.objects.filter(dataset=dataset), dataset, wanted)
    if wanted.label:
        named = labels_named(dataset, wanted.label)
        suggested = wanted.state == "suggested"
        images = images.filter(suggestion__label__in=named) if suggested else images.filter(label__in=named)
    if wanted.source is not None:
        images = images.filter(source=wanted.source)
    images = _by_people(images.filter(_of_file(wanted)), dataset, wanted)
    if wanted.confidence_below is not None:
        images = images.filter(suggestion__confidence__lt=wanted.confidence_below)
    if wanted.like is not None:
        images = images.filter(pk__in=id_list(lookalikes_of(dataset, wanted.like)))
    return images.order_by(*ordering(wanted))


def ordering(wanted: Filter) -> tuple[str, ...]:
    """The columns of the order, each with its sign."""
    sign = "-" if wanted.field.startswith("-") else ""
    if wanted.by_confidence:  # from end to end by one index
        return f"{sign}suggestion__{wanted.field.lstrip('-')}", f"{sign}suggestion__image_id"
    return (wanted.field,) if wanted.field in ("id", "-id") else (wanted.field, f"{sign}id")


def _in_state(images: "QuerySet[Image]", dataset: Dataset, wanted: Filter) -> "QuerySet[Image]":
    if wanted.state == "suggested":
        return with_suggestion(images, dataset)
    kinds = {
        "trashed": TRASHED,
        "unlabelled": OPEN,
        "skipped": SKIPPED,
        "labelled": LIVE & Q(label__isnull=False),
    }
    return images.filter(kinds.get(wanted.state, LIVE))


def with_suggestion(images: "QuerySet[Image]", dataset: Dataset) -> "QuerySet[Image]":
    """Those that wait for a label and for which one that is in use is suggested, with `confidence` and `margin`."""
    return images.filter(OPEN, suggestion__dataset=dataset, suggestion__label__removed_at=None).annotate(
        confidence=F("suggestion__confidence"), margin=F("suggestion__margin")
    )


def _of_file(wanted: Filter) -> Q:
    found = Q()
    if wanted.name:
        found &= Q(name__icontains=wanted.name)
    if wanted.since:
        found &= Q(created_at__gte=_midnight(wanted.since))
    if wanted.until:
        found &= Q(created_at__lt=_midnight(wanted.until, days=1))
    for name in RANGES:
        if getattr(wanted, name) is not None:
            end, side = name.split("_")
            found &= Q(**{f"{side}__{'gte' if end == 'min' else 'lte'}": getattr(wanted, name)})
    return found


def _midnight(day: Any, days: int = 0) -> datetime:
    try:
        return timezone.make_aware(datetime.combine(day, time.min) + timedelta(days=days))
    except OverflowError as error:
        raise BadFilter(
            gettext_noop("“%(value)s” is not a day such as 2026-11-22."), value=str(day)
        ) from error


def _by_people(images: "QuerySet[Image]", dataset: Dataset, wanted: Filter) -> "QuerySet[Image]":
    if wanted.uploader:
        imports = Import.objects.filter(dataset=dataset, created_by__username=wanted.uploader)
        images = images.filter(source__in=imports.values("pk"))
    if wanted.tagger:
        giving = TagAction.objects.filter(dataset=dataset, kind__in=(ActionKind.TAG, ActionKind.ACCEPT))
        theirs = giving.filter(created_by__username=wanted.tagger).values("pk")
        # After a way to the trash and back the last act tells nothing; the latest that gave a label does.
        back = TagAction.objects.filter(dataset=dataset, kind=ActionKind.RESTORE).values("pk")
        latest = TagChange.objects.filter(image=OuterRef("pk"), action__in=giving.filter(undone_at=None))
        giver = latest.order_by("-action_id").values("action__created_by__username")[:1]
        # + 0: no index on the act may lure SQLite's planner away from the order's own
        images = images.alias(giver=Subquery(giver), act=F("last_action_id") + 0).filter(
            Q(act__in=theirs) | Q(act__in=back, giver=wanted.tagger), label__isnull=False
        )
    return images


def labels_named(dataset: Dataset, text: str) -> list[int]:
    """The label of this name, or else of this number."""
    named = list(dataset.labels.filter(name=text.strip()).values_list("pk", flat=True))
    if not named and text.isdecimal() and len(text) < 19:
        named = list(dataset.labels.filter(pk=int(text)).values_list("pk", flat=True))
    return named


def id_list(ids: Iterable[int]) -> RawSQL:
    """For `pk__in`: any number of ids, which travel as one JSON parameter."""
    unpack = (
        "SELECT value FROM json_each(%s)"
        if connection.vendor == "sqlite"
        else "SELECT value::bigint FROM jsonb_array_elements_text(%s::jsonb)"
    )
    return RawSQL(unpack, [json.dumps(list(ids))])  # noqa: S611


def images_with_ids(dataset: Dataset, ids: Iterable[int]) -> "QuerySet[Image]":
    """The pictures with these ids.

    A few are looked up one by one (+ 0: not along an index of all pictures of the data set, which PostgreSQL's
    planner takes for as short as any while nobody has measured a new table).
    """
    named = list(ids)
    if len(named) > FEW:
        return Image.objects.filter(dataset=dataset, pk__in=id_list(named))
    return Image.objects.alias(of=F("dataset_id") + 0).filter(pk__in=named, of=dataset.pk)


def found(dataset: Dataset, ids: Collection[int]) -> int:
    """How many of these ids are pictures of the data set."""
    if len(ids) > FEW or not ids:
        return images_with_ids(dataset, ids).count()
    places = ", ".join(["%s"] * len(ids))
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM datasets_image WHERE id IN ({places}) AND dataset_id + 0 = %s",  # noqa: S608
            [*ids, dataset.pk],
        )
        return int(cursor.fetchone()[0])


class Selection:
    """Chosen pictures of one data set."""

    @staticmethod
    def of(
        dataset: Dataset,
        *,
        images: Iterable[int] | None = None,
        filter: "Filter | Mapping[str, Any] | None" = None,
    ) -> "QuerySet[Image]":
        """The chosen pictures; raises UnknownImages if an id is not one of this data set, BadFilter.

        A filter must be understood wholly: one with a key that nobody knows would mean more than was said.
        """
        if (images is None) == (filter is None):
            raise BadFilter(gettext_noop("Name either pictures or a filter."))
        if filter is not None:
            wanted = filter if isinstance(filter, Filter) else Filter.from_params(filter, strict=True)
            return images_matching(dataset, wanted)
        ids = {int(each) for each in images or ()}
        if any(not 0 < each < 2**63 for each in ids):
            raise UnknownImages(
                gettext_noop("%(count)s of these pictures are not in this data set."), count=1
            )
        chosen = images_with_ids(dataset, ids)
        missing = len(ids) - found(dataset, ids)
        if missing:
            raise UnknownImages(
                gettext_noop("%(count)s of these pictures are not in this data set."), count=missing
            )
        return chosen
