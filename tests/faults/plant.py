"""A small plant of real processes (Redis, workers, reconciler, clerk) in a folder of its own, to break."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import redis

from config.embedded import redis_binary

ROOT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("TAXON_FAULTS") == "long"
PATIENCE = (
    90.0 if LONG else 40.0
)  # seconds until something that must happen counts as not happening, on a busy machine


def times(short: int, long: int) -> int:
    """How often to break it."""
    return long if LONG else short


def eventually(true: Callable[[], Any], seconds: float = PATIENCE, pause: float = 0.05) -> Any:
    """Wait until something holds, and return it; what it is at the end, if it never does."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := true():
            return found
        time.sleep(pause)
    return true()


def alive(pid: int) -> bool:
    """True for a process that runs or is stopped; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children_of(pid: int) -> list[int]:
    """Its living children."""
    with suppress(OSError):
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(child) for child in listed if alive(int(child))]
    return []


class Plant:
    """The processes of one test. `folder` is short, for the socket's sake."""

    def __init__(self, folder: Path, blank: Path, **more: str) -> None:
        self.folder, self.journal = folder, folder / "journal"
        self.socket, self.database = folder / "redis.sock", folder / "taxon.sqlite3"
        shutil.copy(blank, self.database)
        self.environment = environment(folder) | more
        self.processes: list[subprocess.Popen[Any]] = []
        self.client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5)

    # ---- processes
    def start_redis(self, *options: str) -> None:
        """With an append-only file, as the product starts it."""
        binary = str(redis_binary())
        base = ("--port", "0", "--unixsocket", str(self.socket), "--dir", str(self.folder), "--save", "")
        kept = ("--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
        self.redis = self.spawn(binary, *base, *kept, *options, name="redis")
        assert eventually(self.redis_answers, 10)

    def redis_answers(self) -> bool:
        """True once it has read its file."""
        with suppress(redis.RedisError):
            return bool(self.client.ping())
        return False

    def spawn(self, *command: str, name: str, **more: str) -> subprocess.Popen[Any]:
        """A process whose output goes to a log."""
        with (self.folder / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                command, cwd=ROOT, env=self.environment | more, stdout=log, stderr=log, start_new_session=True
            )
        self.processes.append(process)
        return process

    def worker(
        self, queue: str = "quick", kind: str = "jobs.worker.Worker", **more: str
    ) -> subprocess.Popen[Any]:
        """A worker that listens."""
        before = set(self.client.keys("rq:worker:*")) if self.redis_answers() else set()
        process = self.spawn(
            sys.executable, "manage.py", "rqworker", queue, "--worker-class", kind, name=queue, **more
        )
        assert eventually(lambda: process.poll() is not None or set(self.client.keys("rq:worker:*")) - before)
        return process

    def reconciler(self, **more: str) -> subprocess.Popen[Any]:
        """What keeps rows and queue in line."""
        return self.spawn(sys.executable, "manage.py", "reconcile", name="reconcile", **more)

    def start_clerk(self) -> None:
        """The one that asks for work."""
        with (self.folder / "clerk.log").open("ab") as log:
            self.clerk = subprocess.Popen(
                (sys.executable, "manage.py", self.environment.get("FAULTS_CLERK", "clerk")),
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        self.processes.append(self.clerk)

    def order(self, do: str, **what: Any) -> Any:
        """Tell the clerk to do something."""
        if not hasattr(self, "clerk"):
            self.start_clerk()
            assert self.clerk.stdout and self.clerk.stdout.readline(), self.said()
        assert self.clerk.stdin and self.clerk.stdout
        self.clerk.stdin.write(json.dumps({"do": do, **what}) + "\n")
        self.clerk.stdin.flush()
        answer = self.clerk.stdout.readline()
        assert answer, self.said()
        return json.loads(answer)

    def said(self) -> str:
        """All logs, for an assertion that failed."""
        return "\n".join(f"== {log.name}\n{log.read_text()[-3000:]}" for log in self.folder.glob("*.log"))

    def close(self) -> None:
        """End everything."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        for process in self.processes:
            process.wait(10)
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(BrokenPipeError):
                        pipe.close()
        self.client.close()

    # ---- work
    def ask(self, kind: str, *, count: int = 1, **payload: Any) -> list[int]:
        """Enqueue jobs; their numbers."""
        return list(self.asked(kind, count=count, **payload)["ids"])

    def asked(self, kind: str, *, count: int = 1, **payload: Any) -> dict[str, Any]:
        """The numbers and how long each request took."""
        return dict(
            self.order("ask", kind=kind, payload={"journal": str(self.journal), **payload}, count=count)
        )

    def row(self, job: int) -> dict[str, Any]:
        """One job."""
        return next(row for row in self.order("rows") if row["id"] == job)

    def state(self, job: int) -> str:
        """Its state."""
        return str(self.row(job)["state"])

    def becomes(self, job: int, state: str, seconds: float = PATIENCE) -> bool:
        """Wait for a state."""
        return bool(eventually(lambda: self.state(job) == state, seconds, 0.1))

    def lines(self, job: int | None = None, event: str = "") -> list[dict[str, Any]]:
        """The journal."""
        read = self.journal.read_text().splitlines() if self.journal.exists() else []
        found = [json.loads(line) for line in read]
        return [line for line in found if job in (None, line["job"]) and event in ("", line["event"])]

    def horse(self, worker: subprocess.Popen[Any]) -> int:
        """The process that does this worker's work."""
        return int(eventually(lambda: children_of(worker.pid))[0])

    # ---- the judge
    def judge(self) -> None:
        """The oracle of every test: one writer at a time, no step lost or done twice, no dead runner."""
        seen: dict[int, list[dict[str, Any]]] = defaultdict(list)
        for line in self.lines():
            seen[line["job"]].append(line)
        for row in self.order("rows"):
            told = seen[row["id"]]
            numbers = [line["attempt"] for line in told]
            assert numbers == sorted(numbers), f"two writers at once: {told}"
            done = [line["step"] for line in told if line["event"] == "step"]
            assert done == list(range(len(done))), f"steps lost or done twice: {told}"
            if row["state"] == "succeeded" and row["kind"].endswith("steps"):
                assert len(done) == row["total"], row
            if row["state"] == "running":
                assert alive(int(row["holder"].split("|")[3])), row
                assert time.monotonic() - row["beat"] < 40, row


def environment(folder: Path) -> dict[str, str]:
    """Variables of the plant's processes."""
    unwanted = ("DATABASE_URL", "TAXON_STORAGE", "EMAIL_URL")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    return kept | {
        "TAXON_DATA_DIR": str(folder),
        "DJANGO_SETTINGS_MODULE": "tests.faults.settings",
        "SECRET_KEY": "only-for-fault-tests-0123456789-abcdefghijklmnopqrs",
        "REDIS_URL": f"unix://{folder / 'redis.sock'}",
        "OMP_NUM_THREADS": "1",
        "FAULTS_PACE": "real" if LONG else "quick",
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder whose sockets have short names."""
    folder = Path(mkdtemp(prefix="taxon-f-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
