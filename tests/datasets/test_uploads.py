"""Uploads in pieces: the protocol to the letter, and a client of its makers."""

import base64
import fcntl
import hashlib
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings
from pytest_django.live_server_helper import LiveServer
from tusclient.client import TusClient
from tusclient.exceptions import TusUploadFailed

from datasets import uploads
from datasets.models import Import, Upload
from jobs.periodic import queue_due
from projects.tokens import make_token
from tests.datasets.makers import Work, colours, make_dataset, taken, zip_of
from tests.factories import Team
from tests.storage import bucket

PIECE = "application/offset+octet-stream"
TUS = {"Tus-Resumable": "1.0.0"}
Api = Callable[..., Client]


@pytest.fixture(autouse=True)
def own_folder(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data" / "uploads"


def announce(client: Client, length: object, **headers: str) -> str:
    answer = client.post("/api/v1/uploads", headers=TUS | {"Upload-Length": str(length)} | headers)
    assert answer.status_code == 201, answer.content
    return str(answer["Location"])


def send(client: Client, url: str, offset: int, content: bytes, **headers: str) -> tuple[int, str | None]:
    """The status, and where the upload stands."""
    answer = client.patch(url, content, PIECE, headers=TUS | {"Upload-Offset": str(offset)} | headers)
    return answer.status_code, answer.headers.get("Upload-Offset")


def stands(client: Client, url: str) -> int:
    return int(client.head(url, headers=TUS)["Upload-Offset"])


def pets() -> bytes:
    red, green = colours(2)
    return zip_of({"cat/1.png": red, "dog/2.png": green})


def metadata(**pairs: str) -> str:
    return ",".join(f"{key} {base64.b64encode(value.encode()).decode()}" for key, value in pairs.items())


def test_the_server_says_what_it_can_do(client: Client, db: None) -> None:
    answer = client.options("/api/v1/uploads")
    assert answer.status_code == 204
    assert answer["Tus-Version"] == "1.0.0"
    assert answer["Tus-Max-Size"] == str(5 * 1024**3)
    assert set(answer["Tus-Extension"].split(",")) > {"creation", "termination", "checksum", "expiration"}


def test_a_zip_in_pieces_becomes_pictures(api: Api, team: Team, work: Work) -> None:
    client, dataset, content = api("labeller"), make_dataset(team), pets()
    url = announce(client, len(content), **{"Upload-Metadata": metadata(filename="宠物.zip")})
    half = len(content) // 2
    assert send(client, url, 0, content[:half]) == (204, str(half))
    assert stands(client, url) == half
    assert send(client, url, half, content[half:]) == (204, str(len(content)))
    body = {"upload": url.rsplit("/", 1)[-1]}
    path = f"/api/v1/datasets/{dataset.pk}/imports"
    answer = client.post(path, body, content_type="application/json")
    assert answer.status_code == 202
    again = client.post(path, body, content_type="application/json")
    assert again.json()["id"] == answer.json()["id"]  # whoever lost the answer may ask again
    work()
    found = Import.objects.get(pk=answer.json()["id"])
    assert (found.state, found.sources[0]["name"]) == ("ready", "宠物.zip")
    assert taken(dataset) == {"1.png": "cat", "2.png": "dog"}
    assert not default_storage.exists(found.sources[0]["key"])


def test_a_piece_may_come_with_the_announcement(api: Api) -> None:
    client = api("labeller")
    answer = client.post("/api/v1/uploads", b"abc", PIECE, headers=TUS | {"Upload-Length": "5"})
    assert (answer.status_code, answer["Upload-Offset"]) == (201, "3")
    assert send(client, answer["Location"], 3, b"de") == (204, "5")


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_a_damaged_piece_is_refused_and_may_be_sent_again(api: Api, algorithm: str) -> None:
    client = api("labeller")
    url = announce(client, 6)
    send(client, url, 0, b"abc")
    right = base64.b64encode(hashlib.new(algorithm, b"def").digest()).decode()
    assert send(client, url, 3, b"dXf", **{"Upload-Checksum": f"{algorithm} {right}"})[0] == 460
    assert stands(client, url) == 3
    assert send(client, url, 3, b"def", **{"Upload-Checksum": f"{algorithm} {right}"}) == (204, "6")


def test_each_mistake_has_its_status_and_changes_nothing(api: Api) -> None:
    client = api("labeller")
    url = announce(client, 6)
    send(client, url, 0, b"abc")
    assert send(client, url, 2, b"x")[0] == 409
    assert send(client, url, 3, b"too much")[0] == 413
    assert send(client, url, 3, b"d", **{"Tus-Resumable": "0.2.2"})[0] == 412
    assert send(client, url, 3, b"d", **{"Upload-Checksum": "crc32 AAAA"})[0] == 400
    assert client.patch(url, b"d", "text/plain", headers=TUS | {"Upload-Offset": "3"}).status_code == 415
    assert client.patch(url, b"d", PIECE, headers=TUS).status_code == 400
    assert client.post("/api/v1/uploads", headers=TUS).status_code == 400
    assert client.post("/api/v1/uploads", headers=TUS | {"Upload-Length": "-1"}).status_code == 400
    assert stands(client, url) == 3


def test_more_than_the_limit_is_refused_before_it_is_sent(api: Api) -> None:
    answer = api("labeller").post("/api/v1/uploads", headers=TUS | {"Upload-Length": str(6 * 1024**3)})
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-bytes")
    assert not Upload.objects.exists()


def test_two_writers_at_once_are_one_too_many(api: Api, own_folder: Path) -> None:
    client = api("labeller")
    url = announce(client, 3)
    [path] = own_folder.iterdir()
    with path.open("r+b") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        assert send(client, url, 0, b"abc")[0] == 423
    assert send(client, url, 0, b"abc") == (204, "3")


def test_what_was_not_safe_on_the_disk_is_sent_again(api: Api, own_folder: Path) -> None:
    client = api("labeller")
    url = announce(client, 6)
    send(client, url, 0, b"abc")
    [path] = own_folder.iterdir()
    path.write_bytes(b"abcXX")  # a kill between the bytes and the row
    assert stands(client, url) == 3
    assert send(client, url, 3, b"def") == (204, "6")
    assert path.read_bytes() == b"abcdef"


def test_a_line_that_drops_leaves_what_it_brought(team: Team, own_folder: Path) -> None:
    class Dropping:
        calls = 0

        def read(self, size: int, /) -> bytes:
            self.calls += 1
            if self.calls > 2:
                raise OSError("gone")
            return b"abc"

    upload = uploads.create_upload(
        project=team.project, user=team.people["labeller"], length=100, metadata="", name="a.zip"
    )
    assert uploads.receive(upload, Dropping(), offset=0, count=100) == 6
    assert uploads.offset_of(Upload.objects.get(pk=upload.pk)) == 6


def test_an_upload_can_be_given_up(api: Api, own_folder: Path) -> None:
    client = api("labeller")
    url = announce(client, 3)
    assert client.delete(url, headers=TUS).status_code == 204
    assert client.head(url, headers=TUS).status_code == 404
    assert list(own_folder.iterdir()) == []


def test_a_line_without_patch_can_ask_for_it(api: Api) -> None:
    client = api("labeller")
    url = announce(client, 3)
    headers = TUS | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert client.post(url, b"abc", PIECE, headers=headers).status_code == 204
    assert client.post(url, b"abc", PIECE, headers=TUS).status_code == 405


def test_what_nobody_sends_on_is_forgotten(api: Api, own_folder: Path) -> None:
    client = api("labeller")
    url = announce(client, 3)
    assert client.head(url, headers=TUS)["Upload-Expires"].endswith("GMT")
    Upload.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    announce(client, 4)
    assert client.head(url, headers=TUS).status_code == 404
    assert len(list(own_folder.iterdir())) == 1


def test_an_abandoned_upload_goes_within_the_hour_with_nobody_looking(
    api: Api, own_folder: Path, work: Work
) -> None:
    client = api("labeller")
    url, going_on = announce(client, 4), announce(client, 4)
    for each in (url, going_on):
        send(client, each, 0, b"ab")
    Upload.objects.filter(pk=url.rstrip("/").rsplit("/", 1)[-1]).update(
        expires_at=timezone.now() - timedelta(seconds=1)
    )
    queue_due()
    work()
    assert client.head(url, headers=TUS).status_code == 404
    assert stands(client, going_on) == 2
    assert len(list(own_folder.iterdir())) == 1


def test_an_upload_is_its_projects_alone(api: Api, team: Team) -> None:
    url, dataset = announce(api("labeller"), 0), make_dataset(team)
    assert api("stranger").head(url, headers=TUS).status_code == 404
    assert api("viewer").head(url, headers=TUS).status_code == 403
    theirs = announce(api("stranger"), 0).rsplit("/", 1)[-1]
    path = f"/api/v1/datasets/{dataset.pk}/imports"
    answer = api("labeller").post(path, {"upload": theirs}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-upload")
    named = TUS | {"Upload-Length": "1", "Upload-Metadata": metadata(project=str(team.other.pk))}
    assert api("labeller").post("/api/v1/uploads", headers=named).status_code == 404


def test_half_an_upload_is_not_imported(api: Api, team: Team) -> None:
    client, dataset = api("labeller"), make_dataset(team)
    upload = announce(client, 3).rsplit("/", 1)[-1]
    path = f"/api/v1/datasets/{dataset.pk}/imports"
    answer = client.post(path, {"upload": upload}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "upload-incomplete")
    wrongs: list[object] = [{"upload": "x"}, {}, [], {"upload": upload, "label": 3}]
    for wrong in wrongs:
        assert client.post(path, wrong, content_type="application/json").status_code == 422
    assert client.post(path, "{", content_type="application/json").status_code == 422


def test_with_object_storage_the_whole_travels_on_once_it_is_imported(
    api: Api, team: Team, work: Work, settings: Settings, own_folder: Path, s3: str
) -> None:
    settings.STORAGES = settings.STORAGES | {"default": bucket.entry(s3, "uploads-in-pieces")}
    client, dataset, content = api("labeller"), make_dataset(team), pets()
    url = announce(client, len(content))
    send(client, url, 0, content)
    assert len(list(own_folder.iterdir())) == 1
    path, body = f"/api/v1/datasets/{dataset.pk}/imports", {"upload": url.rsplit("/", 1)[-1]}
    assert client.post(path, body, content_type="application/json").status_code == 202
    assert list(own_folder.iterdir()) == []
    work()
    assert taken(dataset) == {"1.png": "cat", "2.png": "dog"}


def test_an_upload_goes_into_one_data_set_alone(api: Api, team: Team) -> None:
    client, content = api("labeller"), pets()
    url = announce(client, len(content))
    send(client, url, 0, content)
    body = {"upload": url.rsplit("/", 1)[-1]}
    statuses = [
        client.post(
            f"/api/v1/datasets/{dataset.pk}/imports", body, content_type="application/json"
        ).status_code
        for dataset in (make_dataset(team), make_dataset(team, "Others"))
    ]
    assert statuses == [202, 409]


@pytest.mark.django_db(transaction=True)
def test_tuspy_sends_goes_on_and_checks(live_server: LiveServer, team: Team, work: Work) -> None:
    _, secret = make_token(project=team.project, user=team.people["labeller"], name="tus")
    dataset, content = make_dataset(team), pets()
    file = io.BytesIO(content)
    client = TusClient(f"{live_server.url}/api/v1/uploads", headers={"Authorization": f"Bearer {secret}"})
    named = {"filename": "pets.zip"}
    first = client.uploader(file_stream=file, chunk_size=100, metadata=named, upload_checksum=True)
    first.upload(stop_at=200)
    second = client.uploader(file_stream=file, chunk_size=10_000, url=first.url, upload_checksum=True)
    assert second.offset == 200  # asked of the server, as after a restart
    second.upload()
    assert second.offset == len(content)
    first.offset = 100
    with pytest.raises(TusUploadFailed):
        first.upload_chunk()  # type: ignore[no-untyped-call]
    body = {"upload": str(first.url).rsplit("/", 1)[-1]}
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    answer = program.post(f"/api/v1/datasets/{dataset.pk}/imports", body, content_type="application/json")
    assert answer.status_code == 202
    work()
    assert taken(dataset) == {"1.png": "cat", "2.png": "dog"}
