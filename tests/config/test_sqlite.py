"""The embedded database: the library it runs on, its journal, and many writers at once."""

import subprocess
import sys
from pathlib import Path

import pytest
from django.db import connection

from config.env import ROOT
from web.sqlite.base import DatabaseWrapper
from web.sqlite.library import LIBRARY, file_system, has_wal_reset_fault, journal_for

WRITERS, ROUNDS = 6, 25
WRITER = f"""
import sys
sys.path[:0] = [{str(ROOT / "platform")!r}]
from django.conf import settings
settings.configure(DATABASES={{"default": {{"ENGINE": "web.sqlite", "NAME": sys.argv[1]}}}})
import django
django.setup()
from django.db import connection, transaction
for _ in range({ROUNDS}):
    with transaction.atomic(), connection.cursor() as cursor:
        (count,) = cursor.execute("SELECT n FROM counter").fetchone()
        cursor.execute("UPDATE counter SET n = %s", [count + 1])
"""


@pytest.mark.parametrize(
    ("version", "faulty"),
    [
        ((3, 6, 23), False),
        ((3, 7, 0), True),
        ((3, 40, 1), True),
        ((3, 44, 5), True),
        ((3, 44, 6), False),
        ((3, 45, 0), True),
        ((3, 50, 6), True),
        ((3, 50, 7), False),
        ((3, 51, 0), True),
        ((3, 51, 2), True),
        ((3, 51, 3), False),
        ((3, 53, 4), False),
    ],
)
def test_the_versions_with_the_wal_reset_fault_are_known(version: tuple[int, ...], faulty: bool) -> None:
    assert has_wal_reset_fault(version) is faulty


def test_a_sound_library_writes_a_wal_and_a_faulty_one_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faulty = has_wal_reset_fault(LIBRARY.sqlite_version_info)
    assert journal_for.__wrapped__(tmp_path / "a")[0] == ("DELETE" if faulty else "WAL")
    monkeypatch.setattr("web.sqlite.library.has_wal_reset_fault", lambda version: True)
    mode, why = journal_for.__wrapped__(tmp_path / "a")
    assert (mode, "write-ahead log" in why) == ("DELETE", True)


def test_a_network_mount_gets_no_wal_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/sda1 / ext4 rw 0 0\nhost:/x /mnt/my\\040files nfs4 rw 0 0\n")
    assert file_system(Path("/mnt/my files/deep"), mounts) == "nfs4"
    assert file_system(Path("/mnt/other"), mounts) == "ext4"
    monkeypatch.setattr("web.sqlite.library.file_system", lambda path: "nfs4")
    monkeypatch.setattr("web.sqlite.library.has_wal_reset_fault", lambda version: False)
    mode, why = journal_for.__wrapped__(tmp_path / "a")
    assert (mode, "nfs4" in why) == ("DELETE", True)


@pytest.fixture
def database(tmp_path: Path) -> DatabaseWrapper:
    settings = {
        **connection.settings_dict,
        "ENGINE": "web.sqlite",
        "NAME": str(tmp_path / "db.sqlite3"),
        "OPTIONS": {},
    }
    return DatabaseWrapper(settings, alias="own")


def test_connections_are_patient_durable_and_keep_foreign_keys(database: DatabaseWrapper) -> None:
    wanted = {"synchronous": 2, "foreign_keys": 1, "busy_timeout": 20_000, "journal_mode": "wal"}
    if has_wal_reset_fault(LIBRARY.sqlite_version_info):
        wanted["journal_mode"] = "delete"
    raw = database.get_new_connection(database.get_connection_params())
    assert {name: raw.execute(f"PRAGMA {name}").fetchone()[0] for name in wanted} == wanted
    assert database.transaction_mode == "IMMEDIATE"
    raw.close()


def test_a_database_left_in_wal_goes_back_to_delete_where_wal_is_not_safe(
    database: DatabaseWrapper, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = database.get_new_connection(database.get_connection_params())
    raw.execute("PRAGMA journal_mode = WAL")
    raw.execute("CREATE TABLE t (n)")
    raw.close()
    monkeypatch.setattr("web.sqlite.base.journal_for", lambda path: ("DELETE", "because"))
    raw = database.get_new_connection(database.get_connection_params())
    assert raw.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
    raw.close()


def test_many_processes_that_read_then_write_lose_nothing_and_wait_their_turn(
    database: DatabaseWrapper,
) -> None:
    path = database.settings_dict["NAME"]
    raw = database.get_new_connection(database.get_connection_params())
    raw.executescript("CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0);")
    writers = [
        subprocess.Popen((sys.executable, "-c", WRITER, path), stderr=subprocess.PIPE, text=True)
        for _number in range(WRITERS)
    ]
    errors = [writer.communicate(timeout=120)[1] for writer in writers]
    assert errors == [""] * WRITERS
    assert raw.execute("SELECT n FROM counter").fetchone() == (WRITERS * ROUNDS,)
    raw.close()
