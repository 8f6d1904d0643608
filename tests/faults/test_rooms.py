"""Imports and trainings killed at random moments: they come to the end that they would have come to."""

import io
import os
import random
import signal
import subprocess
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.faults.plant import Plant, alive, children_of, eventually, short_folder, times

HOUSE = {"DJANGO_SETTINGS_MODULE": "tests.faults.house", "FAULTS_CLERK": "house_clerk"}
FILES, FOLDERS = times(200, 600), 4


@pytest.fixture
def house(blank_house: Path) -> Iterator[Plant]:
    """All rooms, with a team in them and the reconciler running."""
    with short_folder() as folder:
        plant = Plant(folder, blank_house, **HOUSE)
        try:
            plant.start_redis()
            plant.order("prepare")
            plant.reconciler()
            yield plant
            plant.judge()
        finally:
            plant.close()


def pictures(folder: Path) -> str:
    """A zip of small pictures in folders: some of them twice, some of them broken."""
    chance, path = random.Random(1), folder / "pictures.zip"
    with zipfile.ZipFile(path, "w") as target:
        for number in range(FILES):
            out = io.BytesIO()
            noise = chance.randbytes(48 * 48 * 3)
            Image.frombytes("RGB", (48, 48), noise).save(out, "PNG")
            content = out.getvalue() if number % 15 else b"not a picture"
            name = f"label {number % FOLDERS}/{number}.png"
            target.writestr(name, content)
            if number % 10 == 0:
                target.writestr(f"label {number % FOLDERS}/again {number}.png", content)
    return str(path)


def kill_one_of(plant: Plant, worker: "subprocess.Popen[Any]", whom: str) -> "subprocess.Popen[Any]":
    """Kill the horse (or what it started), or the worker; the worker that goes on."""
    horse = plant.horse(worker)
    below = children_of(horse)
    if whom == "child" and below:
        os.kill(below[0], signal.SIGKILL)
    elif whom != "worker":
        os.kill(horse, signal.SIGKILL)
    else:
        worker.kill()
        worker.wait()
        assert eventually(lambda: not any(map(alive, (horse, *below))), 5), "orphans outlive their worker"
        worker = plant.worker(worker.args[3])
    return worker


def finish(plant: Plant, archive: str) -> dict[str, Any]:
    """An import that nobody disturbs."""
    number, job = plant.order("begin_import", archive=archive)
    assert plant.becomes(job, "succeeded", 120), plant.said()
    return dict(plant.order("imported", number=number))


def test_a_killed_import_ends_as_an_undisturbed_one(
    house: Plant, tmp_path: Path, dice: random.Random
) -> None:
    """J4."""
    worker = house.worker("bulk")
    archive = pictures(tmp_path)
    expected = finish(house, archive)
    state, total, *parts = expected["counts"]
    assert state == "ready" and total == sum(parts) and all(parts) and expected["whole"]
    kills = 0
    while kills < times(2, 20):
        number, job = house.order("begin_import", archive=archive)
        for _ in range(times(2, 4)):
            eventually(lambda job=job: house.state(job) in ("running", "succeeded"))
            time.sleep(dice.random() * times(1, 2))
            if house.state(job) != "running":
                break
            worker = kill_one_of(house, worker, dice.choice(["horse", "worker"]))
            kills += 1
        assert house.becomes(job, "succeeded", 120), house.said()
        assert house.order("imported", number=number) == expected
    print(f"J4: {kills} kills, each import the same as the undisturbed one")
