"""Several web processes: every request is answered while a service switches, and by what is live."""

import os
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from serving import publication, revisions
from serving.tokens import make_service_token
from tests.factories import Team, picture
from tests.serving.makers import make_service, make_version

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def base(transactional_db: None, tmp_path: Path) -> Iterator[str]:
    """Two gunicorn workers on the tests' database and files."""
    if connection.vendor != "sqlite":
        pytest.skip("the processes are pointed at a database file")
    port = free_port()
    environment = os.environ | {
        "TAXON_DATA_DIR": str(tmp_path),
        "DATABASE_URL": f"sqlite:///{connection.settings_dict['NAME']}",
        "SECRET_KEY": settings.SECRET_KEY,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "TAXON_WEB_WORKERS": "2",
        "TAXON_WEB_THREADS": "2",
        "DEBUG": "1",
    }
    command = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


def ask(url: str, secret: str) -> tuple[int, str, int]:
    """Status, version and revision of one answer."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "image/png"}
    request = urllib.request.Request(url, picture("red"), headers)
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.headers["X-Taxon-Version"], int(answer.headers["X-Taxon-Revision"])
    except urllib.error.HTTPError as error:
        return error.code, "", 0


def wait_for(base: str) -> None:
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{base}/healthz", timeout=5)
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the web server did not start")


@pytest.mark.slow
def test_switching_back_and_forth_fails_no_request_and_offline_acts_at_once(base: str) -> None:
    team = Team.make()
    service = make_service(team)
    make_version(team.project, sharpness=8.0)
    owner = team.people["owner"]
    _, secret = make_service_token(service=service, name="app", by=owner)
    wait_for(base)
    url, answers, stop = f"{base}/api/v1/services/colours/predict", [], threading.Event()

    def keep_asking() -> None:
        while not stop.is_set():
            answers.append(ask(url, secret))

    askers = [threading.Thread(target=keep_asking) for _ in range(3)]
    for asker in askers:
        asker.start()
    for turn in range(10):
        revisions.switch(service=service, shares=[revisions.Share(2 - turn % 2)], by=owner)
        last = revisions.Share(2 - turn % 2).number
        assert ask(url, secret)[1] == str(last)
        time.sleep(0.1)
    stop.set()
    for asker in askers:
        asker.join()
    assert len(answers) > 20 and {status for status, _, _ in answers} == {200}
    served = {revision.number: str(revision.versions[0]["number"]) for revision in service.revisions.all()}
    assert all(served[revision] == version for _, version, revision in answers)
    publication.take_offline(service=service, by=owner)
    assert ask(url, secret)[0] == 409
