"""Starts the whole product on one machine (queue, database, web, workers); stops it without leftovers."""

import fcntl
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import FrameType

from django.conf import settings
from django.utils.translation import gettext as _

from config import groundwork
from config.embedded import CannotStart, make_private, redis_command, run_folder
from config.env import ROOT, env_int
from config.supervisor import Child, Supervisor

Say = Callable[[str], None]
LOCK_NAME = "up.lock"
READY_SECONDS, REDIS_SECONDS = 90, 60
WORKER_NICENESS = {"quick": 0, "bulk": 5, "training": 10}
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class StopAsked(BaseException):
    """Somebody sent SIGTERM or pressed Ctrl-C; not an error, so no `except Exception` may swallow it."""


@dataclass(frozen=True)
class Product:
    """A running product."""

    url: str
    logs: Path

    def wait(self) -> None:
        """Stay in the foreground until somebody asks to stop (raises StopAsked)."""
        while True:
            time.sleep(3600)


@contextmanager
def running_product(*, port: int, host: str = "127.0.0.1", say: Say | None = None) -> Iterator[Product]:
    """The whole product, up and answering; stopped when the block is left, by whatever way.

    Call it in the main thread. SIGTERM, SIGINT and SIGHUP raise StopAsked there, in the start-up or in the
    block; the caller treats that as a good end. Raises CannotStart where something is missing.
    """
    say = say or tell
    with ExitStack() as undo:
        undo.enter_context(signals_raise())
        lock = undo.enter_context(data_folder_lock(settings.DATA_DIR, address(host, port)))
        check_port(host, port)
        folder = undo.enter_context(private_folder())
        supervisor = Supervisor(settings.DATA_DIR / "logs", say, keep=(lock,))
        undo.callback(supervisor.stop)
        undo.callback(ignore_signals)
        if not (os.environ.get("REDIS_URL") or os.environ.get("REDIS_URL_FILE")):
            start_redis(supervisor)
        groundwork.lay(say)
        for child in children(host, port, folder):
            supervisor.start(child)
        supervisor.watch()
        wait_until_ready(host, port, supervisor.logs / "web.log")
        yield Product(address(host, port), supervisor.logs)


def tell(line: str) -> None:
    """Print a line at once; a closed terminal must not stop the product."""
    with suppress(OSError):
        print(line, flush=True)


def address(host: str, port: int) -> str:
    """The address that a person on this machine opens."""
    shown = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  (shown, not bound)
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


def children(host: str, port: int, folder: Path) -> list[Child]:
    """Everything but the queue: one web server, one worker a queue, and what keeps rows and queue in line."""
    python, manage = sys.executable, str(ROOT / "manage.py")
    bind = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    web = (
        python,
        "-m",
        "gunicorn",
        "-c",
        str(ROOT / "gunicorn.conf.py"),
        "--chdir",
        str(ROOT),
        "--bind",
        bind,
    )
    one = {"OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or "1"}
    threads = str(training_threads())
    many = {"OMP_NUM_THREADS": threads, "TAXON_TRAINING_THREADS": threads}
    worker = ("--worker-class", "jobs.worker.Worker", "--serializer", "rq.serializers.JSONSerializer")
    return [
        Child("web", web, {**one, "PROMETHEUS_MULTIPROC_DIR": str(folder / "metrics")}),
        *(
            Child(
                queue,
                (python, manage, "rqworker", queue, *worker),
                many if queue == "training" else one,
                nice,
            )
            for queue, nice in WORKER_NICENESS.items()
        ),
        Child("reconcile", (python, manage, "reconcile"), one),
    ]


def training_threads() -> int:
    """All cores but one, so that the site stays quick, unless TAXON_TRAINING_THREADS says otherwise."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return env_int("TAXON_TRAINING_THREADS", 0) or max(1, cores - 1)


def start_redis(supervisor: Supervisor) -> None:
    """Start the embedded queue and wait until it has read its file."""
    import redis

    child = Child("redis", redis_command(settings.DATA_DIR), last=True)
    supervisor.start(child)
    client = redis.Redis.from_url(settings.REDIS_URL)
    until = time.monotonic() + REDIS_SECONDS
    try:
        while time.monotonic() < until and supervisor.lives(child):
            with suppress(redis.ConnectionError, redis.BusyLoadingError):
                client.ping()
                return
            time.sleep(0.05)
    finally:
        client.close()
    raise CannotStart(_("Redis did not start; its log says why: %(log)s") % {"log": supervisor.log_of(child)})


def wait_until_ready(host: str, port: int, log: Path) -> None:
    """Return once /healthz answers."""
    target = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    until = time.monotonic() + READY_SECONDS
    while time.monotonic() < until:
        connection = HTTPConnection(target, port, timeout=5)
        with suppress(OSError, HTTPException):
            connection.request("GET", "/healthz")
            if connection.getresponse().status < 500:
                return
        connection.close()
        time.sleep(0.1)
    raise CannotStart(
        _("The web server did not answer within %(seconds)s s; its log says why: %(log)s")
        % {"seconds": READY_SECONDS, "log": log}
    )


def check_port(host: str, port: int) -> None:
    """Refuse a port that we cannot listen on, before anything is started."""
    try:
        family, kind, proto, _name, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, proto) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
            probe.listen(1)
    except (OSError, OverflowError) as error:
        raise CannotStart(
            _("Cannot listen on port %(port)s of %(host)s (%(reason)s): choose another with --port.")
            % {"port": port, "host": host, "reason": getattr(error, "strerror", None) or error}
        ) from error


@contextmanager
def data_folder_lock(data_dir: Path, note: str) -> Iterator[int]:
    """Hold the data folder for this product alone; `note` is told to whoever comes second."""
    path = data_dir / LOCK_NAME
    descriptor = take_lock(path)
    try:
        os.truncate(descriptor, 0)
        os.write(descriptor, note.encode())
        yield descriptor
    finally:
        path.unlink(missing_ok=True)
        os.close(descriptor)


def take_lock(path: Path) -> int:
    """A descriptor with the lock on it; the kernel lets go when the last process that holds it is gone."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if path.exists() and os.path.samestat(os.fstat(descriptor), path.stat()):
                return descriptor
        except BlockingIOError as error:
            where = os.read(descriptor, 200).decode() or "?"
            os.close(descriptor)
            raise CannotStart(
                _("Taxon already runs on %(folder)s, at %(where)s: stop it, or set another TAXON_DATA_DIR.")
                % {"folder": path.parent, "where": where}
            ) from error
        os.close(descriptor)  # the one before us removed the file between our two steps


@contextmanager
def private_folder() -> Iterator[Path]:
    """The short folder for sockets and metrics, empty at the start, gone at the end."""
    folder = make_private(run_folder(settings.DATA_DIR))
    for old in folder.iterdir():
        shutil.rmtree(old) if old.is_dir() else old.unlink()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def signals_raise() -> Iterator[None]:
    """Turn the signals that ask us to stop into StopAsked in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        raise RuntimeError("running_product must be entered in the main thread")

    def stop(number: int, frame: FrameType | None) -> None:
        ignore_signals()
        raise StopAsked

    before = {number: signal.signal(number, stop) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def ignore_signals() -> None:
    """Stopping takes a few seconds and must not be cut short by a second Ctrl-C."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
