"""A small lived-in installation for operators' tests, and other installations beside it."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection

from config.env import ROOT
from datasets.models import Dataset, Import
from datasets.snapshots import take_snapshot
from serving.models import Service
from tests.datasets.makers import begin, colours, make_dataset, zip_of
from tests.factories import Team
from tests.serving.makers import make_service


@dataclass
class House:
    """What lives in it."""

    dataset: Dataset
    brought: Import
    service: Service


def live_in(team: Team, work: Callable[[], None]) -> House:
    """An import with a repeated and a refused file, embeddings, a snapshot, a version, a service."""
    pictures = colours(6)
    files = {f"{'cat' if n % 2 else 'dog'}/{n}.png": each for n, each in enumerate(pictures)}
    files |= {"cat/again.png": pictures[0], "cat/broken.jpg": b"no picture"}
    dataset = make_dataset(team)
    brought = begin(team, dataset, ("pets.zip", zip_of(files)))
    work()
    brought.refresh_from_db()
    take_snapshot(dataset=dataset, user=team.people["engineer"])
    return House(dataset, brought, make_service(team))


def beside(folder: Path, **more: str) -> dict[str, str]:
    """Variables of another installation, on its own folder (and, on PostgreSQL, its own database)."""
    unwanted = ("DATABASE_URL", "REDIS_URL", "TAXON_STORAGE", "DJANGO_SETTINGS_MODULE", "SECRET_KEY")
    kept = {name: value for name, value in os.environ.items() if name not in unwanted}
    kept |= {"TAXON_DATA_DIR": str(folder), "EMAIL_URL": "memorymail://", "OMP_NUM_THREADS": "1"}
    if connection.vendor == "postgresql":
        name = f"beside_{abs(hash(str(folder)))}"
        with connection.cursor() as cursor:
            cursor.execute(f'CREATE DATABASE "{name}"')
        kept["DATABASE_URL"] = f"postgres://taxon@/{name}?host={settings.POSTGRESQL_FOLDER}"
    return kept | more


def manage(environment: dict[str, str], *args: str) -> "subprocess.CompletedProcess[str]":
    """One of the commands, on that installation."""
    command = [sys.executable, "manage.py", *args]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


COUNTS = """
from datasets.models import Image, Import, NotTaken
from serving.models import Service
from training.models import ModelVersion
from jobs.models import Job
print([model.objects.count() for model in (Image, Import, NotTaken, Service, ModelVersion, Job)])
"""
