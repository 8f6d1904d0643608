"""Checkpoints in the storage: sent while the engine works, fetched by another host, gone with the training's end."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from config.sweeping import sweep
from config.verify import findings
from jobs.models import Job, State
from tests.factories import Team
from tests.storage import bucket
from tests.storage.bucket import BadNetwork
from tests.storage.test_trouble import network as network  # noqa: PLC0414  (a fixture)
from tests.training.makers import asked, model_of, tagged
from training import checkpoints
from training.checkpoints import Courier, fetch, folder_of, forget, stored
from training.models import ModelVersion, VersionState
from web import storage

VERSION = 7


@pytest.fixture(params=["file", "s3"])
def either(request: pytest.FixtureRequest, settings: Settings) -> str:
    """Both storages."""
    if request.param == "s3":
        files = bucket.entry(request.getfixturevalue("s3"), f"checkpoints-{time.monotonic_ns()}")
        settings.STORAGES = settings.STORAGES | {"default": files}
    return str(request.param)


def written(folder: Path, number: int, fit: str = "last-a") -> str:
    """A checkpoint as the engine leaves it; its name."""
    folder.mkdir(parents=True, exist_ok=True)
    content = f"{fit} {number} ".encode() * 5000
    name = f"{fit}-{number:06}-{hashlib.sha256(content).hexdigest()}.ckpt"
    (folder / name).write_bytes(content)
    return name


def numbers(fit: str = "last-a") -> list[int]:
    return [name.number for name in stored(VERSION) if name.fit == fit]


def eventually(true: Callable[[], object], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until and not true():
        time.sleep(0.02)
    return bool(true())


def courier(folder: Path) -> Courier:
    return Courier(VERSION, folder, lambda: False)


def spoil(name: str) -> None:
    """Half of it is all there is in the storage."""
    key = folder_of(VERSION) + name
    content = storage.read(key)
    default_storage.delete(key)
    default_storage.save(key, ContentFile(content[: len(content) // 2]))


@pytest.mark.usefixtures("either")
def test_each_is_sent_and_the_two_newest_stay(tmp_path: Path) -> None:
    with courier(tmp_path):
        for number in (1, 2, 3, 4):
            written(tmp_path, number)
            assert eventually(lambda number=number: number in numbers())
        assert eventually(lambda: numbers() == [4, 3])
        written(tmp_path, 1, fit="last-b")
        assert eventually(lambda: numbers("last-b") == [1]) and numbers() == [4, 3]


@pytest.mark.usefixtures("either")
def test_another_host_gets_them_and_sends_on_from_there(tmp_path: Path) -> None:
    with courier(tmp_path / "one"):
        written(tmp_path / "one", 1)
        assert eventually(lambda: numbers() == [1])
        newest = written(tmp_path / "one", 2)
        assert eventually(lambda: numbers() == [2, 1])
    other = tmp_path / "other"
    assert fetch(VERSION, other) == 2
    assert (other / newest).read_bytes() == (tmp_path / "one" / newest).read_bytes()
    assert fetch(VERSION, other) == 0
    with courier(other):
        written(other, 3)
        assert eventually(lambda: numbers() == [3, 2])


@pytest.mark.usefixtures("either")
def test_a_torn_one_means_the_one_before_it_and_is_never_placed(tmp_path: Path) -> None:
    with courier(tmp_path / "one"):
        older = written(tmp_path / "one", 1)
        assert eventually(lambda: numbers() == [1])
        newest = written(tmp_path / "one", 2)
        assert eventually(lambda: numbers() == [2, 1])
    spoil(newest)
    assert fetch(VERSION, tmp_path / "other") == 1
    assert [each.name for each in (tmp_path / "other").iterdir()] == [older]


@pytest.mark.usefixtures("either")
def test_what_lies_here_and_is_newer_stays_and_what_is_torn_here_is_fetched(tmp_path: Path) -> None:
    with courier(tmp_path / "one"):
        written(tmp_path / "one", 5)
        assert eventually(lambda: numbers() == [5])
    newer = written(tmp_path / "newer", 6)
    assert fetch(VERSION, tmp_path / "newer") == 0
    assert [each.name for each in (tmp_path / "newer").iterdir()] == [newer]
    torn = written(tmp_path / "torn", 5)
    (tmp_path / "torn" / torn).write_bytes(b"half")
    assert fetch(VERSION, tmp_path / "torn") == 1
    assert checkpoints.here(tmp_path / "torn")[0].text == torn


def test_a_storage_that_is_away_neither_stops_nor_slows_and_gets_the_newest_once_it_is_back(
    network: BadNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "REST", 0.2)
    network.be("refused")
    began = time.monotonic()
    with courier(tmp_path):
        for number in (1, 2, 3):
            written(tmp_path, number)
        assert time.monotonic() - began < 1
        assert eventually(lambda: network.connections >= 3)
        network.be("well")
        assert eventually(lambda: numbers()[:1] == [3], 20)
    assert time.monotonic() - began < 25


def test_with_a_storage_away_a_host_that_has_some_goes_on_and_one_that_has_none_waits(
    network: BadNetwork, tmp_path: Path
) -> None:
    network.be("refused")
    written(tmp_path / "some", 1)
    assert fetch(VERSION, tmp_path / "some") == 0
    with pytest.raises(storage.StorageUnavailable):
        fetch(VERSION, tmp_path / "none")


@pytest.fixture
def waiting(team: Team) -> Iterator[ModelVersion]:
    """A training that has begun, with a checkpoint in the storage."""
    dataset = tagged(team.project, {"red": 12, "blue": 12})
    (version,) = asked(model_of(team.project), team.people["engineer"], dataset)
    default_storage.save(f"{folder_of(version.pk)}last-a-000001-{'0' * 64}.ckpt", ContentFile(b"x"))
    Job.objects.update(attempt=1)
    version.refresh_from_db()
    yield version


@pytest.mark.usefixtures("transactional_db")
def test_the_oracle_and_a_start_leave_them_alone_while_the_training_runs(waiting: ModelVersion) -> None:
    sweep()
    assert len(stored(waiting.pk)) == 1
    assert not [wrong for wrong in findings(grace=0) if wrong.code == "file-without-row"]


@pytest.mark.disk
@pytest.mark.usefixtures("transactional_db")
@pytest.mark.parametrize("gone", [True, False])
def test_those_of_an_ended_or_deleted_version_are_told_and_swept_after_a_day(
    waiting: ModelVersion, tmp_path: Path, settings: Settings, gone: bool
) -> None:
    settings.DATA_DIR = tmp_path / "data"
    left = settings.DATA_DIR / "work" / f"training-{waiting.pk}"
    left.mkdir(parents=True)
    if gone:
        ModelVersion.objects.all().delete()
    else:
        ModelVersion.objects.update(state=VersionState.SUCCEEDED)
    assert {wrong.code for wrong in findings(grace=0)} >= {"file-without-row", "leftover"}
    sweep()
    assert stored(waiting.pk) and not left.exists()
    (path,) = Path(str(default_storage.path(folder_of(waiting.pk)))).iterdir()
    os.utime(path, (time.time() - 90_000,) * 2)
    sweep()
    assert not stored(waiting.pk)


@pytest.mark.usefixtures("transactional_db")
def test_a_cancelled_training_lets_go_of_them_and_a_parked_one_does_not(
    waiting: ModelVersion, team: Team
) -> None:
    from jobs import ends
    from training import versions

    job = Job.objects.get(pk=waiting.job_id or 0)
    Job.objects.update(
        state=State.RUNNING, holder="h", failures=[{"like": "storage", "done": 0, "total": 0}] * 5
    )
    error = storage.StorageUnavailable("x")
    assert ends.fail(job.pk, 1, ends.Failure.of_error(error))
    waiting.refresh_from_db()
    assert (waiting.state, len(stored(waiting.pk))) == (VersionState.FAILED, 1)
    assert "Nothing is lost" in str(waiting.sentence)
    assert ends.try_again(job)
    waiting.refresh_from_db()
    assert (waiting.state, waiting.finished_at) == (VersionState.QUEUED, None)
    versions.cancel(waiting, team.people["engineer"])
    assert not stored(waiting.pk)


def test_forgetting_what_never_was_is_no_error(either: str) -> None:
    forget(VERSION)
    assert stored(VERSION) == [] and either
