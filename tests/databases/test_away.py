"""PostgreSQL whose sessions end, that is full, or that is gone: one more try, or a clean 503; then all is well."""

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.embedded import redis_binary
from config.env import ROOT
from tests.databases import cluster
from tests.databases.cluster import Cluster
from tests.product import free_port

pytestmark = pytest.mark.skipif(not cluster.installed(), reason="PostgreSQL is not installed")
LONG = os.environ.get("TAXON_FAULTS") == "long"
SECONDS, EVERY = (180.0, 5.0) if LONG else (6.0, 0.5)
USER, PASSWORD = "admin", "a-password-for-tests"


@dataclass
class Site:
    """A web server on a PostgreSQL of its own."""

    cluster: Cluster
    port: int
    environment: dict[str, str]
    log: Path
    secret: str = ""

    def ask(
        self, path: str, method: str = "GET", body: object = None, timeout: float = 30
    ) -> tuple[int, dict[str, str], bytes]:
        """Status, headers, body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        headers = {"Authorization": f"Bearer {self.secret}", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            return answer.status, dict(answer.headers), answer.read()
        finally:
            connection.close()

    def manage(self, *args: str) -> str:
        """What a command prints."""
        command = [sys.executable, "manage.py", *args]
        done = subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


@contextmanager
def process(
    command: list[str], environment: dict[str, str], log: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    """Runs meanwhile."""
    with log.open("ab") as out:
        started = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield started
    finally:
        with suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait(20)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("away")
    unwanted = ("DATABASE_URL", "TAXON_STORAGE", "DJANGO_SETTINGS_MODULE")
    with cluster.running("max_connections=14", "superuser_reserved_connections=1") as server:
        port = free_port()
        environment = {name: value for name, value in os.environ.items() if name not in unwanted} | {
            "TAXON_DATA_DIR": str(folder),
            "DATABASE_URL": server.create("taxon"),
            "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz",
            "REDIS_URL": f"unix://{server.folder}/redis.sock",
            "TAXON_ADMIN_USER": USER,
            "TAXON_ADMIN_PASSWORD": PASSWORD,
            "TAXON_WEB_THREADS": "4",
            "OMP_NUM_THREADS": "1",
        }
        redis = [
            str(redis_binary()),
            "--port",
            "0",
            "--unixsocket",
            f"{server.folder}/redis.sock",
            "--save",
            "",
        ]
        web = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
        made = Site(server, port, environment, folder / "web.log")
        server.folder.chmod(0o777)
        with process(redis, environment, folder / "redis.log"):
            made.manage("prepare")
            made.secret = made.manage("token", USER)
            with process(web, environment, made.log):
                wait_until(lambda: answers(made), made.log)
                yield made


def answers(site: Site) -> bool:
    """The site works."""
    with suppress(OSError):
        return site.ask("/api/v1/datasets")[0] == 200
    return False


def wait_until(true: object, log: Path, seconds: float = 60.0) -> None:
    """Or fail with the log."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if true():  # type: ignore[operator]
            return
        time.sleep(0.1)
    raise AssertionError(log.read_text()[-3000:])


def test_sessions_that_end_under_load_lose_no_acknowledged_write(site: Site) -> None:
    stop, statuses, acknowledged = threading.Event(), [], []

    def read() -> None:
        while not stop.is_set():
            statuses.append(("GET", *site.ask("/api/v1/datasets")[:2]))

    def write(who: int) -> None:
        number = 0
        while not stop.is_set():
            name = f"{who}-{number}"
            status, headers, _ = site.ask("/api/v1/datasets", "POST", {"name": name})
            statuses.append(("POST", status, headers))
            if status == 201:
                acknowledged.append(name)
            number += 1

    threads = [
        threading.Thread(target=read),
        *(threading.Thread(target=write, args=(who,)) for who in range(2)),
    ]
    for thread in threads:
        thread.start()
    until = time.monotonic() + SECONDS
    ended = 0
    while time.monotonic() < until:
        time.sleep(EVERY)
        ended += site.cluster.end_sessions("taxon")
    stop.set()
    for thread in threads:
        thread.join()
    assert ended and acknowledged
    assert {status for _, status, _ in statuses} <= {200, 201, 503}
    assert all("Retry-After" in headers for _, status, headers in statuses if status == 503)
    reads = [status for method, status, _ in statuses if method == "GET"]
    assert reads.count(200) > 0.8 * len(reads)
    rows = {name for (name,) in site.cluster.sql("SELECT name FROM datasets_dataset", "taxon")}
    assert rows >= set(acknowledged)
    assert "Traceback" not in json.dumps(site.ask("/api/v1/datasets")[2].decode())
    assert answers(site)
    away = sum(status == 503 for _, status, _ in statuses)
    print(
        f"D4: {ended} sessions ended, {len(statuses)} requests, {away} answered 503, {len(acknowledged)} kept"
    )


def test_a_server_that_takes_no_more_connections_answers_503_and_recovers(site: Site) -> None:
    import psycopg

    site.cluster.end_sessions("taxon")
    held = []
    with suppress(psycopg.OperationalError):
        while True:
            held.append(psycopg.connect(host=str(site.cluster.folder), user=cluster.USER, dbname="postgres"))
    try:
        for path in ("/api/v1/datasets", "/accounts/login/", "/projects/1/"):
            status, headers, body = site.ask(path)
            assert status in (200, 302, 503), (path, status)
            assert b"Traceback" not in body
            if path.startswith("/api"):
                assert status == 503 and headers["Retry-After"] == "5"
                assert json.loads(body)["code"] == "unavailable"
        assert site.ask("/readyz")[0] == 503
    finally:
        for each in held:
            each.close()
    wait_until(lambda: answers(site), site.log)
    assert site.ask("/readyz")[0] == 200


def test_a_restart_of_the_server_is_survived_and_workers_take_jobs_again(site: Site) -> None:
    worker = [sys.executable, "manage.py", "rqworker", "bulk", "--worker-class", "jobs.worker.Worker"]
    worker += ["--serializer", "rq.serializers.JSONSerializer"]
    with process(worker, site.environment, site.log):
        site.cluster.stop()
        status, headers, body = site.ask("/api/v1/datasets")
        assert status == 503 and "Retry-After" in headers and b"unavailable" in body
        site.cluster.start()
        wait_until(lambda: answers(site), site.log)
        made = json.loads(site.ask("/api/v1/datasets", "POST", {"name": "after"})[2])
        wait_until(lambda: imported(site, made["id"]), site.log, 90)


def imported(site: Site, dataset: int, begun: "dict[int, int]" = {}) -> bool:  # noqa: B006  (one import a data set)
    """An import that is begun once becomes ready."""
    from tests.factories import picture

    if dataset not in begun:
        boundary = "x-x-x"
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="images"; filename="a.png"\r\n\r\n'
        body = head.encode() + picture("red") + f"\r\n--{boundary}--\r\n".encode()
        headers = {
            "Authorization": f"Bearer {site.secret}",
            "Content-Type": f"multipart/form-data; boundary={boundary}",
        }
        connection = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
        connection.request("POST", f"/api/v1/datasets/{dataset}/imports", body, headers)
        begun[dataset] = json.loads(connection.getresponse().read())["id"]
        connection.close()
    found = json.loads(site.ask(f"/api/v1/datasets/{dataset}/imports/{begun[dataset]}")[2])
    assert found["state"] != "failed"
    return bool(found["state"] == "ready")
