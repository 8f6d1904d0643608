"""Bodies, forms and addresses that no client of ours would send: refused, never a fault of ours."""

import json
import os
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from django.db import transaction
from django.http import HttpResponse
from django.test import Client

from tests.security.bodies import BODIES
from tests.security.table import Row, rows
from tests.security.world import Worlds, places

LONG = os.environ.get("TAXON_FAULTS") == "long"
ROOT = Path(__file__).resolve().parents[2]
TRIED = [row for row in rows() if row.at_least not in ("own-door", "operator") and "logout" not in row.route]
UNSAFE = [row for row in TRIED if row.method != "GET"]
PAGES_WITH_JSON = ("tag/", "accept/", "discard/", "undo/")
JSON_ROUTES = [row for row in UNSAFE if not row.is_page or row.route.endswith(PAGES_WITH_JSON)]
NOT_JSON = (
    b"",
    b"{",
    b"nonsense",
    b"\xff\xfe",
    b'{"name": "\xff"}',
    b"\xef\xbb\xbf{}",
    '{"name": "x"}'.encode("utf-16"),
    b'{"name": NaN}',
    b'{"name": Infinity}',
    b'{"name": 1e999}',
    b"[" * 100_000,
    b'{"a":' * 50_000,
    b"9" * 5_000,
)
NO_OBJECT = (
    b"[]",
    b"null",
    b"1",
    b'"text"',
    b"[[[[[]]]]]",
    b'{"": {}}',
    b'{"name": 1, "name": [], "name": {}}',
)
VALUES: tuple[Any, ...] = (
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "²",
    "٣",
    "-1",
    "1e400",
    "9" * 5_000,
    "9" * 19,
    "狗" * 3_000,
    "\u202e\u2066",
    "",
    None,
    True,
    -1,
    2**31,
    2**63,
    2**70,
    1.5,
    [],
    {},
    [None],
    [[]],
    ["\x00"],
    [2**63],
    {"\x00": 1},
    {"a": {"b": [1]}},
)
TEXTS = [value for value in VALUES if isinstance(value, str)]


@pytest.fixture
def worlds(db: None) -> Worlds:
    return Worlds.make()


@pytest.fixture
def owner(worlds: Worlds) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(worlds.team.people["owner"])
    return client


def tried(call: Any, *args: Any, **kwargs: Any) -> HttpResponse:
    """The answer, with whatever it changed taken back."""
    with transaction.atomic():
        answer = call(*args, **kwargs)
        transaction.set_rollback(True)
    if answer.streaming:
        answer.getvalue()
    return answer


def some(choice: Sequence[Any], count: int, seed: object) -> Sequence[Any]:
    """All of them in the long form, else as many, others for each row."""
    return choice if LONG else random.Random(str(seed)).sample(choice, count)


def faulty(answer: HttpResponse) -> bool:
    return answer.status_code >= 500 or b"Traceback (most recent" in (
        b"" if answer.streaming else answer.content
    )


def sent_as_json(client: Client, row: Row, address: str, body: bytes) -> HttpResponse:
    call = getattr(client, row.method.lower())
    return tried(call, address, body, content_type="application/json")


def test_what_is_no_json_is_refused_everywhere(worlds: Worlds, owner: Client) -> None:
    wrong = []
    for row in JSON_ROUTES:
        for body in some((*NOT_JSON, *NO_OBJECT), 6, row):
            answer = sent_as_json(owner, row, worlds.own.address(row.route), body)
            wrong += [f"{row}: {body[:20]!r}: {answer.status_code}"] if faulty(answer) else []
    assert wrong == []


def test_what_is_no_json_is_called_so_with_a_problem_document(worlds: Worlds, owner: Client) -> None:
    for body in NOT_JSON[1:]:
        answer = owner.post("/api/v1/datasets", body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "unreadable"), body[:20]
    assert "UTF-8" in answer.json()["detail"]


