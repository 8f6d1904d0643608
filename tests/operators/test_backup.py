"""Backups made while people work hold one consistent moment; what is damaged is not restored."""

import os
import tarfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection, connections, transaction
from pytest_django.fixtures import Settings

from config.backup import back_up, back_up_before_migrating
from datasets.models import Dataset, Image, Import, NotTaken
from tests.datasets.makers import make_dataset
from tests.factories import Team
from tests.operators.house import COUNTS, beside, live_in, manage
from tests.storage import bucket
from web import holding, storage

DONE = """
from datasets.models import Image, Import
print(Image.objects.count(), Import.objects.filter(state="ready").count())
"""
BACKUPS = 10 if os.environ.get("TAXON_FAULTS") == "long" else 2


@pytest.fixture(autouse=True)
def data_folder(tmp_path: Path, settings: Settings) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    settings.DATA_DIR.mkdir()
    return Path(settings.DATA_DIR)


@contextmanager
def people_at_work(dataset: Dataset) -> Iterator[Callable[[], int]]:
    """Two writers: each act is an upload, an import with its pictures, and the upload's end. Gives the count."""
    stop, done, faults = threading.Event(), [0, 0], []

    def act(who: int) -> None:
        marks = [f"{who} {done[who]} {n}".encode() for n in range(3)]
        upload = storage.put_bytes("uploads", b"upload" + marks[0])
        with transaction.atomic():
            source = [{"key": upload, "name": "a.zip", "archive": True}]
            begun = Import.objects.create(dataset=dataset, state="receiving", sources=source)
        keys = [storage.put_bytes("images", mark) for mark in marks]
        same = {"format": "PNG", "bytes": 1, "width": 9, "height": 9, "dataset": dataset, "source": begun}
        with transaction.atomic():
            for mark, key in zip(marks, keys, strict=True):
                sha256 = storage.promised_hash(key)
                Image.objects.create(name=mark.decode(), sha256=sha256, key=key, thumbnail_key=key, **same)
            Import.objects.filter(pk=begun.pk).update(state="ready", total=3, imported=3)
        default_storage.delete(upload)
        done[who] += 1

    def work(who: int) -> None:
        try:
            while not stop.is_set():
                act(who)
        except Exception as error:  # noqa: BLE001  (told at the end)
            faults.append(error)
        finally:
            connections.close_all()

    writers = [threading.Thread(target=work, args=(who,)) for who in range(2)]
    for writer in writers:
        writer.start()
    try:
        yield lambda: sum(done)
    finally:
        stop.set()
        for writer in writers:
            writer.join()
    assert not faults, faults


@pytest.mark.django_db(transaction=True)
def test_backups_under_load_restore_to_a_consistent_moment(team: Team, tmp_path: Path) -> None:
    dataset = make_dataset(team)
    seen: list[tuple[Path, int, int]] = []
    with people_at_work(dataset) as acts:
        for number in range(BACKUPS):
            before = acts()
            while acts() < before + 4:
                pass
            target = tmp_path / f"{number}.tar"
            before = acts()
            back_up(target)
            seen.append((target, before, acts()))
    assert not list(holding.forgotten()) and not holding.held()
    for target, before, after in seen:
        environment = beside(tmp_path / target.stem)
        restored = manage(environment, "restore", str(target))
        assert restored.returncode == 0, restored.stdout + restored.stderr
        assert "everything is in order" in restored.stdout
        images, imports = map(int, manage(environment, "shell", "-v0", "-c", DONE).stdout.split())
        assert images == 3 * imports, "half of an act was restored"
        assert before <= imports <= after + 2


