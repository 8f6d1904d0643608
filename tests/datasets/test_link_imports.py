"""A list of links becomes an import like any other: resumable, polite, every row accounted for."""

import json
import threading
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from datasets import ahead, importing
from datasets.links import offering
from datasets.links.lists import NoLinks, links_in
from datasets.models import Import, ImportState, NotTaken
from jobs.attempts import Attempt, Interrupted
from tests.datasets.link_server import Served, serving
from tests.datasets.makers import Work, make_dataset, outcomes, taken, upload
from tests.factories import Team


@pytest.fixture
def server(settings: Settings) -> Iterator[Served]:
    """A server that links may lead to."""
    with serving(12) as served:
        settings.LINK_NETWORKS, settings.LINK_PORTS = ["127.0.0.1/32"], [80, 443, served.port]
        yield served


def said(text: str, name: str = "list.csv") -> list[tuple[str, str | None, str]]:
    """What a list says, in short."""
    return [(each.path, each.label, each.problem or each.split) for each in links_in(name, text.encode())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://a.org/1.jpg\nhttps://a.org/2.jpg\n",
         [("https://a.org/1.jpg", "", ""), ("https://a.org/2.jpg", "", "")]),
        ("https://a.org/1.jpg,cat\r\n\r\n", [("https://a.org/1.jpg", "cat", "")]),
        ("url,label\nhttps://a.org/1.jpg,狗", [("https://a.org/1.jpg", "狗", "")]),
        ("label,url\ncat,https://a.org/1.jpg", [("https://a.org/1.jpg", "cat", "")]),
        ("url,label,split\nhttps://a.org/1.jpg,cat,val", [("https://a.org/1.jpg", "cat", "validation")]),
        ("TRAINING,https://a.org/1.jpg,cat\nTEST,https://a.org/2.jpg,dog",
         [("https://a.org/1.jpg", "cat", "train"), ("https://a.org/2.jpg", "dog", "test")]),
        ("https://a.org/1.jpg\tcat", [("https://a.org/1.jpg", "cat", "")]),
        ("https://a.org/1.jpg,cat\n,dog\n", [("https://a.org/1.jpg", "cat", ""), ("", "", "link-bad")]),
        ('"https://a.org/1,2.jpg",cat', [("https://a.org/1,2.jpg", "cat", "")]),
        ("gs://bucket/1.jpg,cat", [("gs://bucket/1.jpg", "cat", "")]),
    ],
)  # fmt: skip
def test_lists_of_links_are_read_as_people_write_them(
    text: str, expected: list[tuple[str, str | None, str]]
) -> None:
    assert said(text) == expected


def test_vertex_lines_of_links_are_read_too() -> None:
    line = json.dumps(
        {"imageGcsUri": "https://a.org/1.jpg", "classificationAnnotation": {"displayName": "cat"}}
    )
    assert said(line, "a.jsonl") == [("https://a.org/1.jpg", "cat", "")]


@pytest.mark.parametrize("text", ["", "a.jpg,cat", "path,label\na.jpg,cat", "\x00\x01", "[]", '{"a": 1}'])
def test_what_holds_no_link_is_no_list(text: str) -> None:
    with pytest.raises(NoLinks):
        links_in("x.csv", text.encode())


def test_links_come_in_with_their_labels_and_every_refusal_has_its_row(
    server: Served, team: Team, page: Callable[[str], Client], work: Work
) -> None:
    dataset = make_dataset(team)
    server.pages["/page"] = (200, {"Content-Type": "text/html"}, b"<p>")
    server.pages["/text"] = (200, {"Content-Type": "image/png"}, b"not a picture")
    server.pages["/twin.png"] = server.pages["/0.png"]
    rows = [
        server.url("/0.png") + ",cat", server.url("/1.png?size=large"), server.url("/gone.png"), server.url("/page"),
        server.url("/text"), "http://10.0.0.1/a.png", server.url("/0.png"), "ftp://a.org/1.jpg",
        server.url("/twin.png"),
    ]  # fmt: skip
    answer = page("labeller").post(
        f"/datasets/{dataset.pk}/import/links/", {"links": "\n".join(rows), "label": "dog"}
    )
    assert answer.status_code == 302
    work()
    found = Import.objects.get()
    assert found.state == ImportState.READY
    assert (found.total, found.imported, found.duplicates, found.rejected) == (9, 2, 1, 6)
    assert taken(dataset) == {"0.png": "cat", "1.png?size=large": "dog"}
    codes = dict(NotTaken.objects.values_list("position", "code"))
    assert codes == {
        2: "link-gone", 3: "link-is-a-page", 4: "not-an-image", 5: "link-private", 6: "link-again", 7: "link-bad",
        8: "duplicate-other-label",
    }  # fmt: skip
    report = page("labeller").get(f"/imports/{found.pk}/").content.decode()
    assert "http://10.0.0.1/a.png" in report and "not on the public internet" in report


