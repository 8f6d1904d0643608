"""The embedded database under many writers, and under writers that are killed."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from tests.faults.plant import ROOT, Plant, environment, times
from web.sqlite.library import LIBRARY

WRITER = """
import sys, time
sys.path[:0] = ["platform"]
import django
django.setup()
from django.db import OperationalError, transaction
from jobs.models import Job
who, count = int(sys.argv[1]), int(sys.argv[2])
locked, slowest = 0, 0.0
for number in range(count):
    began = time.monotonic()
    try:
        with transaction.atomic():
            seen = Job.objects.filter(kind="sum").count()
            Job.objects.create(kind="sum", queue="quick", done=seen, payload={"who": who, "number": number})
        print(who, number, flush=True)
    except OperationalError:
        locked += 1
    slowest = max(slowest, time.monotonic() - began)
print("ended", locked, f"{slowest:.2f}", flush=True)
"""


def writer(folder: Path, who: int, count: int) -> "subprocess.Popen[str]":
    """A process that reads, then writes, in one transaction, so many times; it tells each commit."""
    command = (sys.executable, "-c", WRITER, str(who), str(count))
    return subprocess.Popen(command, cwd=ROOT, env=environment(folder), stdout=subprocess.PIPE, text=True)


def test_many_writers_that_read_before_they_write_never_meet_a_locked_database(plant: Plant) -> None:
    """D1: each count that was read is unique, so no write was lost."""
    processes, each = times(6, 16), times(40, 100)
    writers = [writer(plant.folder, who, each) for who in range(processes)]
    said = [process.communicate(timeout=300)[0].splitlines()[-1].split() for process in writers]
    assert [words[:2] for words in said] == [["ended", "0"]] * processes
    with LIBRARY.connect(plant.database) as connection:
        (rows, distinct) = connection.execute(
            "SELECT COUNT(*), COUNT(DISTINCT done) FROM jobs_job"
        ).fetchone()
    connection.close()
    assert (rows, distinct) == (processes * each, processes * each)
    print(f"D1: {rows} rows by {processes} processes, 0 locked, slowest {max(float(w[2]) for w in said)} s")


def test_a_killed_writer_keeps_every_commit_that_it_told_of(plant: Plant, dice: random.Random) -> None:
    """D2: killed at random moments while another one writes."""
    steady = writer(plant.folder, 999, 100_000)
    told: set[tuple[int, int]] = set()
    kills = times(5, 100)
    for who in range(kills):
        process = writer(plant.folder, who, 100_000)
        assert process.stdout
        first = process.stdout.readline()
        time.sleep(dice.random() * 0.3)
        os.kill(process.pid, signal.SIGKILL)
        lines = [first, *process.stdout.read().splitlines()]
        process.stdout.close()
        process.wait()
        told |= {tuple(map(int, line.split())) for line in lines if len(line.split()) == 2}  # type: ignore[misc]
    steady.kill()
    lines = steady.communicate()[0].splitlines()
    told |= {tuple(map(int, line.split())) for line in lines if len(line.split()) == 2}  # type: ignore[misc]
    with LIBRARY.connect(plant.database) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        query = "SELECT json_extract(payload, '$.who'), json_extract(payload, '$.number') FROM jobs_job"
        kept = set(connection.execute(query).fetchall())
    connection.close()
    assert len(told) > kills and told <= kept
    print(f"D2: {kills} writers killed, {len(told)} commits told, 0 lost, {len(kept - told)} untold")