def test_a_whole_house_comes_back_and_damaged_backups_do_not(
    team: Team, work: Callable[[], None], tmp_path: Path
) -> None:
    live_in(team, work)
    target = tmp_path / "house.tar"
    back_up(target)
    assert target.stat().st_mode & 0o077 == 0, "nobody else may read it"
    assert not (tmp_path / "house.tar.part").exists()
    environment = beside(tmp_path / "new")

    short = tmp_path / "short.tar"
    short.write_bytes(target.read_bytes()[: target.stat().st_size // 2])
    changed = tmp_path / "changed.tar"
    whole = bytearray(target.read_bytes())
    with tarfile.open(target) as tar:
        picture = next(each for each in tar.getmembers() if each.name.startswith("files/images"))
    whole[picture.offset_data] ^= 1
    changed.write_bytes(whole)
    for bad in (short, changed):
        refused = manage(environment, "restore", str(bad))
        assert refused.returncode == 1 and "damaged or not a whole backup" in refused.stderr, refused.stderr
        assert not list((tmp_path / "new").glob("files/images/*/*")), "files of a refused backup stay nowhere"
        assert not list((tmp_path / "new").glob("*.restoring"))

    restored = manage(environment, "restore", str(target))
    assert restored.returncode == 0, restored.stderr
    here = [model.objects.count() for model in (Image, Import, NotTaken)]
    told = manage(environment, "shell", "-v0", "-c", COUNTS).stdout
    assert told.strip().startswith(f"[{here[0]}, {here[1]}, {here[2]}, 1, 1, "), told
    again = manage(environment, "restore", str(target))
    assert again.returncode == 1 and "There is data here already" in again.stderr


@pytest.mark.django_db(transaction=True)
def test_deletions_wait_for_the_end_of_a_backup(team: Team) -> None:
    from config.backup import forget_what_waited

    key, other = storage.put_bytes("uploads", b"one"), storage.put_bytes("uploads", b"two")
    with holding.hold():
        default_storage.delete(key)
        default_storage.delete(other)
        assert storage.read(key) == b"one"
        Import.objects.create(
            dataset=make_dataset(team), sources=[{"key": other, "name": "b", "archive": False}]
        )
    assert forget_what_waited() == 2
    assert storage.size_of(key) is None
    assert storage.read(other) == b"two", "a row names it again"


@pytest.mark.django_db(transaction=True)
def test_the_database_is_copied_before_a_migration_and_the_last_three_copies_stay(
    team: Team, data_folder: Path
) -> None:
    assert back_up_before_migrating() is None, "nothing is going to change"
    call_command("migrate", "web", "zero", verbosity=0)
    try:
        for _ in range(4):
            made = back_up_before_migrating()
            assert made is not None
            made.rename(made.with_name(f"before-migration-2000010{_}-000000.tar"))
        back_up_before_migrating()
        assert len(list((data_folder / "backups").glob("before-migration-*.tar"))) == 3
    finally:
        call_command("migrate", verbosity=0)
    with tarfile.open(next((data_folder / "backups").iterdir())) as tar:
        assert tar.getnames()[-1] == "manifest.json"


@pytest.mark.django_db(transaction=True)
def test_a_backup_that_finds_no_room_says_so_and_leaves_nothing(team: Team, tmp_path: Path) -> None:
    from config.backup import CannotBackUp
    from tests.storage.test_files import room_for

    storage.put_bytes("models", bytes(3_000_000))
    target = tmp_path / "full.tar"
    with room_for(2_500_000), pytest.raises(CannotBackUp, match="The backup was not made: File too large"):
        back_up(target)
    assert [each.name for each in tmp_path.iterdir() if "full" in each.name or "backup" in each.name] == []
    assert not holding.held()
    assert back_up(target).files == 1
    if connection.vendor == "sqlite":
        assert tarfile.is_tarfile(target)


@pytest.mark.django_db(transaction=True)
def test_a_backup_moves_files_from_a_bucket_to_a_folder_and_back(
    team: Team, tmp_path: Path, settings: Settings, s3: str
) -> None:
    settings.STORAGES = settings.STORAGES | {"default": bucket.entry(s3, "backup-from")}
    key = storage.put_bytes("images", b"a picture")
    same = {"format": "PNG", "bytes": 1, "width": 9, "height": 9, "key": key, "thumbnail_key": key}
    Image.objects.create(dataset=make_dataset(team), name="a", sha256=storage.promised_hash(key), **same)
    back_up(tmp_path / "bucket.tar")
    folder = beside(tmp_path / "folder")
    restored = manage(folder, "restore", str(tmp_path / "bucket.tar"))
    assert restored.returncode == 0, restored.stderr
    assert (tmp_path / "folder" / "files" / key).read_bytes() == b"a picture"
    assert manage(folder, "backup", str(tmp_path / "folder.tar")).returncode == 0
    address = {"TAXON_STORAGE": f"s3://{bucket.BUCKET}/backup-to", "AWS_ENDPOINT_URL": s3}
    again = manage(beside(tmp_path / "again", **address), "restore", str(tmp_path / "folder.tar"))
    assert again.returncode == 0 and "in order" in again.stdout, again.stderr
    settings.STORAGES = settings.STORAGES | {"default": bucket.entry(s3, "backup-to")}
    assert storage.read(key) == b"a picture"
