"""The zip of an export straight from the bucket, where the operator says that browsers reach it."""

import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.datasets.makers import Work
from tests.datasets.test_exports import export, fill
from tests.factories import Team
from tests.storage.bucket import BUCKET
from web import storage
from web.storage import storage_settings


def use_bucket(settings: Settings, endpoint: str, links: str) -> None:
    entry = storage_settings(f"s3://{BUCKET}/signed", Path("/nowhere"), endpoint, links)
    settings.STORAGES = settings.STORAGES | {"default": entry}


def fetch(url: str, **headers: str) -> tuple[int, bytes, dict[str, str]]:
    """As a browser does after a redirect: without anything that the site gave it."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return (
                answer.status,
                answer.read(),
                {name.lower(): value for name, value in answer.headers.items()},
            )
    except urllib.error.HTTPError as error:
        return error.code, b"", {}


def test_a_download_is_sent_to_the_bucket_with_a_link_that_soon_ends(
    s3: str, settings: Settings, team: Team, work: Work, api: Callable[..., Client]
) -> None:
    use_bucket(settings, s3, "on")
    made, engineer = export(team, work, fill(team, work, ["猫"]), "csv"), api("engineer")
    path = f"/api/v1/datasets/{made.dataset_id}/exports/{made.pk}/file"
    answer = engineer.get(path)
    assert (answer.status_code, answer["Cache-Control"]) == (302, "no-store")
    assert parse_qs(urlsplit(answer["Location"]).query)["X-Amz-Expires"] == ["300"]
    status, whole, headers = fetch(answer["Location"])
    assert (status, len(whole)) == (200, made.bytes)
    assert zipfile.ZipFile(BytesIO(whole)).testzip() is None
    assert headers["content-type"] == "application/zip"
    assert f"export-{made.pk}.zip" in headers["content-disposition"]
    status, rest, _ = fetch(answer["Location"], Range="bytes=100-")
    assert (status, rest) == (206, whole[100:])


def test_head_and_what_was_begun_here_are_answered_here(
    s3: str, settings: Settings, team: Team, work: Work, api: Callable[..., Client]
) -> None:
    use_bucket(settings, s3, "on")
    made, engineer = export(team, work, fill(team, work, ["猫"]), "csv"), api("engineer")
    path = f"/api/v1/datasets/{made.dataset_id}/exports/{made.pk}/file"
    head = engineer.head(path)
    assert (head.status_code, head["Content-Length"]) == (200, str(made.bytes))
    rest = engineer.get(path, headers={"Range": "bytes=9-", "If-Range": head["ETag"]})
    assert rest.status_code == 206
    assert b"".join(rest.streaming_content) == storage.read(made.key)[9:]  # type: ignore[attr-defined]
    assert engineer.get(path, headers={"If-None-Match": head["ETag"]}).status_code == 304


def test_the_page_leads_there_too_and_to_the_address_that_browsers_know(
    s3: str, settings: Settings, team: Team, work: Work, page: Callable[[str], Client]
) -> None:
    use_bucket(settings, s3, "https://files.example.org/")
    made = export(team, work, fill(team, work, ["猫"]), "csv")
    url = f"/datasets/{made.dataset_id}/exports/{made.pk}/download/"
    assert (
        page("engineer")
        .get(url)["Location"]
        .startswith(f"https://files.example.org/{BUCKET}/signed/exports/")
    )
    assert page("viewer").get(url).status_code == 403


@pytest.mark.parametrize("links", ["off", "0", ""])
def test_unless_the_operator_says_so_the_web_process_hands_it_out(
    s3: str, settings: Settings, team: Team, work: Work, api: Callable[..., Client], links: str
) -> None:
    use_bucket(settings, s3, links)
    made = export(team, work, fill(team, work, ["猫"]), "csv")
    answer = api("engineer").get(f"/api/v1/datasets/{made.dataset_id}/exports/{made.pk}/file")
    assert (answer.status_code, answer.streaming) == (200, True)
    answer.getvalue()


@pytest.mark.disk
def test_a_folder_knows_no_links() -> None:
    assert storage.link_to("exports/a.zip", seconds=1, headers={}) is None


@pytest.mark.parametrize("wrong", ["maybe", "s3://x", "https://"])
def test_an_address_that_is_none_is_refused_at_the_start(wrong: str) -> None:
    with pytest.raises(ValueError, match="TAXON_S3_LINKS"):
        storage_settings("s3://bucket", Path("/nowhere"), "", wrong)
