"""A migration that is killed half-way: the next start goes on, on either database."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import ROOT
from tests.databases import cluster

PACE = 2 if os.environ.get("TAXON_FAULTS") == "long" else 8
# Each child dies by SIGKILL inside the transaction of its last migration, until one has nothing left to do.
KILLED = f"""
import os, signal, sys, traceback
sys.path[:0] = [{str(ROOT / "platform")!r}]
import django
django.setup()
from django.core.management import call_command
from django.db import connection, connections
from django.db.migrations.recorder import MigrationRecorder
record, seen = MigrationRecorder.record_applied, []
def record_or_die(self, app, name):
    seen.append(name)
    assert connection.in_atomic_block, f"{{app}} {{name}} would be noted after its commit"
    if len(seen) == {PACE}:
        os.kill(os.getpid(), signal.SIGKILL)
    record(self, app, name)
MigrationRecorder.record_applied = record_or_die
kills = 0
while True:
    child = os.fork()
    if not child:
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except BaseException:  # no exit handlers: those of libraries wait for threads that a fork has not
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if status == 0:
        break
    assert os.WIFSIGNALED(status), status
    kills += 1
call_command("migrate", check_unapplied=True, verbosity=0)
from config.verify import findings
print(kills, [str(wrong) for wrong in findings(grace=0)])
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_migration_killed_half_way_goes_on_with_the_next_start(kind: str, tmp_path: Path) -> None:
    environment = {
        name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "TAXON_STORAGE"}
    }
    environment |= {
        "TAXON_DATA_DIR": str(tmp_path),
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
    }
    if kind == "sqlite":
        told = migrated(environment)
    elif not cluster.installed():
        pytest.skip("PostgreSQL is not installed")
    else:
        with cluster.running() as server:
            told = migrated(environment | {"DATABASE_URL": server.create("taxon")})
    kills, wrong = told.split(maxsplit=1)
    assert int(kills) > 3 and wrong.strip() == "[]"
    print(f"D6: {kills} kills inside of migrations on {kind}; each start went on")


def migrated(environment: dict[str, str]) -> str:
    """What the script says."""
    done = subprocess.run(
        [sys.executable, "-c", KILLED], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