def test_the_api_takes_links_as_json_and_as_a_list(
    server: Served, team: Team, api: Callable[..., Client], work: Work
) -> None:
    dataset = make_dataset(team)
    address = f"/api/v1/datasets/{dataset.pk}/imports"
    body = {"links": [{"url": server.url("/0.png"), "label": "cat"}, {"url": server.url("/1.png")}]}
    answer = api("labeller").post(address, body, content_type="application/json")
    assert answer.status_code == 202, answer.content
    table = f"{server.url('/2.png')},dog\n".encode()
    answer = api("labeller").post(address, {"manifest": upload("links.csv", table)})
    assert answer.status_code == 202, answer.content
    work()
    assert taken(dataset) == {"0.png": "cat", "1.png": None, "2.png": "dog"}


@pytest.mark.parametrize(
    "body",
    [
        {"links": []}, {"links": "http://a.org"}, {"links": [{"label": "x"}]}, {"links": [7]}, {"links": None},
        {"links": [{"url": ["a"]}]}, {"links": {"url": "http://a.org"}},
    ],
)  # fmt: skip
def test_bad_links_in_the_api_are_422(
    team: Team, api: Callable[..., Client], body: dict[str, object]
) -> None:
    dataset = make_dataset(team)
    answer = api("labeller").post(
        f"/api/v1/datasets/{dataset.pk}/imports", body, content_type="application/json"
    )
    assert answer.status_code == 422, answer.content
    assert not Import.objects.exists()


def test_a_list_without_links_is_refused_at_once(team: Team, api: Callable[..., Client]) -> None:
    dataset = make_dataset(team)
    address = f"/api/v1/datasets/{dataset.pk}/imports"
    answer = api("labeller").post(address, {"manifest": upload("links.csv", b"a.jpg,cat")})
    assert (answer.status_code, answer.json()["code"]) == (422, "no-links")


def test_links_that_are_switched_off_are_refused_here_and_in_what_waits(
    server: Served, team: Team, page: Callable[[str], Client], work: Work, settings: Settings
) -> None:
    dataset = make_dataset(team)
    address = f"/datasets/{dataset.pk}/import/links/"
    assert page("labeller").post(address, {"links": server.url("/0.png")}).status_code == 302
    settings.LINKS = False
    answer = page("labeller").post(address, {"links": server.url("/1.png")})
    assert answer.status_code == 403 and "switched off" in answer.content.decode()
    assert "switched off" in page("labeller").get(address).content.decode()
    work()
    assert list(outcomes(Import.objects.get()).values()) == ["links-off"]
    assert not server.hits


def test_the_page_keeps_what_was_typed_when_it_is_refused(team: Team, page: Callable[[str], Client]) -> None:
    dataset = make_dataset(team)
    answer = page("labeller").post(
        f"/datasets/{dataset.pk}/import/links/", {"links": "no links <b>", "label": "cat"}
    )
    assert answer.status_code == 422
    assert "no links &lt;b&gt;" in answer.content.decode() and 'value="cat"' in answer.content.decode()


def test_the_links_page_is_for_labellers(team: Team, page: Callable[[str], Client]) -> None:
    address = f"/datasets/{make_dataset(team).pk}/import/links/"
    assert page("labeller").get(address).status_code == 200
    assert page("viewer").get(address).status_code == 403
    assert page("stranger").get(address).status_code == 404
    assert page("labeller").put(address).status_code == 405


def test_after_a_kill_the_links_that_are_done_are_not_fetched_again(
    server: Served, team: Team, page: Callable[[str], Client], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(team)
    links = "\n".join(server.url(f"/{n}.png") for n in range(12))
    page("labeller").post(f"/datasets/{dataset.pk}/import/links/", {"links": links})
    monkeypatch.setattr(ahead, "BATCH_FILES", 4)
    monkeypatch.setattr(offering, "AHEAD", 2)
    found = Import.objects.get()
    attempt = Attempt.claim(found.job_id or 0)
    assert attempt is not None
    batches = 0
    real = importing.take

    def dies_in_the_second(*args: object) -> None:
        nonlocal batches
        batches += 1
        if batches == 2:
            raise Interrupted
        real(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(importing, "take", dies_in_the_second)
    with pytest.raises(Interrupted):
        importing.run(attempt)
    monkeypatch.setattr(importing, "take", real)
    found.refresh_from_db()
    assert found.imported == 4
    server.hits.clear()
    importing.run(attempt)
    found.refresh_from_db()
    assert (found.state, found.imported) == (ImportState.READY, 12)
    assert not any(server.hits[f"/{n}.png"] for n in range(4)), "done ones were fetched again"


def test_one_server_is_asked_for_two_at_a_time(
    server: Served, team: Team, page: Callable[[str], Client], work: Work
) -> None:
    dataset = make_dataset(team)
    links = "\n".join(server.url(f"/a-little-slow?{n}") for n in range(10))
    page("labeller").post(f"/datasets/{dataset.pk}/import/links/", {"links": links})
    work()
    assert server.most_at_once == 2
    assert Import.objects.get().rejected == 10
    assert not [each for each in threading.enumerate() if each.name.startswith("links") and each.is_alive()]


def test_a_list_of_links_that_is_dropped_on_the_import_page_is_fetched(
    server: Served, team: Team, page: Callable[[str], Client], work: Work
) -> None:
    dataset = make_dataset(team)
    table = upload("links.csv", f"{server.url('/0.png')},cat\n".encode())
    answer = page("labeller").post(f"/datasets/{dataset.pk}/import/", {"files": [table], "label": "dog"})
    assert answer.status_code == 302
    work()
    assert taken(dataset) == {"0.png": "cat"}
