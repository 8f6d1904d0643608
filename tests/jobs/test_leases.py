"""When a holder counts as gone: by its process, by the kernel's clock, and only last by the database's."""

import subprocess
import sys
import time
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.utils import timezone

from jobs import leases
from jobs.models import Job, State
from jobs.reconcile import reconcile

NOW = timezone.now()
LONG_AGO, FAR_AHEAD = NOW - timedelta(days=1), NOW + timedelta(days=1)
OTHER_BOOT = "elsewhere|another-boot|pid:[1]|1|1"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")


def held_by(holder: str, *, beat: float | None = None, until: object = LONG_AGO) -> Job:
    return Job(kind="test", queue="quick", state=State.RUNNING, holder=holder, beat=beat, lease_until=until)


def test_a_living_holder_keeps_its_job_whatever_the_wall_clock_says(db: None) -> None:
    assert not leases.why_over(held_by(leases.myself(), beat=time.monotonic(), until=LONG_AGO), NOW)


def test_a_holder_that_stopped_renewing_loses_it_though_the_wall_clock_was_put_back(db: None) -> None:
    silent = time.monotonic() - leases.LEASE.total_seconds() - 1
    assert leases.why_over(held_by(leases.myself(), beat=silent, until=FAR_AHEAD), NOW)


def test_a_dead_process_loses_it_at_once_even_while_nobody_collects_it(db: None) -> None:
    process = subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE)
    job = held_by(leases.identity(process.pid), beat=time.monotonic(), until=FAR_AHEAD)
    assert not leases.why_over(job, NOW)
    process.kill()
    while leases.start_time(process.pid):
        time.sleep(0.01)
    assert leases.why_over(job, NOW) == "its process is gone"
    assert process.stdin
    process.stdin.close()
    process.wait()


def test_another_process_with_the_same_number_is_not_the_holder(db: None) -> None:
    *rest, _started = leases.myself().split("|")
    reused = "|".join([*rest, "12"])
    assert leases.why_over(held_by(reused, beat=time.monotonic(), until=FAR_AHEAD), NOW)


def test_a_process_of_another_namespace_is_judged_by_the_shared_clock_alone(db: None) -> None:
    host, boot, _space, _pid, started = leases.myself().split("|")
    contained = f"{host}|{boot}|pid:[7]|1|{started}"
    assert not leases.why_over(held_by(contained, beat=time.monotonic()), NOW)
    assert leases.why_over(held_by(contained, beat=time.monotonic() - 99), NOW)


def test_another_boot_decides_at_once_on_sqlite_and_by_the_lease_elsewhere(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "connection", SimpleNamespace(vendor="sqlite"))
    assert leases.why_over(held_by(OTHER_BOOT, beat=1.0, until=FAR_AHEAD), NOW)
    monkeypatch.setattr(leases, "connection", SimpleNamespace(vendor="postgresql"))
    assert not leases.why_over(held_by(OTHER_BOOT, beat=1.0, until=FAR_AHEAD), NOW)
    assert leases.why_over(held_by(OTHER_BOOT, beat=1.0, until=LONG_AGO), NOW)


def test_a_holder_nobody_can_name_is_judged_by_the_lease(db: None) -> None:
    assert leases.why_over(held_by("", until=LONG_AGO), NOW)
    assert not leases.why_over(held_by("", until=FAR_AHEAD), NOW)


def test_a_frozen_process_is_killed_and_we_ourselves_are_not(db: None) -> None:
    process = subprocess.Popen((sys.executable, "-c", "input()"), stdin=subprocess.PIPE)
    leases.put_down(leases.myself())
    leases.put_down(leases.identity(process.pid).rpartition("|")[0] + "|12")
    assert process.poll() is None
    leases.put_down(leases.identity(process.pid))
    assert process.wait(5) == -9
    assert process.stdin
    process.stdin.close()


def test_a_renewal_that_comes_between_the_look_and_the_act_keeps_the_job(
    db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = held_by(OTHER_BOOT, beat=1.0)
    job.save()

    def renewed_meanwhile(seen: Job, now: object) -> str:
        Job.objects.filter(pk=seen.pk).update(beat=2.0)
        return "its lease ran out"

    monkeypatch.setattr("jobs.reconcile.why_over", renewed_meanwhile)
    assert reconcile() == 0
    job.refresh_from_db()
    assert job.state == State.RUNNING
