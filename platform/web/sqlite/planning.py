"""What SQLite's planner knows of the tables: measured again as they grow, since nobody runs ANALYZE here."""

import logging

from django.db import DatabaseError, connection

log = logging.getLogger(__name__)
ENTRIES = 1000  # of each index are looked at: a few milliseconds, however large the table
# 0x2: run ANALYZE where it is due; 0x10000: look at all tables, not only at those that this connection read.
WHERE_DUE = 0x10002


def refresh() -> None:
    """Measure the tables that were never measured or grew tenfold since. Cheap where none did.

    A busy database is left alone: whoever comes next does it. Other databases see to it themselves.
    """
    if connection.vendor != "sqlite":
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA analysis_limit = {ENTRIES}")
            cursor.execute(f"PRAGMA optimize = {WHERE_DUE}")
    except DatabaseError as error:
        log.info("the planner's figures stay as they are: %s", error)
