"""A disk that is really full (a small tmpfs), at one moment or another of an import, a training, a backup (U14)."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from config.backup import CannotBackUp, back_up
from config.verify import findings
from jobs.models import State
from tests.datasets.makers import begin, make_dataset, taken, zip_of
from tests.factories import Team
from tests.faults.plant import LONG
from tests.storage.test_imports import noise
from tests.training.makers import asked, model_of, tagged
from training.models import VersionState
from web import storage
from web.storage import storage_settings

pytestmark = pytest.mark.disk
Work = Callable[[], None]
MB = 1024**2
SAYS = "The disk is full, so this was not kept. Make room, then try again."


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 24 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no tmpfs can be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def leave(disk: Path, room: int) -> None:
    """Fill it but for so many bytes."""
    (disk / "filler").unlink(missing_ok=True)
    with (disk / "filler").open("wb") as filler:
        filler.write(bytes(max(0, shutil.disk_usage(disk).free - room)))


def empty(disk: Path) -> None:
    """There is room again."""
    (disk / "filler").unlink()


ROOMS = [4096, 300_000, 900_000, 1_500_000, 2_000_000] if LONG else [4096, 900_000]


@pytest.mark.parametrize("room", ROOMS)
def test_an_import_says_so_leaves_nothing_half_made_and_works_once_there_is_room(
    team: Team, work: Work, disk: Path, settings: Settings, room: int
) -> None:
    settings.STORAGES = settings.STORAGES | {"default": storage_settings("file", disk, "")}
    pictures = {f"cat/{number}.png": noise(400) for number in range(5)}  # half a megabyte each
    dataset = make_dataset(team)
    begun = begin(team, dataset, ("a.zip", zip_of(pictures)))
    leave(disk, room)
    work()
    begun.refresh_from_db()
    assert (begun.state, str(begun.sentence)) == ("failed", SAYS)
    assert storage.leftovers(older_than=0) == []
    empty(disk)
    again = begin(team, dataset, ("a.zip", zip_of(pictures)))
    work()
    again.refresh_from_db()
    assert again.state == "ready" and len(taken(dataset)) == 5
    wrong = {each.code for each in findings(grace=0)}
    assert wrong <= {"file-without-row"}, wrong  # a picture stored before its row could be written


# 12 pictures as numbers take about 2.4 MB, a checkpoint 17 MB.
@pytest.mark.parametrize("room", [100_000, 4 * MB, 12 * MB] if LONG else [100_000])
def test_a_training_says_so_and_works_once_there_is_room(
    team: Team, work: Work, disk: Path, settings: Settings, room: int
) -> None:
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = None, False
    settings.DATA_DIR = disk
    dataset = tagged(team.project, {"red": 12, "blue": 12})
    leave(disk, room)
    model, person = model_of(team.project), team.people["engineer"]
    (version,) = asked(model, person, dataset, options={"max_epochs": 2})
    work()
    version.refresh_from_db()
    assert (version.state, str(version.sentence)) == (VersionState.FAILED, SAYS)
    assert version.job and version.job.state == State.FAILED and not list((disk / "work").glob("training-*"))
    empty(disk)
    if LONG:
        subprocess.run(["mount", "-o", "remount,size=200m", str(disk)], check=True)
        (second,) = asked(model, person, dataset, options={"max_epochs": 2})
        work()
        second.refresh_from_db()
        assert (second.state, second.usable) == (VersionState.SUCCEEDED, True)
    assert not list(findings(grace=0))


@pytest.mark.parametrize("room", [0, 4096, 50_000, 200_000, 700_000] if LONG else [4096, 200_000])
def test_a_backup_says_so_leaves_no_half_and_works_once_there_is_room(
    team: Team, transactional_db: None, disk: Path, room: int
) -> None:
    tagged(team.project, {"red": 12})
    storage.put_bytes("images", noise(500))
    leave(disk, room)
    with pytest.raises(CannotBackUp, match="No space left on device"):
        back_up(disk / "all.tar")
    assert [each.name for each in disk.iterdir()] == ["filler"]
    empty(disk)
    assert back_up(disk / "all.tar").files > 12
