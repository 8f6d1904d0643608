"""An import whose storage is full, or goes away meanwhile: it says so or goes on, and leaves nothing half-made."""

import os
from collections.abc import Callable

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from PIL import Image as PillowImage

from config.verify import findings
from datasets.models import Import
from jobs.ends import try_again
from jobs.models import Job
from tests.datasets.makers import begin, make_dataset, taken, zip_of
from tests.factories import Team, picture
from tests.storage.bucket import REFUSALS, BadNetwork
from tests.storage.test_files import room_for
from tests.storage.test_trouble import network as network  # noqa: PLC0414  (a fixture)
from web import storage


def noise(side: int) -> bytes:
    """A picture that no format makes small."""
    import io

    out = io.BytesIO()
    PillowImage.frombytes("RGB", (side, side), os.urandom(side * side * 3)).save(out, "PNG")
    return out.getvalue()


def shrink_the_database() -> None:
    """What earlier tests left in SQLite's file must not be what meets the limit."""
    if connection.vendor == "sqlite":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM")
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def test_an_import_that_finds_the_disk_full_says_so_and_works_once_there_is_room(
    team: Team, work: Callable[[], None]
) -> None:
    dataset = make_dataset(team)
    large = noise(1750)
    begun = begin(team, dataset, ("a.zip", zip_of({"cat/a.png": picture("red"), "cat/b.png": large})))
    shrink_the_database()
    with room_for(2_000_000):  # the large picture is stored with 2.7 MB
        work()
    begun.refresh_from_db()
    assert (begun.state, str(begun.sentence)) == ("failed", str(storage.StorageFull()))
    assert taken(dataset) == {}
    assert storage.leftovers(older_than=0) == []
    again = begin(team, dataset, ("a.zip", zip_of({"cat/a.png": picture("red"), "cat/b.png": large})))
    work()
    again.refresh_from_db()
    assert (again.state, again.imported) == ("ready", 2)
    assert not list(findings(grace=0))


def test_an_upload_that_finds_the_disk_full_is_answered_507_and_nothing_begins(
    team: Team, api: Callable[..., object]
) -> None:
    from django.core.files.uploadedfile import SimpleUploadedFile

    dataset = make_dataset(team)
    archive = SimpleUploadedFile("a.zip", zip_of({"cat/b.png": noise(800)}))
    with room_for(1_000_000):
        answer = api("labeller").post(f"/api/v1/datasets/{dataset.pk}/imports", {"archive": archive})  # type: ignore[attr-defined]
    assert (answer.status_code, answer.json()["code"]) == (507, "storage-full")
    assert not Import.objects.exists() and storage.leftovers(older_than=0) == []


def test_an_import_goes_on_when_the_bucket_is_back(
    team: Team, work: Callable[[], None], network: BadNetwork
) -> None:
    dataset = make_dataset(team)
    begun = begin(
        team, dataset, ("a.zip", zip_of({"cat/a.png": picture("red"), "dog/b.png": picture("blue")}))
    )
    network.be("error", times=4)  # the first attempt's three tries, and one of the second's
    work()
    begun.refresh_from_db()
    assert (begun.state, begun.imported) == ("ready", 2)
    job = Job.objects.get(pk=begun.job_id)
    assert len(job.failures) == 1 and "StorageUnavailable" in job.failures[0]["reason"]
    assert not list(findings(grace=0))
    assert not [key for key, _ in default_storage.contents() if key.startswith("uploads/")]


@pytest.mark.parametrize("mood", ["denied", "skewed"])
def test_a_bucket_that_takes_our_word_no_more_parks_the_import_which_goes_on_once_that_is_mended(
    team: Team, work: Callable[[], None], network: BadNetwork, mood: str
) -> None:
    """A key that is revoked, a clock that is wrong."""
    dataset = make_dataset(team)
    begun = begin(team, dataset, ("a.zip", zip_of({"cat/a.png": picture("red")})))
    network.be(mood)
    work()
    begun.refresh_from_db()
    job = Job.objects.get(pk=begun.job_id)
    assert (job.state, begun.state) == ("parked", "failed")
    assert REFUSALS[mood] in job.failures[-1]["reason"] and "storage stayed away" in str(begun.sentence)
    network.be("well")
    assert {wrong.code for wrong in findings(grace=0)} <= {"file-without-row"}
    assert try_again(job)
    work()
    begun.refresh_from_db()
    assert (begun.state, begun.imported) == ("ready", 1)
    assert not list(findings(grace=0))
