"""Keeps the product's processes running, and makes sure that none of them outlives it, whatever happens."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import IO

from django.utils.translation import gettext as _

from config.warden import MARK, end, living, marked

WARDEN = Path(__file__).with_name("warden.py")
LONGEST_PAUSE, HEALTHY_AFTER = 30.0, 60.0
POLITE, FIRM, LAST = (
    3.0,
    2.5,
    1.5,
)  # seconds after asking, after asking again, and for what was kept to the end
LOG_BYTES, OLD_LOGS = 20 * 1024**2, 3


@dataclass(frozen=True)
class Child:
    """A process to keep alive. `last` ones (the queue) are stopped after all others."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    nice: int = 0
    last: bool = False


@dataclass
class _Running:
    child: Child
    process: subprocess.Popen[bytes]
    began: float
    failures: int = 0
    again_at: float | None = None


class Supervisor:
    """Starts children, restarts the dead ones with growing pauses, stops them all.

    Each child leads a session of its own, so Ctrl-C in the terminal reaches the supervisor alone. All of them
    (and what they start, whichever group it moves to) carry a mark in their environment, by which `stop`
    finds the stragglers. If the supervisor itself is killed, the warden, a tiny process that holds the other
    end of a pipe, does the same. `keep` are descriptors that the warden holds too, such as the folder's lock.
    """

    def __init__(self, logs: Path, say: Callable[[str], None] = print, keep: tuple[int, ...] = ()) -> None:
        self.logs, self.say, self.keep = logs, say, keep
        self.mark = token_hex(12)
        self.running: list[_Running] = []
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self.watcher: threading.Thread | None = None
        logs.mkdir(mode=0o750, parents=True, exist_ok=True)
        self.warden = self._start_warden()

    def start(self, child: Child) -> None:
        """Start `child` and keep it running from now on."""
        rotate(self.log_of(child))
        with self.lock:
            self.running.append(_Running(child, self._spawn(child), time.monotonic()))

    def log_of(self, child: Child) -> Path:
        """Where the child's output goes."""
        return self.logs / f"{child.name}.log"

    def lives(self, child: Child) -> bool:
        """True while the child's process runs."""
        return any(one.child is child and one.process.poll() is None for one in self.running)

    def watch(self) -> None:
        """Look after the children in a thread of its own, until `stop`."""
        self.watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self.watcher.start()

    def stop(self) -> None:
        """End every child and all that they started, within 8 seconds; leaves nothing behind."""
        self.stopping.set()
        with self.lock:
            first = [one.process for one in self.running if not one.child.last]
            last = [one.process for one in self.running if one.child.last]
            spared = {process.pid for process in last} | {self.warden.pid}
            end(first, signal.SIGTERM, POLITE)
            self._sweep(signal.SIGTERM, FIRM, spared)
            self._sweep(signal.SIGKILL, 0.5, spared)
            end(last, signal.SIGTERM, LAST)
            self._sweep(signal.SIGKILL, 0.5, {self.warden.pid})
            self._dismiss_warden()
            self.running.clear()

    def _sweep(self, number: signal.Signals, seconds: float, spared: set[int]) -> None:
        """Signal whatever still carries our mark, the grandchildren in groups of their own included."""
        left = marked(self.mark) - spared - {os.getpid()}
        for pid in left:
            send(pid, number)
        until = time.monotonic() + seconds
        while time.monotonic() < until and any(living(pid) for pid in left):
            self._reap()
            time.sleep(0.05)
        self._reap()

    def _reap(self) -> None:
        for one in self.running:
            one.process.poll()

    def _spawn(self, child: Child) -> subprocess.Popen[bytes]:
        env = {**os.environ, **child.env, "PYTHONUNBUFFERED": "1", MARK: self.mark}
        with self.log_of(child).open("ab") as log:
            process = subprocess.Popen(  # noqa: S603  (our own command lines)
                child.argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=env, start_new_session=True
            )
        if child.nice and process.poll() is None:
            own = os.getpriority(os.PRIO_PROCESS, 0)
            os.setpriority(os.PRIO_PROCESS, process.pid, min(19, own + child.nice))
        self._tell_warden(process.pid)
        return process

    def _tell_warden(self, pid: int) -> None:
        """By number too: Redis writes its title over the environment that carries the mark."""
        if self.warden.stdin is not None and self.warden.poll() is None:
            self.warden.stdin.write(b"%d\n" % pid)
            self.warden.stdin.flush()

    def _watch(self) -> None:
        looks = 0
        while not self.stopping.wait(0.5):
            with self.lock:
                if self.stopping.is_set():
                    return
                for one in self.running:
                    self._look_after(one)
                self._look_after_warden()
                if (looks := looks + 1) % 120 == 0:
                    for one in self.running:
                        trim(self.log_of(one.child))

    def _look_after(self, one: _Running) -> None:
        now = time.monotonic()
        if one.again_at is not None:
            if now >= one.again_at:
                one.process, one.began, one.again_at = self._spawn(one.child), now, None
                self.say(_("%(name)s: started again") % {"name": one.child.name})
        elif (code := one.process.poll()) is not None:
            one.failures = 0 if now - one.began > HEALTHY_AFTER else one.failures
            pause = min(LONGEST_PAUSE, 2.0**one.failures)
            one.failures, one.again_at = one.failures + 1, now + pause
            about = {"name": one.child.name, "how": how_it_ended(code), "pause": f"{pause:.0f}"}
            self.say(
                _("%(name)s %(how)s, starting it again in %(pause)s s; its log: %(log)s")
                % {**about, "log": self.log_of(one.child)}
            )

    def _look_after_warden(self) -> None:
        if self.warden.poll() is not None:
            self.warden = self._start_warden()
            for one in self.running:
                self._tell_warden(one.process.pid)

    def _start_warden(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(  # noqa: S603
            (sys.executable, "-I", "-S", str(WARDEN), self.mark),
            stdin=subprocess.PIPE,
            start_new_session=True,
            pass_fds=self.keep,
        )

    def _dismiss_warden(self) -> None:
        pipe: IO[bytes] | None = self.warden.stdin
        if pipe is not None:
            pipe.close()
        try:
            self.warden.wait(1)
        except subprocess.TimeoutExpired:
            self.warden.kill()
            self.warden.wait()


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may be gone by now."""
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def how_it_ended(code: int) -> str:
    """A return code of `subprocess` in words."""
    if code < 0:
        return _("was ended by signal %(number)s") % {"number": -code}
    return _("ended with code %(code)s") % {"code": code}


def rotate(log: Path) -> None:
    """Keep the logs of the last few starts: name.log.1 is the one before."""
    for number in range(OLD_LOGS - 1, -1, -1):
        older = log.with_name(f"{log.name}.{number}") if number else log
        if older.exists():
            older.replace(log.with_name(f"{log.name}.{number + 1}"))


def trim(log: Path) -> None:
    """Start a log over once it is long, keeping one copy (its writer appends, so that is safe)."""
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.with_name(f"{log.name}.1").write_bytes(log.read_bytes())
        os.truncate(log, 0)
