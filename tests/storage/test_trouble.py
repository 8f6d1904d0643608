"""An S3 that is slow, refuses, lies or goes away half-way: said plainly, tried again, nothing orphaned."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from pytest_django.fixtures import Settings

from tests.storage import bucket
from tests.storage.bucket import BadNetwork
from web import objects, storage


@pytest.fixture
def network(s3: str, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[BadNetwork]:
    """The storage is a bucket behind a network that can be made bad; patience is short."""
    monkeypatch.setattr(objects, "CONNECT_SECONDS", 0.5)
    monkeypatch.setattr(objects, "READ_SECONDS", 0.5)
    monkeypatch.setattr(objects, "PART", 5 * 1024**2)
    with bucket.bad_network(s3) as (address, network):
        files = bucket.entry(address, f"trouble-{time.monotonic_ns()}")
        settings.STORAGES = settings.STORAGES | {"default": files}
        yield network


@pytest.mark.parametrize("mood", ["refused", "silent", "error", "denied", "skewed"])
def test_whatever_is_wrong_is_one_error_within_bounded_time(network: BadNetwork, mood: str) -> None:
    key = storage.put_bytes("images", b"kept")
    network.be(mood)
    began = time.monotonic()
    for act in (
        lambda: storage.read(key),
        lambda: storage.put_bytes("images", b"new"),
        lambda: default_storage.exists(key),
    ):
        with pytest.raises(storage.StorageUnavailable):
            act()
    assert time.monotonic() - began < 60
    network.be("well")
    assert storage.read(key) == b"kept"
    assert storage.put_bytes("images", b"new")


def test_a_read_that_breaks_off_goes_on_where_it_stopped(network: BadNetwork) -> None:
    data = os.urandom(4_000_000)
    key = storage.put_bytes("models", data)
    network.be("cut", after=1_500_000, times=2)
    assert storage.read(key) == data
    assert network.times == 0


def test_a_read_that_breaks_off_every_time_is_unavailable_and_not_half_a_file(network: BadNetwork) -> None:
    key = storage.put_bytes("models", os.urandom(4_000_000))
    network.be("cut", after=500_000)
    with pytest.raises(storage.StorageUnavailable), storage.local_copy(key):
        pass


def test_an_object_that_somebody_changed_is_not_taken_for_ours(network: BadNetwork) -> None:
    key = storage.put_bytes("models", b"the true one")
    default_storage.delete(key)
    default_storage.save(key, ContentFile(b"another one!"))
    with pytest.raises(storage.StorageUnavailable, match="not what was stored"):
        storage.read(key)


def test_an_upload_that_loses_the_network_leaves_no_object_and_its_parts_can_be_swept(
    network: BadNetwork, tmp_path: Path
) -> None:
    large = tmp_path / "large"
    large.write_bytes(os.urandom(12 * 1024**2))
    network.be("cut-request", after=3_000_000)
    with pytest.raises(storage.StorageUnavailable):
        storage.put_file("uploads", large)
    network.be("well")
    assert list(default_storage.contents()) == []
    assert storage.leftovers() == []  # somebody may still be writing them
    storage.sweep(older_than=0)
    assert storage.leftovers(older_than=0) == []
    key = storage.put_file("uploads", large)
    with storage.local_copy(key) as path:
        assert path.read_bytes() == large.read_bytes()


@pytest.mark.django_db
def test_a_page_whose_file_cannot_be_read_answers_503_and_when_to_come_back(
    network: BadNetwork, team: object
) -> None:
    from tests.datasets.makers import make_dataset
    from tests.training.makers import add_picture, drawn

    image = add_picture(make_dataset(team), drawn("red", 1), "red", "1.png")  # type: ignore[arg-type]
    client = Client()
    client.force_login(team.people["viewer"])  # type: ignore[attr-defined]
    network.be("refused")
    answer = client.get(f"/images/{image.pk}/thumbnail/")
    assert answer.status_code == 503 and answer["Retry-After"] == "5"
    assert b"Nothing was lost" in answer.content
    ready = client.get("/readyz")
    assert ready.status_code == 503 and ready.json()["broken"] == {"storage": "cannot be reached"}
    network.be("well")
    assert client.get(f"/images/{image.pk}/thumbnail/").status_code == 200
