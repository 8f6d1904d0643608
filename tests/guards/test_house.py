"""What must stay true of the tree as a whole, whoever changes it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from config.env import ROOT
from tests.config.product import environment

HEAVY = ("torch", "torchvision", "pytorch_lightning", "torchmetrics", "sklearn", "scipy")
ASKS = "import platform; print(platform.system(), platform.__file__)"
WEB = f"""
import sys
sys.path[:0] = [{str(ROOT)!r}, {str(ROOT / "platform")!r}]
import config.wsgi
from django.urls import get_resolver
get_resolver().reverse_dict
from django.test import Client
assert Client(headers={{"host": "127.0.0.1"}}).get("/healthz").status_code == 200
print(sorted(name for name in {HEAVY!r} if name in sys.modules))
"""
FLOORS = ("platform", "datasets", "training", "serving", "tests")
ENVIRONMENT_READ = re.compile(
    r"""(?:env_[a-z]+|environ\.get|environ\[|getenv)\(?\s*f?["']([A-Z][A-Z_]+)["']"""
)
NOT_SETTINGS = {
    "DJANGO_SETTINGS_MODULE",
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "PROMETHEUS_MULTIPROC_DIR",
    "TZ",
    "PATH",
}


def sources(*floors: str) -> list[Path]:
    """Our Python files, migrations aside."""
    found = [path for floor in floors for path in (ROOT / floor).rglob("*.py")]
    return [path for path in found if "migrations" not in path.parts]


def run(*command: str, data: Path) -> str:
    done = subprocess.run(
        command, env=environment(data), cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_platform_is_a_folder_and_never_a_package() -> None:
    assert not (ROOT / "platform" / "__init__.py").exists()
    assert not (ROOT / "tests" / "platform").exists()


@pytest.mark.parametrize("way", ["manage.py", "gunicorn", "pytest"])
def test_the_standard_librarys_platform_stays_importable(way: str, tmp_path: Path) -> None:
    if way == "manage.py":
        told = run(sys.executable, "manage.py", "shell", "--no-imports", "--command", ASKS, data=tmp_path)
    elif way == "gunicorn":
        conf = ROOT / "gunicorn.conf.py"
        load = f"exec(open({str(conf)!r}).read(), {{'__file__': {str(conf)!r}}}); {ASKS}"
        told = run(sys.executable, "-c", load, data=tmp_path)
    else:
        import platform

        told = f"{platform.system()} {platform.__file__}"
    system, file = told.split(" ", 1)
    assert system in {"Linux", "Darwin", "Windows"}
    assert not Path(file).is_relative_to(ROOT / "platform")


def test_the_web_process_never_loads_what_only_training_needs(tmp_path: Path) -> None:
    (tmp_path / "secret_key").write_text("0123456789abcdefghijklmnopqrstuvwxyz-web")
    assert run(sys.executable, "-c", WEB, data=tmp_path) == "[]"


def test_every_setting_read_from_the_environment_is_documented() -> None:
    documented = set(
        re.findall(r"`([A-Z][A-Z_]+)`", (ROOT / "docs" / "operations.md").read_text(encoding="utf8"))
    )
    read = {
        name
        for path in [*sources("platform", "datasets", "training", "serving"), ROOT / "gunicorn.conf.py"]
        for name in ENVIRONMENT_READ.findall(path.read_text(encoding="utf8"))
    }
    assert "TAXON_DATA_DIR" in read, "the pattern finds what it looks for"
    from_files = {name for name in read if name.endswith("_FILE")}  # documented as a rule
    assert read - documented - from_files - NOT_SETTINGS == set()


def test_no_file_grows_past_what_a_person_reads_at_once() -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text(encoding="utf8").splitlines())
        for path in sources(*FLOORS)
    }
    assert {name: length for name, length in lengths.items() if length > 400} == {}
