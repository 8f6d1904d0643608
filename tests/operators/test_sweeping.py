"""What killed processes left goes at the next start; what somebody may want stays."""

import os
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from config.sweeping import forget_without_row, sweep
from datasets.models import Import
from tests.datasets.makers import make_dataset
from tests.factories import Team
from web import storage


def aged(key: str, days: float = 2) -> str:
    """A stored file that is some days old."""
    default_storage.save(key, ContentFile(b"x"))
    path = storage.path_of(key)
    if path is None:
        pytest.skip("objects in a bucket cannot be made old")
    os.utime(path, (time.time() - days * 86400,) * 2)
    return key


def test_a_start_takes_old_leftovers_away_and_nothing_else(
    team: Team, tmp_path: Path, settings: Settings
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    (settings.DATA_DIR / "backups").mkdir(parents=True)
    (settings.DATA_DIR / "backups" / "a.tar.part").touch()
    wanted = aged("uploads/wanted")
    Import.objects.create(
        dataset=make_dataset(team), sources=[{"key": wanted, "name": "a", "archive": False}]
    )
    stays = {wanted, aged("images/ab/abc.png"), aged("uploads/new", days=0), aged("parts/new", days=0)}
    goes = {aged("uploads/nobodys"), aged("parts/half")}
    sweep()
    assert {key for key in stays | goes if default_storage.exists(key)} == stays
    assert not list((settings.DATA_DIR / "backups").iterdir())


def test_files_without_a_row_go_when_the_operator_asks(team: Team) -> None:
    aged("images/ab/abc.png")
    aged("images/ab/new.png", days=0)
    assert forget_without_row() == 1
    assert not default_storage.exists("images/ab/abc.png") and default_storage.exists("images/ab/new.png")
