"""The `web.sqlite` database backend: what Django's own needs so that several processes can write safely."""

from pathlib import Path
from typing import Any

from web.sqlite.library import import_djangos_backend, journal_for

backend = import_djangos_backend()
Database = backend.Database
BUSY_SECONDS = 20


class DatabaseWrapper(backend.DatabaseWrapper):  # type: ignore[name-defined,misc]
    """IMMEDIATE transactions (a read that turns into a write cannot starve), patience, commits on disk."""

    def get_connection_params(self) -> dict[str, Any]:
        """Django's parameters, with our defaults where the settings say nothing."""
        options = self.settings_dict["OPTIONS"]
        options.setdefault("transaction_mode", "IMMEDIATE")
        options.setdefault("timeout", BUSY_SECONDS)
        return super().get_connection_params()  # type: ignore[no-any-return]

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """A connection with foreign keys on (Django's doing) and the journal that is safe here."""
        connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA synchronous = FULL")
        if not self.is_in_memory_db():
            mode, _why = journal_for(Path(self.settings_dict["NAME"]))
            set_journal(connection, mode)
        return connection


def set_journal(connection: Any, mode: str) -> None:
    """Change the journal mode only where it differs: the change needs the file alone, reading it does not."""
    (current,) = connection.execute("PRAGMA journal_mode").fetchone()
    if current.upper() != mode:
        connection.execute(f"PRAGMA journal_mode = {mode}").fetchone()
