"""Operators are asked for their password again, and nothing they sent is lost over it."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.db.models import F
from django.test import Client
from pytest_django.fixtures import Settings

from projects import proving
from projects.models import AuditEntry, FailedTries
from tests.factories import Team

RIGHT = "secret-word-1"
USERS = "/admin/auth/user/"
CONFIRM = "/accounts/confirm/"
Sleep = Callable[[float], None]


@pytest.fixture
def operator(db: None) -> Client:
    User.objects.create_superuser("operator", password=RIGHT)
    client = Client()
    client.post("/accounts/login/", {"username": "operator", "password": RIGHT})
    return client


def pass_time(client: Client, minutes: float) -> None:
    """As if the password had been typed this much earlier."""
    session = client.session
    session[proving.KEPT] -= int(minutes * 60)
    session.save()


def prove(client: Client, password: str = RIGHT, next_page: str = USERS) -> int:
    return client.post(CONFIRM, {"password": password, "next": next_page}).status_code


def test_signing_in_is_a_proof_that_lasts_half_an_hour(operator: Client) -> None:
    assert operator.get(USERS).status_code == 200
    pass_time(operator, 29)
    assert operator.get(USERS).status_code == 200
    pass_time(operator, 2)
    assert operator.get(USERS).status_code == 302


def test_the_password_leads_back_to_where_they_wanted_to_go(operator: Client) -> None:
    pass_time(operator, 31)
    asked = operator.get(f"{USERS}?q=o&is_active__exact=1")
    page = operator.get(asked["Location"])
    assert page.status_code == 200 and "no-store" in page["Cache-Control"]
    wanted = re.search(r'name="next" value="([^"]+)"', page.content.decode())[1]  # type: ignore[index]
    answer = operator.post(CONFIRM, {"password": RIGHT, "next": wanted.replace("&amp;", "&")})
    assert answer["Location"] == f"{USERS}?q=o&is_active__exact=1"
    assert operator.get(answer["Location"]).status_code == 200
    assert AuditEntry.objects.get(action="password.confirm").user.username == "operator"  # type: ignore[union-attr]


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", ""])
def test_it_never_leads_to_another_site(operator: Client, elsewhere: str) -> None:
    assert operator.post(CONFIRM, {"password": RIGHT, "next": elsewhere})["Location"] == "/admin/"


def test_a_form_sent_too_late_changes_nothing_says_so_and_can_be_sent_again(operator: Client) -> None:
    sent = {
        "username": "newcomer",
        "usable_password": "true",
        "password1": "grüne-Wiese-9",
        "password2": "grüne-Wiese-9",
    }
    pass_time(operator, 31)
    late = operator.post(f"{USERS}add/", sent)
    assert late.status_code == 403 and "no-store" in late["Cache-Control"]
    assert "Nothing was changed yet" in late.content.decode() and "grüne-Wiese-9" not in late.content.decode()
    assert not User.objects.filter(username="newcomer").exists()
    link = re.search(r'href="(/accounts/confirm/[^"]+)"', late.content.decode())[1]  # type: ignore[index]
    assert operator.get(link).status_code == 200
    assert prove(operator) == 302
    assert operator.post(f"{USERS}add/", sent).status_code == 302  # what “reload” sends
    assert User.objects.filter(username="newcomer").exists()


def test_what_was_sent_too_late_passes_the_csrf_check_after_the_proof(operator: Client) -> None:
    checking = Client(enforce_csrf_checks=True)
    checking.cookies = operator.cookies
    page = checking.get(f"{USERS}add/").content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]  # type: ignore[index]
    sent = {"username": "newcomer", "usable_password": "false", "csrfmiddlewaretoken": token}
    pass_time(checking, 31)
    assert "Nothing was changed yet" in checking.post(f"{USERS}add/", sent).content.decode()
    proof = checking.post(CONFIRM, {"password": RIGHT, "next": USERS, "csrfmiddlewaretoken": token})
    assert proof.status_code == 302
    assert checking.post(f"{USERS}add/", sent).status_code == 302
    assert User.objects.filter(username="newcomer").exists()


def test_a_wrong_password_is_no_proof_and_guessing_is_slowed_with_the_sign_in(operator: Client) -> None:
    pass_time(operator, 31)
    assert [prove(operator, "wrong") for _ in range(10)] == [200] * 10
    assert operator.get(USERS).status_code == 302
    answer = operator.post(CONFIRM, {"password": RIGHT})
    assert answer.status_code == 429 and f"Wait {answer['Retry-After']} s" in answer.content.decode()
    assert Client().post("/accounts/login/", {"username": "operator", "password": RIGHT}).status_code == 429
    FailedTries.objects.update(last_at=F("last_at") - timedelta(minutes=1))
    assert prove(operator) == 302
    assert operator.get(USERS).status_code == 200


def test_the_session_gets_a_new_name_with_the_proof(operator: Client) -> None:
    pass_time(operator, 31)
    before = operator.session.session_key
    prove(operator)
    assert operator.session.session_key != before


def test_the_whole_administration_asks_and_signing_out_does_not(operator: Client) -> None:
    pass_time(operator, 31)
    for path in ("/admin/", "/admin/jobs/job/", "/admin/django_rq/dashboard/", "/admin/password_change/"):
        assert operator.get(path)["Location"].startswith(CONFIRM), path
    assert operator.get("/").status_code != 403
    assert operator.post("/admin/logout/").status_code in (200, 302)
    assert operator.get(USERS)["Location"].startswith("/admin/login/")


def test_a_session_from_before_this_rule_and_a_clock_set_back_are_asked(operator: Client) -> None:
    pass_time(operator, -120)
    assert operator.get(USERS).status_code == 302
    session = operator.session
    del session[proving.KEPT]
    session.save()
    assert operator.get(USERS).status_code == 302


def test_the_operator_sets_how_long_a_password_counts(operator: Client, settings: Settings) -> None:
    settings.PROOF_MINUTES = 5
    pass_time(operator, 6)
    assert "5 minutes" in operator.get(operator.get(USERS)["Location"]).content.decode()


def test_both_pages_speak_chinese(operator: Client) -> None:
    pass_time(operator, 31)
    operator.cookies["django_language"] = "zh-hans"
    late = operator.post(f"{USERS}add/", {})
    page = operator.get(CONFIRM)
    assert "尚未做任何更改" in late.content.decode() and "确认密码" in page.content.decode()
    assert "密码不正确。" in operator.post(CONFIRM, {"password": "x"}).content.decode()


def test_nobody_signed_in_is_sent_to_the_sign_in_and_other_methods_do_not_exist(
    client: Client, team: Team
) -> None:
    assert client.get(CONFIRM)["Location"].startswith("/accounts/login/")
    client.force_login(team.people["owner"])
    assert client.delete(CONFIRM).status_code == 405
    assert client.post(CONFIRM, {}).status_code == 200
