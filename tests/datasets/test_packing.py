"""A zip that goes on where a killed process stopped, and what full disks and lost storages make of it."""

import errno
import io
import multiprocessing
import os
import signal
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.core.files.storage import default_storage

from datasets import exporting
from datasets.exporting import begin_export, work_folder
from datasets.exports.packing import Damaged, Parcel, check
from datasets.models import Export, ExportState
from jobs.models import Job
from tests.datasets.makers import Work, begin, colours, make_dataset, zip_of
from tests.factories import Team
from web import storage

WHEN = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
FILES = {f"图/{n}.jpg": os.urandom(20_000 + n) for n in range(60)}


def packed(folder: Path, count: int) -> Path:
    """The first so many files, what a killed attempt left there first."""
    with Parcel(folder, WHEN) as parcel:
        done = set(parcel.names)
        for name, content in list(FILES.items())[:count]:
            if name not in done:
                parcel.add(name, content)
                parcel.keep()
        return parcel.finish()


def packed_and_killed(folder: Path, after: int) -> None:
    """A process that dies by itself in the middle of a file."""
    with Parcel(folder, WHEN) as parcel:
        done = set(parcel.names)
        for at, (name, content) in enumerate(FILES.items()):
            if name in done:
                continue
            parcel.add(name, content)
            if at == after:
                parcel._stream.flush()
                os.kill(os.getpid(), signal.SIGKILL)
            parcel.keep()


@pytest.mark.parametrize("after", [0, 1, 30, 58])
def test_killed_at_any_file_it_comes_to_the_same_bytes(tmp_path: Path, after: int) -> None:
    whole = packed(tmp_path / "at once", 60).read_bytes()
    for kill in (after, after + 1):
        child = multiprocessing.get_context("fork").Process(
            target=packed_and_killed, args=(tmp_path / "killed", kill)
        )
        child.start()
        child.join()
        assert child.exitcode == -signal.SIGKILL
    again = packed(tmp_path / "killed", 60)
    assert again.read_bytes() == whole
    with zipfile.ZipFile(again) as read:
        assert {name: read.read(name) for name in read.namelist()} == FILES


@pytest.mark.parametrize("cut", [1, 17, 1000])
def test_a_journal_that_was_cut_short_counts_as_far_as_it_can_be_read(tmp_path: Path, cut: int) -> None:
    with Parcel(tmp_path / "a", WHEN) as parcel:
        for name, content in list(FILES.items())[:20]:
            parcel.add(name, content)
            parcel.keep()
    journal = tmp_path / "a" / "journal"
    journal.write_text(journal.read_text()[:-cut])
    assert packed(tmp_path / "a", 60).read_bytes() == packed(tmp_path / "b", 60).read_bytes()


def test_a_zip_whose_bytes_were_spoilt_behind_the_journals_back_is_not_handed_out(tmp_path: Path) -> None:
    with Parcel(tmp_path, WHEN) as parcel:
        parcel.add("a.jpg", FILES["图/0.jpg"])
        parcel.keep()
    with (tmp_path / "zip").open("r+b") as spoilt:
        spoilt.seek(5000)
        spoilt.write(b"\0" * 100)
    with pytest.raises(Damaged):
        packed(tmp_path, 3)
    with pytest.raises(Damaged):
        check(tmp_path / "zip")


def test_a_zip_shorter_than_its_journal_begins_anew(tmp_path: Path) -> None:
    with Parcel(tmp_path / "a", WHEN) as parcel:
        for name, content in list(FILES.items())[:20]:
            parcel.add(name, content)
        parcel.keep()
    os.truncate(tmp_path / "a" / "zip", 100)
    assert packed(tmp_path / "a", 60).read_bytes() == packed(tmp_path / "b", 60).read_bytes()


@pytest.fixture
def waiting(team: Team, work: Work) -> Export:
    """An export of 40 pictures that waits for its worker."""
    dataset = make_dataset(team)
    begin(team, dataset, ("a.zip", zip_of({f"cat/{n}.png": each for n, each in enumerate(colours(40))})))
    work()
    return begin_export(dataset=dataset, user=team.people["engineer"], format="csv")


def test_an_attempt_that_broke_off_is_gone_on_with(
    waiting: Export, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "KEEP_EVERY", 0.0)
    read, calls = storage.read, []

    def away_after_twenty(key: str) -> bytes:
        calls.append(key)
        if len(calls) == 20:
            raise storage.StorageUnavailable("the bucket does not answer")
        return read(key)

    monkeypatch.setattr(storage, "read", away_after_twenty)
    work()
    waiting.refresh_from_db()
    assert Job.objects.get(pk=waiting.job_id).attempt == 2
    assert (waiting.state, waiting.images) == ("ready", 40)
    assert len(calls) < 60  # the first sixteen were not read again
    with zipfile.ZipFile(io.BytesIO(read(waiting.key))) as found:
        assert found.testzip() is None and len(found.namelist()) == 42  # with both papers
    assert not work_folder(waiting.pk).exists()


def test_a_full_disk_is_said_in_a_sentence_and_leaves_nothing(
    waiting: Export, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Parcel, "keep", full)
    work()
    waiting.refresh_from_db()
    assert waiting.state == ExportState.FAILED
    assert "The disk is full" in str(waiting.sentence)
    assert not work_folder(waiting.pk).exists()


def test_a_disk_without_room_is_found_out_before_the_first_byte(
    waiting: Export, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting.shutil, "disk_usage", lambda _: type("Usage", (), {"free": 10})())
    work()
    waiting.refresh_from_db()
    assert "The disk is full" in str(waiting.sentence)


def test_what_a_person_cancels_or_removes_is_gone(waiting: Export, work: Work) -> None:
    exporting.remove_export(waiting)
    work()
    assert not Export.objects.exists()
    assert not default_storage.exists("exports")


def test_whoever_may_no_longer_export_gets_nothing(team: Team, waiting: Export, work: Work) -> None:
    team.project.memberships.filter(user=team.people["engineer"]).update(role=20)
    work()
    waiting.refresh_from_db()
    assert waiting.state == ExportState.FAILED and "may no longer export" in str(waiting.sentence)
