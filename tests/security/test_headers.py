"""Addresses that lead astray, what caches may keep, and the site under a path of a shared host."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import clear_script_prefix, set_script_prefix
from pytest_django.fixtures import Settings

from tests.factories import Team
from tests.security.table import ROLES, rows
from tests.security.test_permissions import send
from tests.security.test_production import STRONG, manage
from tests.security.world import Worlds
from training.csv_safe import to_csv

Page = Callable[[str], Client]
EVIL = (
    "https://evil.example/",
    "//evil.example",
    "/\\evil.example",
    "https:///evil.example",
    "javascript:alert(1)",
    "\thttps://evil.example",
)


@pytest.mark.parametrize("elsewhere", EVIL)
def test_no_address_leads_to_another_site(team: Team, elsewhere: str) -> None:
    right = {"username": "owner", "password": "secret-word-1", "next": elsewhere}
    assert Client().post("/accounts/login/", right)["Location"] == "/"
    for address in ("/i18n/setlang/", "/accounts/login/", "/admin/login/"):
        client = Client()
        client.force_login(team.people["owner"])
        answer = client.post(address, {"language": "en", "next": elsewhere}, query_params={"next": elsewhere})
        assert not answer.get("Location", "").startswith(("https://evil", "//", "/\\", "javascript", "\t")), (
            address
        )


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"X-Forwarded-Host": "evil.example"}])
def test_a_made_up_host_is_in_no_link_that_is_handed_over(
    page: Page, team: Team, headers: dict[str, str]
) -> None:
    User.objects.create_superuser("operator")
    operator = Client()
    operator.force_login(User.objects.get(username="operator"))
    chosen = {"action": "make_reset_links", "_selected_action": [team.people["viewer"].pk]}
    answers = [
        page("owner").post(f"/projects/{team.project.pk}/invitations/", {"role": 20}, headers=headers),
        operator.post("/admin/auth/user/", chosen, headers=headers, follow="X-Forwarded-Host" in headers),
    ]
    for answer in answers:
        assert "evil.example" not in answer.content.decode()
        assert answer.status_code == (400 if "Host" in headers else 200)


def test_links_begin_as_the_operator_configured_it(page: Page, team: Team, settings: Settings) -> None:
    settings.BASE_URL = "https://ml.example.org/taxon"
    answer = page("owner").post(f"/projects/{team.project.pk}/invitations/", {"role": 20})
    assert re.search(r"https://ml\.example\.org/(taxon/)?join/txi_", answer.content.decode())


def test_no_cache_keeps_what_people_see(db: None) -> None:
    worlds, owner = Worlds.make(), Client()
    owner.force_login(worlds.team.people["owner"])
    wrong = {}
    for row in rows():
        if row.method == "GET" and row.at_least in ("person", *ROLES):
            kept = send(owner, row, worlds.own).headers.get("Cache-Control", "")
            if "private" not in kept and "no-store" not in kept:
                wrong[str(row)] = kept
    assert wrong == {}


def test_an_answer_that_shows_a_secret_is_stored_nowhere(page: Page, team: Team) -> None:
    base = f"/projects/{team.project.pk}"
    token = page("owner").post(f"{base}/tokens/", {"name": "till", "scopes": ["read"], "expires_at": "30"})
    invitation = page("owner").post(f"{base}/invitations/", {"role": 20})
    assert token.context["secret"] and "txi_" in invitation.content.decode()
    assert "no-store" in token["Cache-Control"] and "no-store" in invitation["Cache-Control"]


@pytest.fixture
def under_a_path(settings: Settings) -> Iterator[None]:
    """As the real server does for each request; the test client leaves the second half out."""
    settings.FORCE_SCRIPT_NAME = "/taxon"
    set_script_prefix("/taxon/")
    yield
    clear_script_prefix()


def test_under_a_path_every_way_leads_back_under_it(team: Team, under_a_path: None) -> None:
    User.objects.create_superuser("operator", password="secret-word-1")
    client = Client()
    asked = client.get("/admin/auth/user/")
    assert asked["Location"].startswith("/taxon/")
    right = {"username": "operator", "password": "secret-word-1"}
    assert client.post("/accounts/login/", right)["Location"] == "/taxon/"
    session = client.session
    session["password proved at"] = 0
    session.save()
    asked = client.get("/admin/auth/user/?q=x")
    assert asked["Location"] == "/taxon/accounts/confirm/?next=%2Ftaxon%2Fadmin%2Fauth%2Fuser%2F%3Fq%3Dx"
    sent = {"password": "secret-word-1", "next": "/taxon/admin/auth/user/?q=x"}
    assert client.post("/accounts/confirm/", sent)["Location"] == "/taxon/admin/auth/user/?q=x"


def test_under_a_path_cookies_stay_under_it(tmp_path: Path) -> None:
    paths = "s.SESSION_COOKIE_PATH, s.CSRF_COOKIE_PATH, s.LANGUAGE_COOKIE_PATH"
    ask = f"from django.conf import settings as s; print({paths})"
    done = manage(
        tmp_path,
        "shell",
        "-v",
        "0",
        "-c",
        ask,
        SECRET_KEY=STRONG,
        TAXON_BASE_URL="https://ml.example.org/taxon/",
    )
    assert done.stdout.split() == ["/taxon"] * 3


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_of_a_table_starts_a_formula(start: str) -> None:
    assert to_csv([[f"{start}1+1", -1.5, "red"]]).lstrip('\ufeff"').startswith("'")
    assert ",-1.5,red" in to_csv([[f"{start}1+1", -1.5, "red"]])


def test_guessing_the_old_password_is_slowed_too(page: Page, team: Team) -> None:
    client = page("owner")
    wrong = {"old_password": "x", "new_password1": "grüne-Wiese-9", "new_password2": "grüne-Wiese-9"}
    for _ in range(10):
        assert "This is not your password." in client.post("/accounts/password/", wrong).content.decode()
    late = client.post("/accounts/password/", wrong | {"old_password": "secret-word-1"})
    assert "Too many wrong tries" in late.content.decode()
    assert team.people["owner"].check_password("secret-word-1")
    team.people["owner"].refresh_from_db()
    assert team.people["owner"].check_password("secret-word-1")


def test_the_administration_has_no_second_place_to_guess_at_the_own_password(db: None) -> None:
    operator = Client()
    operator.force_login(User.objects.create_superuser("operator"))
    assert (
        operator.post("/admin/password_change/", {"old_password": "x"})["Location"] == "/accounts/password/"
    )
