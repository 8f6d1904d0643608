"""Pieces that every room's API uses: the list parameters and the shape of a page of results."""

from typing import Annotated, Generic, TypeVar

from ninja import Query, Schema
from pydantic import Field

from web.pagination import LIMIT, MAX_LIMIT

Item = TypeVar("Item")

Limit = Annotated[int, Query(LIMIT, ge=1, le=MAX_LIMIT, description="How many at most.")]
Cursor = Annotated[str, Query("", description="`next` of the page before.")]


class Page(Schema, Generic[Item]):
    """A page of a list; `next` is the cursor of the following one, or null."""

    items: list[Item]
    next: str | None = None


class Problem(Schema):
    """An RFC 9457 problem document."""

    type: str = "about:blank"
    title: str
    status: int
    code: str
    detail: str
    errors: list[dict[str, str]] | None = Field(None, description="422 only: {field, code, message} a field.")


PROBLEMS = {frozenset({400, 401, 403, 404, 409, 413, 415, 422}): Problem}
