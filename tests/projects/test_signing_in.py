"""Signing in: guessing is slowed down, nobody is locked out, and sessions end when they should."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.test import Client
from pytest_django.fixtures import Settings

from projects.models import FailedTries
from tests.factories import Team

Page = Callable[[str], Client]
RIGHT = "secret-word-1"


def sign_in(name: str = "owner", password: str = "wrong", address: str = "203.0.113.9", **more: str) -> int:
    """The status of one try: 200 is the form again, 302 is inside, 429 has to wait."""
    sent = {"username": name, "password": password}
    return Client().post("/accounts/login/", sent, REMOTE_ADDR=address, **more).status_code


def let_pass(seconds: float) -> None:
    """As if this much time had gone by."""
    FailedTries.objects.update(last_at=F("last_at") - timedelta(seconds=seconds))


def test_after_ten_wrong_passwords_each_further_try_waits_longer(team: Team) -> None:
    assert [sign_in() for _ in range(10)] == [200] * 10
    waits = []
    for _ in range(4):
        answer = Client().post(
            "/accounts/login/", {"username": "owner", "password": "x"}, REMOTE_ADDR="203.0.113.9"
        )
        assert answer.status_code == 429
        assert f"Wait {answer['Retry-After']} s" in answer.content.decode()
        waits.append(int(answer["Retry-After"]))
        let_pass(waits[-1])
        assert sign_in() == 200
    assert waits == [1, 2, 4, 8]


def test_five_hundred_tries_never_wait_longer_than_a_minute_and_the_person_gets_in(team: Team) -> None:
    FailedTries.objects.all().delete()
    began = time.monotonic()
    looked_at = sum(sign_in() == 200 for _ in range(50))
    doubled = int(math.log2(1 + time.monotonic() - began))  # waits of 1, 2, 4 … s that passed meanwhile
    assert looked_at <= 11 + doubled
    FailedTries.objects.update(count=500)
    assert sign_in(password=RIGHT) == 429
    let_pass(60)
    assert sign_in(password=RIGHT) == 302
    assert [sign_in(), sign_in()] == [200, 429]  # the address as a whole is still slowed down


def test_who_guesses_at_an_account_does_not_keep_its_owner_out(team: Team) -> None:
    for _ in range(15):
        sign_in()
    assert sign_in(password=RIGHT, address="198.51.100.7") == 302


def test_trying_many_names_from_one_address_is_slowed_too(team: Team) -> None:
    assert [sign_in(f"name-{n}") for n in range(30)] == [200] * 30
    assert sign_in("name-31") == 429


def test_the_right_password_clears_the_accounts_count_but_not_the_addresss(team: Team) -> None:
    for _ in range(9):
        sign_in()
    assert sign_in(password=RIGHT) == 302
    assert sorted(FailedTries.objects.values_list("count", flat=True)) == [9]


def test_the_administration_has_no_second_door(client: Client, db: None) -> None:
    answer = client.post("/admin/login/?next=/admin/", {"username": "x", "password": "y"})
    assert (answer.status_code, answer["Location"]) == (302, "/accounts/login/?next=/admin/")


def test_a_client_cannot_pretend_another_address(team: Team) -> None:
    forged = [sign_in(HTTP_X_FORWARDED_FOR=f"10.0.0.{n}") for n in range(12)]
    assert 429 in forged
    FailedTries.objects.all().delete()
    through_a_proxy = [sign_in(address="127.0.0.1", HTTP_X_FORWARDED_FOR=f"10.0.0.{n}") for n in range(12)]
    assert 429 not in through_a_proxy


def test_no_mistyped_name_is_kept(team: Team) -> None:
    sign_in("my-password-in-the-wrong-field")
    assert "my-password" not in str(FailedTries.objects.values())


def test_an_unknown_name_takes_as_long_as_a_wrong_password(team: Team, settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.PBKDF2PasswordHasher"]
    team.people["owner"].set_password(RIGHT)
    team.people["owner"].save()
    known = min(took(lambda: sign_in("owner")) for _ in range(4))
    unknown = min(took(lambda: sign_in("nobody")) for _ in range(4))
    assert 0.6 < unknown / known < 1.6


def took(act: Callable[[], object]) -> float:
    start = time.thread_time()
    act()
    return time.thread_time() - start


def test_a_disabled_person_is_out_at_once(page: Page, team: Team) -> None:
    client, program = page("owner"), team.program("owner")
    team.people["owner"].is_active = False
    team.people["owner"].save()
    assert client.get("/")["Location"].startswith("/accounts/login/")
    assert client.get("/api/v1/projects").status_code == 401
    assert program.get("/api/v1/projects").status_code == 401


def test_a_changed_password_ends_all_other_sessions(page: Page, team: Team) -> None:
    here, elsewhere = page("owner"), page("owner")
    sent = {"old_password": RIGHT, "new_password1": "another-word-2", "new_password2": "another-word-2"}
    assert here.post("/accounts/password/", sent)["Location"] == "/"
    assert here.get("/accounts/password/").status_code == 200
    assert elsewhere.get("/accounts/password/").status_code == 302


def test_signing_in_changes_the_session_and_signing_out_ends_it(team: Team) -> None:
    client = Client()
    client.get("/accounts/login/")
    client.session["planted"] = True
    planted = client.session.session_key
    client.post("/accounts/login/", {"username": "owner", "password": RIGHT})
    inside = client.cookies["sessionid"].value
    assert inside != planted
    client.post("/accounts/logout/")
    client.cookies["sessionid"] = inside
    assert client.get("/accounts/password/").status_code == 302


@contextmanager
def link_for(name: str) -> Iterator[str]:
    out = StringIO()
    call_command("reset_link", name, stdout=out)
    yield out.getvalue().strip().removeprefix("http://127.0.0.1:8000")


def test_the_operators_link_sets_a_new_password_once(page: Page, team: Team) -> None:
    old, client = page("viewer"), Client()
    with link_for("viewer") as link:
        form = client.get(link)["Location"]
        sent = {"new_password1": "another-word-2", "new_password2": "another-word-2"}
        assert client.post(form, sent)["Location"] == "/accounts/login/"
        assert "was used already" in Client().get(link, follow=True).content.decode()
    assert sign_in("viewer", "another-word-2") == 302
    assert old.get("/accounts/password/").status_code == 302


def test_no_link_is_made_for_nobody(db: None) -> None:
    with pytest.raises(CommandError, match="no active user"):
        call_command("reset_link", "nobody")
