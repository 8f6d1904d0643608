"""Log lines: ids that join them up, nothing forged, no secrets."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.factories import Team
from web.logs import Ids, JsonLines, Lines
from web.reports import Hiding


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    yield from written(Lines())


@pytest.fixture
def json_lines() -> Iterator[io.StringIO]:
    yield from written(JsonLines())


def written(formatter: logging.Formatter) -> Iterator[io.StringIO]:
    """What the root logger writes while the test runs, every request included."""
    out, root, requests = io.StringIO(), logging.getLogger(), logging.getLogger("taxon.request")
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    handler.addFilter(Ids())
    root.addHandler(handler)
    level, root_level = requests.level, root.level
    requests.setLevel("INFO")
    root.setLevel("INFO")
    yield out
    root.removeHandler(handler)
    requests.setLevel(level)
    root.setLevel(root_level)


def test_a_request_keeps_the_callers_id_in_the_answer_and_the_log(client: Client, lines: io.StringIO) -> None:
    answer = client.get("/healthz", headers={"X-Request-Id": "deploy-42"})
    assert answer["X-Request-Id"] == "deploy-42"
    assert " INFO taxon.request [deploy-42] GET /healthz 200 " in lines.getvalue()


@pytest.mark.parametrize("forged", ["a b", "x" * 65, "é", "", "<script>"])
def test_an_odd_id_is_replaced(client: Client, forged: str) -> None:
    assert len(client.get("/healthz", headers={"X-Request-Id": forged})["X-Request-Id"]) == 16


NASTY = ["\n2026-01-01 INFO all good", "\r\nx", "\x1b[2J", "\u202egnp", "\x00", "\x85", "\u2028"]


@pytest.mark.parametrize("nasty", NASTY)
def test_nobody_writes_lines_of_their_own_into_the_log(lines: io.StringIO, nasty: str) -> None:
    logging.getLogger("x").warning("no such file: %s", f"cat{nasty}.jpg")
    assert lines.getvalue().count("\n") == 1
    assert not set(lines.getvalue()) & set("\r\x1b\u202e\x00\x85\u2028")


def test_a_tracebacks_lines_cannot_pass_for_records(lines: io.StringIO) -> None:
    try:
        raise ValueError("bad\n2026-01-01 00:00:00 INFO root all is well \x1b[2J")
    except ValueError:
        logging.getLogger("x").exception("it broke")
    first, *rest = lines.getvalue().splitlines()
    assert first.endswith("it broke") and all(line.startswith("    ") for line in rest)
    assert "\x1b" not in lines.getvalue()


def test_secrets_are_hidden_in_messages_and_tracebacks(lines: io.StringIO, json_lines: io.StringIO) -> None:
    token, link = "tx_" + "Ab1-" * 10, "/accounts/reset/MQ/c8d-0123456789abcdef/"
    try:
        raise ValueError(f"postgres://taxon:hunter2@db/taxon refused {token}")
    except ValueError:
        logging.getLogger("x").exception("GET /join/txi_%s/ %s redis://:pass1234@host", "Zz9_" * 10, link)
    for out in (lines.getvalue(), json_lines.getvalue()):
        for secret in (token, "hunter2", "Zz9_", "c8d-0123", "pass1234"):
            assert secret not in out
        assert "postgres://taxon:" in out  # what kind of thing it was stays


def test_machines_get_one_object_a_line(client: Client, json_lines: io.StringIO) -> None:
    client.get("/nothing\nhere", headers={"X-Request-Id": "r1"})
    records = [json.loads(line) for line in json_lines.getvalue().splitlines()]
    assert {record["request"] for record in records} == {"r1"}
    assert {"at", "level", "logger", "message"} <= set(records[0])


def test_an_error_page_shows_nothing_of_the_inside(
    db: None, monkeypatch: pytest.MonkeyPatch, team: Team
) -> None:
    def broken(*args: object) -> None:
        raise RuntimeError("secret-in-a-traceback")

    monkeypatch.setattr("config.home.allowed_projects", broken)
    client = Client(raise_request_exception=False)
    client.force_login(team.people["owner"])
    answer = client.get("/")
    assert answer.status_code == 500 and "secret-in-a-traceback" not in answer.content.decode()


def test_error_reports_hide_every_setting_that_holds_a_secret(settings: Settings) -> None:
    settings.DATABASE_URL = settings.REDIS_URL = "redis://:hunter2@host"
    shown = str(Hiding().get_safe_settings())
    assert "hunter2" not in shown and settings.SECRET_KEY not in shown
