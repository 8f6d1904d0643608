"""The numbers beside tabs and labels without counting a million rows: the database keeps a tally of its pictures.

Triggers write it, so that every way of changing pictures (an import, an act, an undo, a purge, a cascade) keeps it
right. On PostgreSQL each statement adds its differences as new rows, for writers that update one row would wait for
one another; `fold` adds them up now and then. SQLite has one writer and counts in place.
"""

# ruff: noqa: S608  every word of this SQL stands in this file
from collections.abc import Iterable
from typing import Any

from django.apps import AppConfig
from django.db import connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from datasets.models import Dataset
from datasets.models.tally import OPEN, SKIPPED, TRASHED

MANY = 64
# SQL: how many more rows of the data set `d` there are than its shelves need.
SPARE_ROWS = "(SELECT count(*) - count(DISTINCT t.shelf) FROM datasets_tally t WHERE t.dataset_id = d.id)"


def shelf(row: str) -> str:
    """SQL: where a row of datasets_image is counted."""
    return (
        f"CASE WHEN {row}.trashed_at IS NOT NULL THEN {TRASHED} WHEN {row}.label_id IS NOT NULL THEN {row}.label_id"
        f" WHEN {row}.skipped_at IS NOT NULL THEN {SKIPPED} ELSE {OPEN} END"
    )


def _differences(more: str, fewer: str) -> str:
    parts = []
    if more:
        parts.append(f"SELECT m.dataset_id AS d, {shelf('m')} AS s, 1 AS n FROM {more} m")
    if fewer:
        parts.append(f"SELECT f.dataset_id AS d, {shelf('f')} AS s, -1 AS n FROM {fewer} f")
    return (
        "INSERT INTO datasets_tally (dataset_id, shelf, n)"
        f" SELECT d, s, sum(n) FROM ({' UNION ALL '.join(parts)}) AS both_sides GROUP BY d, s HAVING sum(n) <> 0"
    )


RECOUNT = (
    "INSERT INTO datasets_tally (dataset_id, shelf, n)"
    f" SELECT i.dataset_id, {shelf('i')}, count(*) FROM datasets_image i GROUP BY 1, 2"
)


def _postgresql() -> Iterable[str]:
    tables = {
        "INSERT": ("REFERENCING NEW TABLE AS now_rows", _differences("now_rows", "")),
        "DELETE": ("REFERENCING OLD TABLE AS was_rows", _differences("", "was_rows")),
        "UPDATE": (
            "REFERENCING OLD TABLE AS was_rows NEW TABLE AS now_rows",
            _differences("now_rows", "was_rows"),
        ),
    }
    for event, (seen, body) in tables.items():
        name = f"datasets_tally_{event.lower()}"
        yield (
            f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS"
            f" $$ BEGIN {body}; RETURN NULL; END $$"
        )
        yield f"DROP TRIGGER IF EXISTS {name} ON datasets_image"
        yield (
            f"CREATE TRIGGER {name} AFTER {event} ON datasets_image {seen}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {name}()"
        )


def _sqlite() -> Iterable[str]:
    def add(row: str, by: int) -> str:
        there = f"dataset_id = {row}.dataset_id AND shelf = {shelf(row)}"
        first = (
            f"INSERT INTO datasets_tally (dataset_id, shelf, n) SELECT {row}.dataset_id, {shelf(row)}, 0"
            f" WHERE NOT EXISTS (SELECT 1 FROM datasets_tally WHERE {there});"
        )
        return f"{first if by > 0 else ''} UPDATE datasets_tally SET n = n + ({by}) WHERE {there};"

    yield f"CREATE TRIGGER datasets_tally_insert AFTER INSERT ON datasets_image BEGIN {add('NEW', 1)} END"
    yield f"CREATE TRIGGER datasets_tally_delete AFTER DELETE ON datasets_image BEGIN {add('OLD', -1)} END"
    yield (
        "CREATE TRIGGER datasets_tally_update AFTER UPDATE OF dataset_id, label_id, trashed_at, skipped_at"
        f" ON datasets_image WHEN NEW.dataset_id <> OLD.dataset_id OR {shelf('NEW')} <> {shelf('OLD')}"
        f" BEGIN {add('OLD', -1)} {add('NEW', 1)} END"
    )


INSTALLED = {
    "postgresql": "SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'datasets!_tally!_%' ESCAPE '!'",
    "sqlite": "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'datasets!_tally!_%' ESCAPE '!'",
}
TRIGGERS = 3


def keep(connection: BaseDatabaseWrapper) -> None:
    """Make the triggers where they are missing (SQLite loses them when a migration remakes the table); recount."""
    statements = {"postgresql": _postgresql, "sqlite": _sqlite}[connection.vendor]
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        cursor.execute(INSTALLED[connection.vendor])
        if cursor.fetchone()[0] == TRIGGERS:
            return
        cursor.execute("DELETE FROM datasets_tally")
        for statement in statements():
            cursor.execute(statement)
        cursor.execute(RECOUNT)


def after_migrate(sender: AppConfig, using: str, **_rest: Any) -> None:
    """Registered at start-up for `migrate`, which is the one place where tables change."""
    connection = connections[using]
    if "datasets_tally" in connection.introspection.table_names():
        keep(connection)


def read(dataset: Dataset) -> dict[int, int]:
    """How many pictures on each shelf that has some."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT shelf, sum(n) FROM datasets_tally WHERE dataset_id = %s GROUP BY shelf", [dataset.pk]
        )
        return {number: int(n) for number, n in cursor.fetchall() if n}


def fold(dataset: Dataset) -> None:
    """Add up the rows, where there are more than MANY to spare; whoever comes second finds nothing left to add."""
    if connection.vendor != "postgresql":
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "WITH gone AS (DELETE FROM datasets_tally WHERE dataset_id = %s RETURNING dataset_id, shelf, n)"
            " INSERT INTO datasets_tally (dataset_id, shelf, n)"
            " SELECT dataset_id, shelf, sum(n) FROM gone GROUP BY 1, 2 HAVING sum(n) <> 0",
            [dataset.pk],
        )
