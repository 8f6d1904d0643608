"""Several statements in one trip to the database: what holds a lock others wait for does not wait in between."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db import connection

Statement = tuple[str, Sequence[Any]]  # SQL and its parameters


class Answer(NamedTuple):
    """What a statement answered: the first row, if it gives any, and how many rows it found or changed."""

    row: Any
    rows: int


def in_one_trip(*statements: Statement) -> list[Answer]:
    """Run them in their order; PostgreSQL gets them at once, and each sees what was committed before it began.

    Without the server's own parameters, so `server_side_binding` must stay off in the database's OPTIONS.
    """
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return [answered(cursor.execute(sql, params)) for sql, params in statements]
        cursor.execute(
            "; ".join(sql for sql, _ in statements), [p for _, params in statements for p in params]
        )
        answers = [answered(cursor)]
        while cursor.nextset():
            answers.append(answered(cursor))
        return answers


def answered(cursor: Any) -> Answer:
    """Of the statement whose turn it is."""
    return Answer(cursor.fetchone() if cursor.description else None, cursor.rowcount)
