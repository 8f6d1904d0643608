"""Who holds a job, how long that is good for, and how others can tell that the holder is gone."""

import os
import signal
import socket
import time
from contextlib import suppress
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models.functions import Now

from jobs.models import Job

LEASE = timedelta(seconds=30)
RENEW_EVERY = 10.0


@cache
def boot_id() -> str:
    """This boot of this machine; empty where the system does not tell."""
    path = Path("/proc/sys/kernel/random/boot_id")
    return path.read_text().strip() if path.exists() else ""


def pid_space() -> str:
    """The namespace in which our process numbers mean something (containers have their own)."""
    path = Path("/proc/self/ns/pid")
    return str(path.readlink()) if path.is_symlink() else ""


def start_time(pid: int) -> str:
    """When a living process started, in clock ticks since boot; empty where it is gone or nobody tells.

    A zombie is gone: nobody may ever collect it, where the first process of a container does not.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if fields[0] in "ZX" else fields[19]
    except (OSError, IndexError):
        return ""


def identity(pid: int) -> str:
    """Who holds a lease: host, boot, namespace, process and its start; so a dead holder is known at once."""
    return f"{socket.gethostname()}|{boot_id()}|{pid_space()}|{pid}|{start_time(pid)}"


def myself() -> str:
    """This process as a holder."""
    return identity(os.getpid())


def fresh() -> dict[str, Any]:
    """The fields of a lease renewed now, by the database's clock and the kernel's (docs/durability.md)."""
    return {"lease_until": Now() + LEASE, "beat": time.monotonic()}


def why_over(job: Job, now: datetime) -> str:
    """Why a running job's holder no longer counts; empty while it does. `now` is the database's time."""
    _host, boot, space, pid, started = _parts(job.holder)
    if boot and boot == boot_id():
        if space == pid_space() and started and start_time(int(pid)) != started:
            return "its process is gone"
        silent = job.beat is None or not 0 <= time.monotonic() - job.beat <= LEASE.total_seconds()
        return "its process no longer answers" if silent else ""
    if boot and boot_id() and connection.vendor == "sqlite":
        return "the machine was restarted"
    return "its lease ran out" if job.lease_until is None or job.lease_until < now else ""


def put_down(holder: str) -> None:
    """Kill a holder that lost its job but still exists on this machine (frozen, or starved of time)."""
    _host, boot, space, pid, started = _parts(holder)
    here = boot and (boot, space) == (boot_id(), pid_space()) and holder != myself()
    if here and started and start_time(int(pid)) == started:
        with suppress(OSError):
            os.kill(int(pid), signal.SIGKILL)


def _parts(holder: str) -> list[str]:
    parts = holder.split("|")
    return parts if len(parts) == 5 else [""] * 5