@pytest.mark.parametrize("name", ["a\x00b", "\ud800"])
def test_what_is_no_text_is_refused_before_anything_is_kept(owner: Client, name: str) -> None:
    answer = owner.post("/api/v1/datasets", json.dumps({"name": name}), content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (400, "unreadable")


def test_odd_values_in_the_fields_of_json_bodies_are_never_a_fault_of_ours(
    worlds: Worlds, owner: Client
) -> None:
    wrong = []
    for row in JSON_ROUTES:
        for at, body in enumerate(spoilt(worlds, row)):
            answer = sent_as_json(owner, row, worlds.own.address(row.route), json.dumps(body).encode())
            wrong += [f"{row} {at}: {str(body)[:80]}: {answer.status_code}"] if faulty(answer) else []
    assert wrong == []


def spoilt(worlds: Worlds, row: Row) -> Iterator[dict[str, Any]]:
    """The right body with each of its fields spoilt in turn, and one level down too."""
    right = BODIES.get(str(row), lambda _: {})(worlds.own)
    if "as form" in right:
        return
    for key in right:
        for value in some(VALUES, 6, f"{row} {key}"):
            yield right | {key: value}
            if isinstance(right[key], list) and right[key] and isinstance(right[key][0], dict):
                inner = right[key][0]
                yield right | {key: [dict.fromkeys(inner, value)]}


def known_names() -> list[str]:
    """Every name of a parameter or a form's field that the code asks for."""
    found = set()
    for room in ("platform", "datasets", "training", "serving"):
        for file in (ROOT / room).rglob("*.py"):
            text = file.read_text(encoding="utf8")
            found |= set(re.findall(r"""(?:GET|POST|params|sent)\.get(?:list)?\(\s*["']([\w-]+)["']""", text))
            found |= set(re.findall(r"^    (\w+) = forms\.\w+\(", text, re.M))
            found |= set(re.findall(r"^    (\w+): (?:int|str|float|Limit|Cursor|Order|State)\b", text, re.M))
    return sorted(found | {"share-1", "page", "top", "threshold", "revision", "role", "images"})


def test_the_search_for_names_finds_those_we_know() -> None:
    assert {"label", "cursor", "order", "revision"} <= set(known_names())
    assert len(known_names()) > 40


def test_odd_values_in_forms_and_addresses_are_never_a_fault_of_ours(worlds: Worlds, owner: Client) -> None:
    dice, names, wrong, seen = (
        random.Random(int(os.environ.get("TAXON_FAULTS_SEED", "1"))),
        known_names(),
        [],
        0,
    )
    for row in TRIED:
        for _ in range(40 if LONG else 2):
            address, seen = worlds.own.address(row.route), seen + 1
            form = {
                name: plain(dice.choice(TEXTS)) for name in names if dice.random() < dice.choice((0.1, 0.9))
            }
            if row.method == "GET":
                answer = tried(owner.get, address, form)
            else:
                call = getattr(owner, row.method.lower())
                answer = tried(
                    call, address, urlencode(form), content_type="application/x-www-form-urlencoded"
                )
            wrong += [f"{row} {str(form)[:300]}: {answer.status_code}"] if faulty(answer) else []
    assert wrong == [] and seen > 200


def plain(text: str) -> str:
    """As a browser could send it: half a character has no UTF-8."""
    return text.encode("utf8", "replace").decode()


@pytest.mark.parametrize("piece", ["%00", "%ff", "9" * 30, "9" * 5000, "%2e%2e", "%F0%9F%98%80", "a" * 3000])
def test_odd_pieces_of_addresses_lead_nowhere(worlds: Worlds, owner: Client, piece: str) -> None:
    wrong = []
    for row in some(TRIED, 50, piece):
        for place in range(places(row.route)):
            address = worlds.own.address(row.route, {place: piece})
            call = getattr(owner, row.method.lower())
            answer = tried(call, address, QUERY_STRING="")
            wrong += [f"{row} {place}: {answer.status_code}"] if faulty(answer) else []
    for path in (f"/join/{piece}/", f"/accounts/reset/{piece}/{piece}/", f"/api/v1/{piece}", f"/{piece}"):
        answer = tried(owner.get, path)
        wrong += [f"{path[:60]}: {answer.status_code}"] if faulty(answer) else []
    assert wrong == []


def test_a_nul_in_an_address_or_form_is_told_in_a_sentence(worlds: Worlds, owner: Client) -> None:
    page = owner.get(f"/datasets/{worlds.own.ids['datasets']}/?label=%00")
    assert page.status_code == 400 and "neither text nor a number" in page.content.decode()
    program = owner.get(f"/api/v1/datasets/{worlds.own.ids['datasets']}/images?label={quote(chr(0))}")
    assert (program.status_code, program.json()["code"]) == (400, "unreadable")


@pytest.mark.parametrize(
    "kind", ["multipart/form-data", "multipart/form-data; boundary=x", "text/plain", "a/b/c", "", "image/png"]
)
@pytest.mark.parametrize(
    "body", [b"", b"--x\r\n", b'--x\r\nContent-Disposition: form-data; name="a\x00"\r\n\r\n\x00\r\n--x--\r\n']
)
def test_bodies_of_other_kinds_are_never_a_fault_of_ours(
    worlds: Worlds, owner: Client, kind: str, body: bytes
) -> None:
    wrong = []
    for row in JSON_ROUTES:
        answer = tried(
            getattr(owner, row.method.lower()), worlds.own.address(row.route), body, content_type=kind
        )
        wrong += [f"{row}: {answer.status_code}"] if faulty(answer) else []
    assert wrong == []
