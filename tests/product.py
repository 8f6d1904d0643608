"""The whole product as a person starts it: `manage.py up` in a process of its own, on an empty data folder."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
USER, PASSWORD = "admin", "a-password-for-tests"


@dataclass(frozen=True)
class Product:
    """A running product and its first admin."""

    url: str
    data: Path
    environment: dict[str, str]

    def manage(self, *args: str) -> str:
        """What a management command prints on this product's data."""
        command = [sys.executable, "manage.py", *args]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


def free_port() -> int:
    """A port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def running(data: Path, **more: str) -> Iterator[Product]:
    """Start it, wait until it answers, and stop it as a person would; nothing may be left behind."""
    unwanted = ("SECRET_KEY", "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
    environment = {name: value for name, value in os.environ.items() if name not in unwanted} | {
        "TAXON_DATA_DIR": str(data),
        "TAXON_ADMIN_USER": USER,
        "TAXON_ADMIN_PASSWORD": PASSWORD,
        **more,
    }
    port, log = free_port(), data.with_suffix(".log")
    with log.open("w") as out:
        command = [sys.executable, "manage.py", "up", "--port", str(port)]
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=subprocess.STDOUT)
    try:
        for _ in range(900):
            if "is running at" in log.read_text():
                break
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        else:
            raise AssertionError(log.read_text())
        yield Product(f"http://127.0.0.1:{port}", data, environment)
    finally:
        process.terminate()
        assert process.wait(15) == 0, log.read_text()
