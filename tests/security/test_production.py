"""What the product refuses to start with, and Django's own deployment check."""

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STRONG = secrets.token_urlsafe(50)


def manage(tmp_path: Path, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`manage.py …` with this environment alone."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "manage.py", *args], cwd=ROOT, check=False, capture_output=True, text=True, timeout=120,
        env={**kept, "TAXON_DATA_DIR": str(tmp_path), **environment},
    )  # fmt: skip


def test_production_settings_pass_djangos_deployment_check(tmp_path: Path) -> None:
    done = manage(
        tmp_path, "check", "--deploy", "--fail-level", "WARNING",
        SECRET_KEY=STRONG, TAXON_BASE_URL="https://taxon.example.org",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


WEAK = [
    "secret",
    "a" * 60,
    "changeme" * 5,
    "django-insecure-m7gNMOdt5SA2jzOR1vMoRb1PvLKROGhd70m",
    "abcdefghi" * 3,
]


@pytest.mark.parametrize("weak", WEAK)
def test_a_weak_key_is_refused_with_what_to_do(tmp_path: Path, weak: str) -> None:
    done = manage(tmp_path, "check", SECRET_KEY=weak)
    assert done.returncode != 0 and "set it to 50 random characters" in done.stderr
    assert "Traceback" not in done.stderr and weak not in done.stderr


def test_debug_is_refused_where_the_world_can_see_it(tmp_path: Path) -> None:
    done = manage(tmp_path, "check", SECRET_KEY=STRONG, TAXON_BASE_URL="https://taxon.example.org", DEBUG="1")
    assert done.returncode != 0 and "DEBUG shows settings" in done.stderr


def test_debug_is_off_and_a_key_is_made_without_any_settings(tmp_path: Path) -> None:
    ask = "from django.conf import settings as s; print(s.DEBUG, len(s.SECRET_KEY))"
    done = manage(tmp_path, "shell", "-v", "0", "-c", ask)
    assert done.stdout.split()[0] == "False" and int(done.stdout.split()[1]) >= 50
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_a_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(STRONG + "\n")
    assert manage(tmp_path, "check", SECRET_KEY_FILE=str(tmp_path / "key")).returncode == 0
