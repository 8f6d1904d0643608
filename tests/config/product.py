"""Starts the real product for tests, in a data folder of its own, and knows which processes belong to it."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from config.embedded import run_folder
from config.env import ROOT
from config.warden import MARK, living

READY = "Taxon is running at"
OURS = (
    "SECRET_KEY",
    "REDIS_URL",
    "DATABASE_URL",
    "DJANGO_SETTINGS_MODULE",
    "TAXON_BASE_URL",
    "TAXON_STORAGE",
)


def environment(data: Path, **more: str) -> dict[str, str]:
    """The shell's variables without the tests' own settings."""
    kept = {name: value for name, value in os.environ.items() if name not in OURS}
    return kept | {"TAXON_DATA_DIR": str(data), "OMP_NUM_THREADS": "1", "EMAIL_URL": "memorymail://"} | more


def manage(*args: str, data: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run one of the product's commands to its end."""
    command = (sys.executable, str(ROOT / "manage.py"), *args)
    return subprocess.run(
        command,
        env=environment(data, **more),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(true: Callable[[], object], seconds: float) -> bool:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():
            return True
        time.sleep(0.1)
    return bool(true())


@dataclass
class Up:
    """A running `manage.py up`."""

    process: subprocess.Popen[str]
    data: Path
    port: int
    output: Path

    def said(self) -> str:
        """What it printed so far."""
        return self.output.read_text()

    def get(self, path: str) -> str:
        """The answer of its web server."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=10) as answer:
            return str(answer.read().decode())

    def processes(self) -> dict[int, str]:
        """Everything alive that was started on our data folder: number → command line."""
        wanted = f"TAXON_DATA_DIR={self.data}".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if wanted in (entry / "environ").read_bytes().split(b"\0") and living(int(entry.name)):
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except (OSError, ValueError):
                continue
        return found

    def redis_runs(self) -> bool:
        """True while a Redis holds our socket (its title hides its environment)."""
        wanted = str(run_folder(self.data)).encode()
        for entry in Path("/proc").iterdir():
            try:
                if b"redis-server" in (line := (entry / "cmdline").read_bytes()) and wanted in line:
                    return True
            except OSError:
                continue
        return False

    def child(self, words: str) -> int:
        """The process with these words in its command line (the oldest: masters before workers)."""
        return min(pid for pid, line in self.processes().items() if words in line)


@contextmanager
def started(data: Path, *args: str, **more: str) -> Iterator[Up]:
    """`manage.py up`, ready; killed at the end if the test has not stopped it."""
    port, output = free_port(), data.parent / f"{data.name}.out"
    command = (sys.executable, str(ROOT / "manage.py"), "up", "--port", str(port), *args)
    with output.open("w") as file:
        process = subprocess.Popen(
            command, env=environment(data, **more), stdout=file, stderr=file, cwd=ROOT, text=True
        )
    up = Up(process, data, port, output)
    try:
        eventually(lambda: READY in up.said() or process.poll() is not None, 90)
        assert READY in up.said(), up.said()
        yield up
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


__all__ = ["MARK", "Up", "environment", "eventually", "free_port", "manage", "started"]
