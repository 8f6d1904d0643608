"""Lists paged by key, never by offset: the API's `{"items": […], "next": CURSOR|null}`, and pages of the latest."""

import base64
import binascii
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.db.models import Model, Q, QuerySet
from django.utils.translation import gettext_noop

from web.sentences import Refusal

Row = TypeVar("Row", bound=Model)
LIMIT = 100
MAX_LIMIT = 1000


class BadCursor(Refusal):
    """A cursor that this list did not hand out."""

    code = "bad-cursor"


def encode(values: list[Any]) -> str:
    """A position in a list as opaque text."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


def decode(cursor: str) -> list[Any]:
    """Back from the opaque text; raises BadCursor."""
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, ValueError) as error:
        raise BadCursor(gettext_noop("This cursor is not one that the list handed out.")) from error
    if not isinstance(values, list) or not all(isinstance(value, (int, float, str)) for value in values):
        raise BadCursor(gettext_noop("This cursor is not one that the list handed out."))
    return values


def page(
    rows: QuerySet[Row],
    shape: Callable[[Row], Any],
    *,
    limit: int = LIMIT,
    cursor: str = "",
    order: str = "id",
) -> dict[str, Any]:
    """One page of a query set in the order of one field (with `-` downwards), ties by id."""
    field, down = order.lstrip("-"), order.startswith("-")
    if cursor:
        rows = _behind(rows, field, down, decode(cursor))
    sign = "-" if down else ""
    ordered = rows.order_by(f"{sign}{field}", f"{sign}id") if field != "id" else rows.order_by(f"{sign}id")
    found = list(ordered[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    return {"items": [shape(row) for row in found[:limit]], "next": _position(last, field) if last else None}


@dataclass(frozen=True)
class Stretch(Generic[Row]):
    """Some rows of a list that shows its latest first. `newer`, `older`: where its neighbours begin; None: none."""

    rows: list[Row]
    newer: int | None
    older: int | None

    @property
    def has_neighbours(self) -> bool:
        """Whether there is more than this."""
        return self.newer is not None or self.older is not None


def latest_first(rows: QuerySet[Row], *, before: int = 0, after: int = 0, limit: int = LIMIT) -> Stretch[Row]:
    """The latest rows, those next before a number, or those next after one; a short first page is filled up."""
    if after:
        found = list(rows.filter(pk__gt=after).order_by("pk")[: limit + 1])
        if len(found) > limit:
            shown = found[limit - 1 :: -1]
            return Stretch(shown, shown[0].pk, shown[-1].pk)
        before = 0
    behind = rows.filter(pk__lt=before) if before else rows
    found = list(behind.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    newer = shown[0].pk if shown and before and rows.filter(pk__gt=shown[0].pk).exists() else None
    return Stretch(shown, newer, shown[-1].pk if len(found) > limit else None)


def number_in(text: str) -> int:
    """A number in an address; 0, which nothing has, where it is none."""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _position(row: Model, field: str) -> str:
    return encode([row.pk] if field == "id" else [getattr(row, field), row.pk])


def _behind(rows: QuerySet[Row], field: str, down: bool, position: list[Any]) -> QuerySet[Row]:
    after = _after(field, down, position)
    try:
        return rows.filter(after)
    except (TypeError, ValueError, OverflowError) as error:  # a word where the column holds numbers
        raise BadCursor(gettext_noop("This cursor is not one that the list handed out.")) from error


def _after(field: str, down: bool, position: list[Any]) -> Q:
    side = "lt" if down else "gt"
    if len(position) != (1 if field == "id" else 2):
        raise BadCursor(gettext_noop("This cursor is not one that the list handed out."))
    if field == "id":
        if not isinstance(position[0], int):
            raise BadCursor(gettext_noop("This cursor is not one that the list handed out."))
        return Q(**{f"id__{side}": position[0]})
    return Q(**{f"{field}__{side}": position[0]}) | Q(**{field: position[0], f"id__{side}": position[1]})
