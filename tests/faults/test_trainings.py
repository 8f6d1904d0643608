"""Trainings killed at random moments, with the real engine: they go on from the last epoch, here or elsewhere."""

import random
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.plant import LONG, Plant, eventually, short_folder, times
from tests.faults.test_rooms import HOUSE, kill_one_of
from tests.storage.bucket import BUCKET
from training.checkpoints import here

ROUNDS = {"patience": 1000, "max_epochs": times(8, 30)}


@pytest.fixture(params=["file", "s3"] if LONG else ["s3"])
def house(request: pytest.FixtureRequest, blank_house: Path) -> Iterator[Plant]:
    """All rooms and the reconciler, on either storage."""
    with short_folder() as folder:
        more = dict(HOUSE)
        if request.param == "s3":
            endpoint = request.getfixturevalue("s3")
            more |= {"TAXON_STORAGE": f"s3://{BUCKET}/{folder.name}", "AWS_ENDPOINT_URL": endpoint}
        plant = Plant(folder, blank_house, **more)
        try:
            plant.start_redis()
            plant.order("prepare")
            plant.reconciler()
            yield plant
            plant.judge()
        finally:
            plant.close()


def engines(plant: Plant) -> list[int]:
    """The engine processes of this plant."""
    mark, found = f"{plant.folder}/work/training-".encode(), []
    for entry in Path("/proc").iterdir():
        try:
            command = (entry / "cmdline").read_bytes() if entry.name.isdigit() else b""
        except OSError:
            continue
        if b"training.engine" in command and mark in command:
            found.append(int(entry.name))
    return found


@contextmanager
def watched(plant: Plant) -> Iterator[list[int]]:
    """How many engines work at once, looked at ten times a second; the most are the first of the list."""
    most, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            most[0] = max(most[0], len(engines(plant)))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield most
    finally:
        over.set()
        thread.join()


def saved(plant: Plant, version: int) -> int:
    """The last epoch that lies on this host's disk."""
    found = here(plant.folder / "work" / f"training-{version}" / "checkpoints")
    return found[0].number if found else 0


def goes_on_at(plant: Plant, version: int, attempt: int) -> int | None:
    """The first epoch of the attempt after `attempt`; None where it ended before anybody could see."""

    def seen() -> dict[str, Any]:
        return dict(plant.order("trained", number=version))

    def over() -> bool:
        return bool(seen()["state"] == "succeeded")

    begun = eventually(lambda: over() or (seen()["attempt"] > attempt and not seen()["epochs"]), 120)
    assert begun and eventually(lambda: seen()["epochs"], 120), plant.said()
    return None if over() else int(seen()["epochs"][0])


def disturbed(
    plant: Plant, worker: "subprocess.Popen[Any]", version: int, *, whom: str, away: bool
) -> tuple["subprocess.Popen[Any]", int | None]:
    """Kill somebody; `away`: with this host's disk. The worker that goes on, and how many epochs that cost."""
    attempt = plant.order("trained", number=version)["attempt"]
    if away:
        worker.kill()
        worker.wait()
        assert eventually(lambda: not engines(plant), 5), "orphans outlive their worker"
        had = saved(plant, version)
        shutil.rmtree(plant.folder / "work")
        worker = plant.worker("training")
    else:
        worker = kill_one_of(plant, worker, whom)
        had = saved(plant, version)
    first = goes_on_at(plant, version, attempt)
    return worker, None if first is None else had - (first - 1)


def test_a_killed_training_goes_on_from_its_last_epoch_on_this_host_or_another(
    house: Plant, dice: random.Random
) -> None:
    worker = house.worker("training")
    costs: list[int] = []
    kills = runs = 0
    with watched(house) as most:
        while kills < times(1, 10):
            version, job = house.order("begin_training", pictures=times(30, 60), **ROUNDS)
            runs += 1
            for _ in range(times(1, 4)):
                assert eventually(lambda n=version: len(house.order("trained", number=n)["epochs"]) >= 2, 120)
                time.sleep(dice.random() * times(1, 4))
                if house.state(job) != "running":
                    break
                whom, away = dice.choice(["child", "horse", "worker"]), bool(kills % 2) or times(1, 0) == 1
                worker, cost = disturbed(house, worker, version, whom=whom, away=away)
                kills, costs = kills + 1, [*costs, *([cost] if cost is not None else [])]
            assert house.becomes(job, "succeeded", 300), house.said()
            ended = house.order("trained", number=version)
            assert (ended["state"], ended["usable"], ended["whole"]) == ("succeeded", True, True), ended
            assert ended["epochs"] == list(range(1, len(ended["epochs"]) + 1)) and not ended["stored"]
            assert not ended["wrong"], ended
            pace = ended["seconds"][0] / len(ended["epochs"])
    # One may be on its way to the storage, and one more be finished where an upload takes longer than an epoch.
    assert costs and max(costs) <= 2 and most[0] == 1, (str(costs), most, pace)
    print(f"J1/J2: {kills} kills in {runs} trainings, epochs lost {costs}, engines at once {most[0]}")
    print(f"J1/J2: {pace:.2f} s an epoch in the last of them")
