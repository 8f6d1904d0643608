"""The real queue for tests: a Redis server of their own and RQ's worker without the fork."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import django_rq
import redis
from django.conf import settings
from rq import SimpleWorker
from rq.timeouts import TimerDeathPenalty


class QuietWorker(SimpleWorker):
    """Runs jobs in the test's own process, so that they see its database; no signals, no forks."""

    death_penalty_class = TimerDeathPenalty

    def _install_signal_handlers(self) -> None:
        pass

    def subscribe(self) -> None:
        """Nobody sends it commands, and leaving the channel takes a second."""


@dataclass
class RealQueue:
    """A running Redis."""

    client: redis.Redis

    @classmethod
    @contextmanager
    def started(cls) -> Iterator["RealQueue"]:
        """Start the server on the socket that the test settings name, and stop it afterwards."""
        socket: Path = settings.QUEUE_SOCKET
        program = shutil.which("redis-server") or str(Path(sys.prefix) / "bin" / "redis-server")
        server = subprocess.Popen(
            [program, "--port", "0", "--unixsocket", str(socket), "--save", "", "--dir", str(socket.parent)],
            stdout=subprocess.DEVNULL,
        )
        client = redis.Redis(unix_socket_path=str(socket))
        for _ in range(100):
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.05)
        try:
            yield cls(client)
        finally:
            client.close()
            server.terminate()
            server.wait(10)

    def flush(self) -> None:
        """Forget everything."""
        self.client.flushall()

    def run_all(self) -> None:
        """Work until all queues are empty, jobs that other jobs asked for included."""
        while any(django_rq.get_queue(name).count for name in settings.QUEUES):
            for name in settings.QUEUES:
                if not (queue := django_rq.get_queue(name)).count:
                    continue
                worker = QuietWorker([queue], connection=queue.connection, serializer=queue.serializer)
                worker.work(burst=True, logging_level="WARNING")
