"""A PostgreSQL server of the tests' own, from the system's package: on a socket, in a passing folder."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Speed over safety: what these servers hold is thrown away.
CARELESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_wal_size=256MB")
USER = "taxon"


@dataclass
class Cluster:
    """A running server; its socket lies in `folder`."""

    folder: Path
    process: "subprocess.Popen[bytes]"
    options: tuple[str, ...]

    def url(self, name: str = "postgres") -> str:
        """DATABASE_URL of one of its databases."""
        return f"postgres://{USER}@/{name}?host={self.folder}"

    def create(self, name: str, *, template: str = "template1") -> str:
        """A new database, empty or a copy of another; its DATABASE_URL."""
        self.sql(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def sql(self, statement: str, name: str = "postgres") -> list[Any]:
        """What the superuser's statement answers."""
        import psycopg

        with psycopg.connect(host=str(self.folder), user=USER, dbname=name, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def end_sessions(self, name: str) -> int:
        """Terminate everybody's backend of a database, as a restart would; how many there were."""
        others = f"datname = '{name}' AND pid <> pg_backend_pid()"
        found = self.sql(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}")
        return len(found)

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        import psycopg

        settings = (*self.options, "listen_addresses=", f"unix_socket_directories={self.folder}")
        command = [binary("postgres"), "-D", str(self.folder / "data")]
        command += [part for each in settings for part in ("-c", each)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, **as_postgres())
        for _ in range(200):
            try:
                self.sql("SELECT 1")
                return
            except psycopg.OperationalError:
                assert self.process.poll() is None, (self.folder / "log").read_text()
                time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self) -> None:
        """At once: nothing in it is needed any more."""
        self.process.send_signal(signal.SIGQUIT)
        self.process.wait(20)


def binary(name: str) -> str:
    """The newest installed program of this name; empty where PostgreSQL is not installed."""
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))
    found = [str(folder / name) for folder in reversed(folders) if (folder / name).exists()]
    return found[0] if found else shutil.which(name) or ""


def installed() -> bool:
    """Whether these tests can run here."""
    return bool(binary("initdb") and binary("postgres"))


def as_postgres() -> dict[str, Any]:
    """PostgreSQL refuses to run as root."""
    if os.getuid() != 0:
        return {}
    who = pwd.getpwnam("postgres")
    return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []}


@contextmanager
def running(*options: str, folder: Path | None = None) -> Iterator[Cluster]:
    """A fresh server; `options` are settings of it (`max_connections=5`)."""
    folder = folder or Path(tempfile.mkdtemp(prefix="taxon-pg-", dir="/tmp"))
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    if os.getuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
    initdb = [binary("initdb"), "-D", str(folder / "data"), "-U", USER, "--auth=trust", "--encoding=UTF8"]
    try:
        command = [*initdb, "--locale=C.UTF-8", "--no-sync"]
        subprocess.run(command, check=True, capture_output=True, cwd="/", **as_postgres())
        cluster = Cluster(folder, None, (*CARELESS, *options))  # type: ignore[arg-type]
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
