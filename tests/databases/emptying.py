"""After a test that commits: what it left is deleted. Django truncates all tables and fills some again, each time."""

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import TransactionTestCase

django_does = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
KEPT = {model._meta.db_table: model for model in (ContentType, Permission)}  # `migrate` fills them
filled: dict[str, dict[str, int]] = {}  # how many rows, by the database's name


def after_a_test(case: TransactionTestCase) -> None:
    """What Django does, where a test touched what `migrate` made, and at the first; else no more than is needed."""
    connection = connections["default"]
    known = filled.get(name := str(connection.settings_dict["NAME"]))
    if known is None or known != counts(connection):
        django_does(case)
        filled[name] = counts(connection)
        return
    empty(connection)


def counts(connection: BaseDatabaseWrapper) -> dict[str, int]:
    """The rows that `migrate` made."""
    return {table: model._default_manager.using(connection.alias).count() for table, model in KEPT.items()}


def empty(connection: BaseDatabaseWrapper) -> None:
    """Delete all rows but those."""
    quote = connection.ops.quote_name
    tables = [name for name in connection.introspection.django_table_names() if name not in KEPT]
    seen = " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM {quote(name)})" for name in tables
    )
    with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
        if connection.vendor == "postgresql":  # in any order, and no trigger counts what goes
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(seen)
        for (name,) in cursor.fetchall():
            cursor.execute(f"DELETE FROM {quote(name)}")
