"""The lines that the page shows work when they are pasted."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from serving.guide import recipes
from serving.tokens import make_service_token
from tests.factories import Team, picture
from tests.serving.makers import make_service


@pytest.fixture
def lines(transactional_db: None, live_server: LiveServer, tmp_path: Path) -> dict[str, str]:
    """The recipes for a service that really listens, beside a photo.jpg."""
    team = Team.make()
    service = make_service(team)
    _, secret = make_service_token(service=service, name="app", by=team.people["owner"])
    (tmp_path / "photo.jpg").write_bytes(picture("blue", form="JPEG"))
    url = f"{live_server.url}/api/v1/services/{service.slug}/predict"
    return {recipe.key: recipe.code for recipe in recipes(url, secret)}


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_curl_line_answers(lines: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        lines["curl"], shell=True, cwd=tmp_path, capture_output=True, check=True, timeout=30
    )
    assert json.loads(done.stdout)["predicted_label"] == "蓝"


def test_the_python_lines_answer(lines: dict[str, str], tmp_path: Path) -> None:
    pytest.importorskip("requests")
    script = [sys.executable, "-X", "utf8", "-c", lines["python"]]
    done = subprocess.run(script, cwd=tmp_path, capture_output=True, check=True, timeout=30)
    assert done.stdout.decode().strip() == "蓝"


@pytest.mark.skipif(not shutil.which("node"), reason="Node is not installed")
def test_the_javascript_lines_answer(lines: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "call.mjs").write_text(lines["javascript"])
    done = subprocess.run(["node", "call.mjs"], cwd=tmp_path, capture_output=True, check=True, timeout=30)
    assert done.stdout.decode().strip() == "蓝"
