"""Pages of the grid, quick with a million pictures: by key, along an index, never looking at more than a window.

What no index knows (a part of a name, who tagged) is looked for in the next WINDOW pictures of the order. A page may
then come back short, or empty, with a cursor that goes on behind the window; only no cursor means the end.
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.fields.tuple_lookups import (
    TupleGreaterThan,
    TupleGreaterThanOrEqual,
    TupleLessThan,
    TupleLessThanOrEqual,
)
from django.utils.translation import gettext_noop

from datasets.filters import Filter
from datasets.lookalikes import lookalikes_of
from datasets.models import Dataset, Image
from datasets.selection import images_matching, ordering
from web.pagination import BadCursor, decode, encode

WINDOW = 10_000
Page = tuple[list[Image], str | None]


def page_of(
    dataset: Dataset,
    wanted: Filter,
    *,
    limit: int,
    cursor: str = "",
    shown: Callable[["QuerySet[Image]"], "QuerySet[Image]"] = lambda images: images,
) -> Page:
    """The next pictures that match, in their order, and the cursor of the page after; None at the end.

    `shown` adds what is shown with them. Raises BadFilter, BadCursor.
    """
    if wanted.order == "similar":
        return by_likeness(dataset, wanted.checked(), limit, cursor, shown)
    fields = ordering(wanted)
    matching, way, exact = ways(dataset, wanted)
    if cursor:
        after = behind(fields, position(cursor, fields))
        matching, way = matching.filter(after), way.filter(after)
    end = None if exact else way.values_list(*bare(fields))[WINDOW : WINDOW + 1].first()
    if end is not None:
        matching = matching.filter(up_to(fields, end))
    found = list(shown(matching)[: limit + 1])
    if len(found) > limit:
        return found[:limit], encode(place(found[limit - 1], fields))
    return found, encode(list(end)) if end is not None else None


def ways(dataset: Dataset, wanted: Filter) -> tuple["QuerySet[Image]", "QuerySet[Image]", bool]:
    """What matches; the pictures among which it is looked for, all along an index; whether these are the same."""
    matching = images_matching(dataset, wanted)
    if wanted.state == "suggested" or wanted.like is not None:  # never very many
        return matching, matching, True
    rest = replace(wanted, order="id")
    if wanted.field not in ("id", "-id"):
        way = Filter(state="trashed" if wanted.state == "trashed" else "")
    elif wanted.label and wanted.state in ("", "labelled"):
        way, rest = Filter(label=wanted.label), replace(rest, state="")
    elif wanted.state in ("unlabelled", "skipped", "trashed"):
        way = Filter(state=wanted.state)
    else:
        way = Filter(source=wanted.source)
    return matching, images_matching(dataset, replace(way, order=wanted.order)), rest == way


def bare(fields: tuple[str, ...]) -> list[str]:
    """The columns without their signs."""
    return [each.lstrip("-") for each in fields]


def behind(fields: tuple[str, ...], values: list[Any]) -> Any:
    """Strictly after a position in the order, as one comparison of rows, which an index answers."""
    down = fields[0].startswith("-")
    columns = tuple(F(each) for each in bare(fields))
    after = TupleLessThan(columns, tuple(values)) if down else TupleGreaterThan(columns, tuple(values))
    return first_bound(fields, values[0], after=True) & after


def up_to(fields: tuple[str, ...], values: tuple[Any, ...]) -> Any:
    """Not after a position."""
    bound = first_bound(fields, values[0], after=False)
    if len(fields) == 1:
        return bound
    columns = tuple(F(each) for each in bare(fields))
    down = fields[0].startswith("-")
    before = (TupleGreaterThanOrEqual if down else TupleLessThanOrEqual)(columns, tuple(values))
    return bound & before


def first_bound(fields: tuple[str, ...], value: Any, *, after: bool) -> Q:
    """What a comparison of rows means for the first column.

    Django writes rows out for SQLite, `a < x OR (a = x AND b < y)`, along which no index finds where to begin or end.
    """
    less = fields[0].startswith("-") == after
    return Q(**{f"{bare(fields)[0]}__{'lte' if less else 'gte'}": value})


def place(image: Image, fields: tuple[str, ...]) -> list[Any]:
    """Where a picture stands in the order."""
    return [
        image.pk if each in ("id", "suggestion__image_id") else value_of(image, each) for each in bare(fields)
    ]


def value_of(image: Image, field: str) -> Any:
    """A column of it or of its suggestion; the latter are annotated by their own names."""
    return getattr(image, field.removeprefix("suggestion__"))


def position(cursor: str, fields: tuple[str, ...]) -> list[Any]:
    """The values of a cursor, of the kind that the columns hold. Raises BadCursor."""
    values = decode(cursor)
    kinds = [kind_of(each) for each in bare(fields)]
    if len(values) != len(kinds) or not all(fits(*pair) for pair in zip(values, kinds, strict=True)):
        raise BadCursor(gettext_noop("This cursor is not one that the list handed out."))
    return values


def kind_of(field: str) -> type:
    """Of the column's values."""
    kinds = {"name": str, "suggestion__confidence": float, "suggestion__margin": float}
    return kinds.get(field, int)


def fits(value: Any, kind: type) -> bool:
    """Whether a column of this kind can hold it."""
    if kind is str:
        return isinstance(value, str) and "\x00" not in value and encodable(value)
    if kind is float:
        return isinstance(value, int | float) and math.isfinite(value)
    return isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63


def encodable(text: str) -> bool:
    """Half a surrogate pair is no text."""
    try:
        return bool(text.encode())
    except UnicodeEncodeError:
        return False


def by_likeness(
    dataset: Dataset,
    wanted: Filter,
    limit: int,
    cursor: str,
    shown: Callable[["QuerySet[Image]"], "QuerySet[Image]"],
) -> Page:
    """The most alike first: a few hundred at most, so the cursor counts them."""
    start = position(cursor, ("id",))[0] if cursor else 0
    ranks = {pk: rank for rank, pk in enumerate(lookalikes_of(dataset, wanted.like or 0))}
    matching = images_matching(dataset, wanted)
    ids = sorted(matching.values_list("pk", flat=True), key=ranks.__getitem__)
    page = [pk for pk in ids if ranks[pk] >= start]
    found = shown(matching).in_bulk(page[:limit])
    more = encode([ranks[page[limit]]]) if len(page) > limit else None
    return [found[pk] for pk in page[:limit] if pk in found], more
