"""The lock files, the images and the compose file keep their promises, without a Docker engine."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from config.env import ROOT
from tests.config.product import environment

LOCKS = ("requirements-web.txt", "requirements.txt", "requirements-dev.txt")
PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;+]+)( ; .+)?$")
TRAINING_ONLY = {"torch", "torchvision", "pytorch-lightning", "torchmetrics", "onnx", "scikit-learn", "scipy"}


def pins(name: str) -> dict[str, str]:
    """Name → version of a lock file; fails on any line that is not an exact pin."""
    found = {}
    for line in (ROOT / name).read_text(encoding="utf8").splitlines():
        match = PIN.match(line)
        assert match, f"{name}: {line!r} is not an exact version"
        found[match[1]] = match[2]
    return found


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's (instruction, rest) pairs."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split(None, 1)[0], line.split(None, 1)[1]) for line in lines]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf8"))["services"])


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_file_holds_exact_versions_and_nothing_of_one_machine(name: str) -> None:
    assert not {pin for pin in pins(name) if pin.startswith(("nvidia", "cuda")) or pin == "triton"}
    assert "index-url" not in (ROOT / name).read_text(encoding="utf8")


def test_each_lock_file_repeats_the_smaller_one() -> None:
    web, whole, dev = (pins(name) for name in LOCKS)
    assert web.items() <= whole.items()
    assert whole.items() <= dev.items()


def test_the_web_tier_needs_nothing_that_only_training_needs() -> None:
    assert not TRAINING_ONLY & pins("requirements-web.txt").keys()
    assert pins("requirements.txt").keys() >= TRAINING_ONLY


def test_what_is_asked_for_is_what_is_locked() -> None:
    for name in LOCKS:
        asked = re.findall(
            r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\n]+)",
            (ROOT / name).with_suffix(".in").read_text(),
            re.M,
        )
        locked = pins(name)
        assert asked
        assert {package.lower(): version for package, version in asked}.items() <= locked.items()


def test_the_images_run_as_an_unprivileged_person_and_copy_files_that_exist() -> None:
    stages: dict[str, list[tuple[str, str]]] = {}
    for word, rest in instructions():
        if word == "FROM":
            stages[rest.split(" AS ")[1]] = []
        stages[list(stages)[-1]].append((word, rest))
    assert list(stages) == ["web", "worker"]
    for lines in stages.values():
        assert [rest for word, rest in lines if word == "USER"][-1] == "taxon"
        copied = [rest.split()[:-1] for word, rest in lines if word == "COPY"]
        assert all((ROOT / source).exists() for sources in copied for source in sources)
    assert "requirements-web.txt" in str(stages["web"])
    assert not re.search(r"requirements\.txt", str(stages["web"]))


def test_every_container_runs_a_command_that_exists(services: dict[str, Any]) -> None:
    known = set(get_commands())
    run = {name: service["command"] for name, service in services.items() if service.get("command")}
    ours = {name: command[2] for name, command in run.items() if command[:2] == ["python", "manage.py"]}
    assert set(ours) == {"prepare", "worker-quick", "worker-bulk", "worker-training", "reconcile"}
    assert set(ours.values()) <= known


def test_each_queue_has_a_container_and_the_queue_forgets_nothing(services: dict[str, Any]) -> None:
    queues = {service["command"][3] for name, service in services.items() if name.startswith("worker-")}
    assert queues == {"quick", "bulk", "training"}
    assert services["queue"]["command"][1:] == [
        *("--appendonly", "yes", "--appendfsync", "everysec", "--maxmemory-policy", "noeviction")
    ]
    assert services["db"]["image"] == "postgres:16"


def test_web_and_workers_wait_for_the_tables(services: dict[str, Any]) -> None:
    for name in ("web", "worker-quick", "worker-bulk", "worker-training", "reconcile"):
        assert services[name]["depends_on"]["prepare"] == {"condition": "service_completed_successfully"}


@pytest.mark.slow
def test_the_web_tier_serves_in_an_environment_with_its_own_lock_file_alone(tmp_path: Path) -> None:
    venv, python = tmp_path / "venv", str(tmp_path / "venv" / "bin" / "python")
    subprocess.run((sys.executable, "-m", "venv", "--without-pip", str(venv)), check=True, timeout=120)
    pip = (sys.executable, "-m", "pip", "--python", python)  # no bytecode: few of these modules are imported
    install = ("install", "--quiet", "--no-compile", "-r", str(ROOT / "requirements-web.txt"))
    subprocess.run((*pip, *install), check=True, timeout=600)
    ask = (
        "import sys; sys.path[:0] = ['.', 'platform']; import config.wsgi; from django.test import Client;"
        " print(Client(headers={'host': '127.0.0.1'}).get('/healthz').status_code)"
    )
    env = environment(tmp_path / "data", SECRET_KEY="0123456789abcdefghijklmnopqrstuvwxyz-web")
    done = subprocess.run((python, "-c", ask), env=env, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "200", done.stderr
