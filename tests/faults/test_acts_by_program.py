"""A program's tag killed on the server at any line, and sent again: it happened once, and the program hears so."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.plant import LONG, Plant, short_folder

BENCH = {"DJANGO_SETTINGS_MODULE": "tests.faults.house", "FAULTS_CLERK": "tagging_clerk", "DEBUG": "1"}
STRIDE = 1 if LONG else 31  # the plain run tries a few of the lines, the long one every line


@pytest.fixture
def plant(blank_house: Path) -> Iterator[Plant]:
    """All rooms, and Redis."""
    with short_folder() as folder:
        made = Plant(folder, blank_house, **BENCH)
        try:
            made.start_redis()
            yield made
        finally:
            made.close()


def test_a_tag_killed_at_any_line_happens_once_and_its_repeat_gets_the_act(plant: Plant) -> None:
    pictures = plant.order("open_bench")
    kills = 0

    def survives(line: int) -> bool:
        """Kill it at this line and send it again; whether it had ended before."""
        nonlocal kills
        kills += 1
        label = ("cat", "dog")[kills % 2]
        found = plant.order("tagged_twice", key=f"key-{kills}", label=label, line=line)
        assert found["status"] in (0, -signal.SIGKILL), plant.said()
        assert found["answer"] == 200, (line, found)
        assert found["told"] == {"action": found["acts"][0], "changed": pictures}, (line, found)
        assert found["replayed"] == bool(found["done"]), (line, found)
        assert (len(found["acts"]), found["labels"]) == (1, [label] * pictures), (line, found)
        done.append(found["done"])
        return bool(found["status"] == 0)

    done: list[int] = []
    end = next(line for line in range(1, 5000, STRIDE) if survives(line))
    next(line for line in range(end - STRIDE + 1, end + 1) if survives(line))  # the last ones, one by one
    assert kills > 10
    assert sum(done) > 2, "some were killed behind the commit"
    print(
        f"{kills - 2} kills at the lines of a tag over the API; {sum(done) - 2} had happened, the others not"
    )
