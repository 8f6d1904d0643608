"""The database as files, at one consistent moment, and back; people go on working meanwhile."""

import errno
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.management.color import no_style
from django.db import connection, models, transaction

from web.sqlite.library import LIBRARY

SQLITE, FOLDER = "database.sqlite3", "database"
# Django fills these itself while it migrates.
MADE_BY_MIGRATE = {"django_migrations"}


def copy_out(folder: Path) -> list[Path]:
    """Copy the database into files in `folder`, as it is at one moment."""
    return copy_sqlite(folder) if connection.vendor == "sqlite" else copy_tables(folder)


def copy_sqlite(folder: Path) -> list[Path]:
    """By SQLite's own online copy, in one step: with a write-ahead log nobody waits for it."""
    target = folder / SQLITE
    connection.ensure_connection()
    try:
        with closing(LIBRARY.connect(target)) as copy:
            connection.connection.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")
    except LIBRARY.OperationalError as error:
        if "full" not in str(error):
            raise
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
    return [target]


def copy_tables(folder: Path) -> list[Path]:
    """Table by table, all of them in one snapshot (PostgreSQL's REPEATABLE READ)."""
    (folder / FOLDER).mkdir()
    made = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        for table, columns in list(tables()):
            target = folder / FOLDER / f"{table}.copy"
            with target.open("wb") as out, cursor.copy(f"COPY {named(table, columns)} TO STDOUT") as rows:
                for part in rows:
                    out.write(part)
            made.append(target)
    return made


def tables() -> Iterator[tuple[str, list[str]]]:
    """Every table of ours with its columns, as they are: the code may be newer, before a migration."""
    ours = ("django_", *(f"{app.label}_" for app in apps.get_app_configs()))
    with connection.cursor() as cursor:
        for table in sorted(connection.introspection.table_names(cursor)):
            if table.startswith(ours) and table not in MADE_BY_MIGRATE:
                described = connection.introspection.get_table_description(cursor, table)
                yield table, [column.name for column in described]


def named(table: str, columns: list[str]) -> str:
    """For COPY."""
    quote = connection.ops.quote_name
    return f"{quote(table)} ({', '.join(map(quote, columns))})"


def columns_of(database: Path) -> dict[str, list[str]]:
    """Which columns each file of `copy_tables` holds; nothing for SQLite, whose file knows."""
    return {} if connection.vendor == "sqlite" else dict(tables())


def put_in_sqlite(source: Path) -> None:
    """Make this file the database. Nobody else may use it now."""
    connection.close()
    place = Path(settings.DATABASES["default"]["NAME"])
    place.parent.mkdir(parents=True, exist_ok=True)
    for left in ("-wal", "-shm", "-journal"):
        place.with_name(place.name + left).unlink(missing_ok=True)
    source.replace(place)


def put_in_tables(folder: Path, columns: dict[str, list[str]]) -> None:
    """Fill the migrated, emptied tables, in one transaction: all rows or none."""
    names = ", ".join(connection.ops.quote_name(table) for table in columns)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {names} CASCADE")
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
        for table, kept in columns.items():
            with (
                (folder / f"{table}.copy").open("rb") as source,
                cursor.copy(f"COPY {named(table, kept)} FROM STDIN") as rows,
            ):
                while part := source.read(1024 * 1024):
                    rows.write(part)
        for statement in connection.ops.sequence_reset_sql(no_style(), models_of(columns)):
            cursor.execute(statement)


def models_of(columns: dict[str, list[str]]) -> list[type[models.Model]]:
    """For the numbers that rows get next."""
    return [model for model in apps.get_models(include_auto_created=True) if model._meta.db_table in columns]


def is_empty() -> bool:
    """No tables, or none that anybody has written to."""
    place: Any = settings.DATABASES["default"]["NAME"]
    if connection.vendor == "sqlite" and not Path(place).exists():
        return True
    from django.contrib.auth.models import User

    return User._meta.db_table not in connection.introspection.table_names() or not User.objects.exists()
