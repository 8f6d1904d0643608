"""Killed while a checkpoint is written: the one before it is used, and a damaged one is never loaded (J3)."""

import json
import os
import random
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.faults.plant import times
from tests.training.engine.tasks import clouds, fit_here, head_task, split_of
from training.engine.checkpoints import Checkpoints, Damaged
from training.engine.spec import FitTask

Capture = pytest.CaptureFixture[str]
EPOCHS = 4


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> FitTask:
    """A fit of some epochs that has left its checkpoints."""
    folder = tmp_path_factory.mktemp("fitted")
    task = head_task(folder, *clouds(), split_of(300), max_epochs=EPOCHS, patience=100)
    task = replace(task, checkpoint_folder=str(folder / "checkpoints"))
    fit_here(task)
    return task


@pytest.fixture
def task(fitted: FitTask, tmp_path: Path) -> FitTask:
    """The same with checkpoints that the test may break."""
    folder = shutil.copytree(str(fitted.checkpoint_folder), tmp_path / "checkpoints")
    return replace(fitted, checkpoint_folder=str(folder), work_folder=str(tmp_path / "work"))


def newest_first(task: FitTask) -> list[Path]:
    return sorted(Path(str(task.checkpoint_folder)).glob("*.ckpt"), reverse=True)


def resumed(task: FitTask, capsys: Capture) -> tuple[list[int], list[str], dict[str, Any]]:
    """The epochs that a new attempt went through, what it told about damage, and its result."""
    capsys.readouterr()
    result = fit_here(task)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith("{")]
    notes = [line["message"] for line in lines if line["event"] == "note"]
    return [line["epoch"] for line in lines if line["event"] == "epoch"], notes, result


def cut(share: Callable[[int], int]) -> Callable[[bytes], bytes]:
    """What a write that stopped at a byte leaves."""
    return lambda content: content[: share(len(content))]


def flip(content: bytes) -> bytes:
    """One bit of a weight is another: the file opens as before, its numbers are wrong."""
    where = len(content) // 2
    return content[:where] + bytes([content[where] ^ 16]) + content[where + 1 :]


TORN = {
    "at byte 0": cut(lambda size: 0),
    "at byte 1": cut(lambda size: 1),
    "at half": cut(lambda size: size // 2),
    "at the last byte but one": cut(lambda size: size - 1),
    "in one bit": flip,
}


def test_the_two_newest_epochs_are_kept_and_nothing_half_written(task: FitTask) -> None:
    names = [path.name.rsplit("-", 2)[1] for path in newest_first(task)]
    assert names == [f"{EPOCHS:06}", f"{EPOCHS - 1:06}"]
    assert len(list(Path(str(task.checkpoint_folder)).iterdir())) == 2


@pytest.mark.parametrize("tear", TORN.values(), ids=TORN.keys())
def test_a_torn_checkpoint_means_going_on_from_the_one_before_it(
    task: FitTask, tear: Callable[[bytes], bytes], capsys: Capture
) -> None:
    newest, _ = newest_first(task)
    newest.write_bytes(tear(newest.read_bytes()))
    epochs, notes, result = resumed(task, capsys)
    assert epochs == [EPOCHS]
    assert notes == ["The last checkpoint is damaged; the fit goes on from the one before it."]
    assert [point["epoch"] for point in result["history"]] == list(range(1, EPOCHS + 1))


@pytest.mark.parametrize("tear", list(TORN.values())[:4], ids=list(TORN)[:4])
def test_a_write_that_was_cut_short_costs_no_more_than_its_epoch(
    task: FitTask, tear: Callable[[bytes], bytes], capsys: Capture
) -> None:
    """Killed before the new file got its name: its remains are no checkpoint."""
    newest, older = newest_first(task)
    part = newest.with_name(newest.name.rsplit("-", 2)[0] + ".part")
    part.write_bytes(tear(newest.read_bytes()))
    newest.unlink()
    epochs, notes, _ = resumed(task, capsys)
    assert (epochs, notes) == ([EPOCHS], []) and not part.exists() and older.exists()


def test_when_all_are_torn_the_fit_starts_over_and_says_so(task: FitTask, capsys: Capture) -> None:
    for path, tear in zip(newest_first(task), (TORN["at half"], TORN["at byte 0"]), strict=True):
        path.write_bytes(tear(path.read_bytes()))
    epochs, notes, _ = resumed(task, capsys)
    assert epochs == list(range(1, EPOCHS + 1))
    assert notes == ["The last checkpoint is damaged; the fit starts over."]


def test_a_file_whose_hash_is_wrong_is_not_unpickled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Checkpoints(tmp_path, "last-x")
    kept.save_checkpoint({"taxon": 1}, "")
    (path,) = kept.found()
    path.write_bytes(flip(path.read_bytes()))
    monkeypatch.setattr(torch, "load", lambda *_, **__: pytest.fail("it was unpickled"))
    with pytest.raises(Damaged):
        kept.load_checkpoint(path)


def test_a_process_killed_while_it_writes_leaves_a_whole_checkpoint(
    tmp_path: Path, dice: random.Random
) -> None:
    """The real thing: a process that does nothing but write them, killed at random moments."""
    kept, told, kills, halves = Checkpoints(tmp_path, "last-x"), 0, times(5, 100), 0
    for _ in range(kills):
        told = written_until_killed(kept, told, dice.uniform(0.002, 0.1))
        newest = kept.newest()
        found = kept.load_checkpoint(newest)["taxon"] if newest else 0
        assert found in (told, told + 1) and len(kept.found()) <= 3
        halves += (tmp_path / "last-x.part").exists()
        told = found
    assert told >= kills
    print(
        f"J3: {kills} kills in {told} checkpoints, {halves} left half a file; the newest whole one was found"
    )


def written_until_killed(kept: Checkpoints, last: int, seconds: float) -> int:
    """The last number that a process told as written, killed so long after its first one; it starts after `last`."""
    reading, writing = os.pipe()
    weights = torch.zeros(500_000)  # made here: torch's threads do not survive a fork
    child = os.fork()
    if not child:
        try:
            for number in range(last + 1, last + 10_000):
                kept.save_checkpoint({"taxon": number, "weights": weights}, "")
                os.write(writing, number.to_bytes(8, "big"))
        finally:
            os._exit(1)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        first = pipe.read(8)
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        said = first + pipe.read()
    return int.from_bytes(said[-8:], "big")
