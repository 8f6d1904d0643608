"""Ends the product's processes when their supervisor is killed outright; standard library only, and small.

Run as `python -I -S warden.py MARK` with a pipe from the supervisor as its standard input. The supervisor
writes the number of each child. The pipe closes when the supervisor ends, for whatever reason; then those
children, and everything that carries the mark in its environment, are ended.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

MARK = "TAXON_SUPERVISOR"
PS_ALL = ("/bin/ps", "-axEww", "-o", "pid=,command=")  # where there is no /proc
PS_BIRTH = ("/bin/ps", "-o", "lstart=", "-p")
SERVERS = ("redis-server", "valkey-server")


def marked(mark: str) -> set[int]:
    """The processes that were started, directly or not, with this mark in their environment."""
    wanted = f"{MARK}={mark}"
    if Path("/proc/self/environ").exists():
        return {pid for pid in _numbers() if wanted.encode() in _environment(pid)}
    listed = subprocess.run(PS_ALL, capture_output=True, check=False)  # noqa: S603
    lines = listed.stdout.decode(errors="replace").splitlines()
    return {int(line.split(None, 1)[0]) for line in lines if wanted in line}


def _numbers() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> list[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:  # gone, or not ours
        return []


def living(pid: int) -> bool:
    """True for a process that still runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2][:1] not in (b"Z", b"X")
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return not Path("/proc/self").exists()


def end(processes: "Iterable[subprocess.Popen[bytes]]", number: signal.Signals, seconds: float) -> None:
    """Signal our own children and wait for them together, `seconds` at most."""
    waiting = [process for process in processes if process.poll() is None]
    for process in waiting:
        process.send_signal(number)
    until = time.monotonic() + seconds
    while time.monotonic() < until and None in [process.poll() for process in waiting]:
        time.sleep(0.05)


def _is_server(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() in SERVERS
    except OSError:
        return False


def birth(pid: int) -> bytes:
    """When a process began, to tell it from a later one with the same number."""
    try:
        return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b") ")[2].split()[19]
    except OSError:
        asked = subprocess.run((*PS_BIRTH, str(pid)), capture_output=True, check=False)  # noqa: S603
        return asked.stdout.strip()


def end_all(mark: str, told: dict[int, bytes]) -> None:
    """Kill the children and whatever carries the mark; the queue is asked, so that it can finish its file."""
    asked: set[int] = set()
    for attempt in range(40):
        own = {pid for pid, began in told.items() if birth(pid) == began}
        left = {pid for pid in marked(mark) | own if living(pid)} - {os.getpid()}
        if not left:
            return
        for pid in left:
            polite = attempt < 20 and _is_server(pid)
            if not (polite and pid in asked):
                _send(pid, signal.SIGTERM if polite else signal.SIGKILL)
            asked.add(pid)
        time.sleep(0.1)


def _send(pid: int, number: signal.Signals) -> None:
    with suppress(OSError):
        os.kill(pid, number)


if __name__ == "__main__":
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    children = {int(line): birth(int(line)) for line in sys.stdin.buffer}  # ends when the supervisor is gone
    end_all(sys.argv[1], children)
