"""A plant for each test, judged at its end; and the seed by which a random one can be told again."""

import os
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.databases import blanks
from tests.faults.plant import Plant, short_folder

collect_ignore_glob = [] if sys.platform == "linux" else ["test_*.py"]  # death signals and /proc


@pytest.fixture(scope="session")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database of the jobs' rooms, to copy."""
    return blanks.migrated(tmp_path_factory, "tests.faults.settings")


@pytest.fixture(scope="session")
def blank_house(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty database of all rooms, to copy."""
    return blanks.migrated(tmp_path_factory, "tests.faults.house")


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder on which the web server can start, to copy."""
    return blanks.prepared(tmp_path_factory)


@pytest.fixture
def build(blank: Path) -> Iterator[Callable[..., Plant]]:
    """`build()` gives a plant with Redis; processes started by the test are its own business."""
    with short_folder() as folder:
        made: list[Plant] = []

        def make(**more: str) -> Plant:
            plant = Plant(folder, blank, **more)
            made.append(plant)
            plant.start_redis()
            return plant

        try:
            yield make
            for plant in made:
                plant.judge()
        finally:
            for plant in made:
                plant.close()


@pytest.fixture
def plant(build: Callable[..., Plant]) -> Plant:
    """Redis alone."""
    return build()


@pytest.fixture
def dice() -> random.Random:
    """Random moments, the same ones for the same TAXON_FAULTS_SEED."""
    seed = int(os.environ.get("TAXON_FAULTS_SEED", "1"))
    print(f"seed {seed}")
    return random.Random(seed)
