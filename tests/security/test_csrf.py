"""Nothing is changed from another site's page, and nothing by looking."""

import pytest
from django.apps import apps
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.security.bodies import BODIES
from tests.security.table import METHODS, rows
from tests.security.test_permissions import send
from tests.security.world import World, Worlds

ALL = [row for row in rows() if row.at_least not in ("own-door", "operator")]
# Django's and the API's own pages that answer every method alike; only the language's POST does something.
ALIKE = {
    f"{method} {route}"
    for method in METHODS
    for route in ("api/v1/docs", "api/v1/openapi.json", "i18n/setlang/")
}
UNSAFE = [row for row in ALL if row.method != "GET" and str(row) not in ALIKE - {"POST i18n/setlang/"}]
SAFE = [row for row in ALL if row.method == "GET"]
OWN_TABLES = {
    model._meta.db_table for model in apps.get_models() if model._meta.app_label not in ("sessions", "admin")
}


@pytest.fixture
def worlds(db: None) -> Worlds:
    return Worlds.make()


def browser(worlds: Worlds) -> Client:
    """The owner's browser, with its cookies, which does check."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(worlds.team.people["owner"])
    client.get(f"/projects/{worlds.own.project.pk}/settings/")  # sets the CSRF cookie
    return client


def refused(client: Client, world: World, **headers: str) -> list[str]:
    """The unsafe addresses that answer something else than 403."""
    wrong = []
    for row in UNSAFE:
        client.defaults.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
        answer = send(client, row, world)
        if answer.status_code != 403:
            wrong.append(f"{row}: {answer.status_code}")
    return wrong


def test_without_a_csrf_token_every_unsafe_request_is_refused(worlds: Worlds) -> None:
    assert refused(browser(worlds), worlds.own) == []


def test_from_another_sites_page_every_unsafe_request_is_refused(worlds: Worlds) -> None:
    client = browser(worlds)
    token = client.cookies["csrftoken"].value
    assert refused(client, worlds.own, origin="https://evil.example", x_csrftoken=token) == []


def test_with_a_csrf_token_a_request_of_our_own_page_goes_through(worlds: Worlds) -> None:
    client = browser(worlds)
    token = client.cookies["csrftoken"].value
    body = BODIES["POST projects/new/"](worlds.own)
    answer = client.post(
        "/projects/new/", body, headers={"X-CSRFToken": token, "Origin": "http://testserver"}
    )
    assert answer.status_code == 302


def test_a_program_needs_no_csrf_token_and_cookies_do_not_ride_along(worlds: Worlds) -> None:
    program = worlds.team.program("owner")
    checking = Client(
        enforce_csrf_checks=True, headers={"Authorization": program.defaults["HTTP_AUTHORIZATION"]}
    )
    answer = checking.post("/api/v1/datasets", {"name": "Birds"}, content_type="application/json")
    assert answer.status_code == 201


def test_looking_changes_nothing(worlds: Worlds) -> None:
    client = Client()
    client.force_login(worlds.team.people["owner"])
    wrong = []
    for row in SAFE:
        with CaptureQueriesContext(connection) as queries:
            send(client, row, worlds.own)
        writes = [
            query["sql"] for query in queries if query["sql"].startswith(("INSERT", "UPDATE", "DELETE"))
        ]
        wrong += [f"{row}: {sql[:100]}" for sql in writes if any(f'"{table}"' in sql for table in OWN_TABLES)]
    assert wrong == []
