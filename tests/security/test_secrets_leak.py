"""A token's text is shown once, to the person who made it, and nowhere else: every output is searched for it."""

import io
import logging
import re
from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from projects.models import AccessToken
from projects.tokens import make_token
from tests.factories import Team
from tests.queue import RealQueue
from tests.security.routes import admin_routes
from tests.security.table import rows
from tests.security.test_permissions import send
from tests.security.world import Worlds
from web.logs import Ids, JsonLines, Lines


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged while the test runs, down to SQL and requests, in both formats."""
    out, root = io.StringIO(), logging.getLogger()
    handlers = []
    for formatter in (Lines(), JsonLines()):
        handler = logging.StreamHandler(out)
        handler.setFormatter(formatter)
        handler.addFilter(Ids())
        handlers.append(handler)
        root.addHandler(handler)
    level = root.level
    root.setLevel("DEBUG")
    yield out
    root.setLevel(level)
    for handler in handlers:
        root.removeHandler(handler)


def dump() -> str:
    """The whole database as text."""
    out = io.StringIO()
    call_command("dumpdata", exclude=["django_rq"], stdout=out)  # that one has no table
    return out.getvalue()


def test_a_tokens_text_is_in_no_log_page_or_dump(db: None, log: io.StringIO, redis_server: RealQueue) -> None:
    worlds = Worlds.make()
    owner, operator = Client(), Client()
    owner.force_login(worlds.team.people["owner"])
    operator.force_login(worlds.team.people["operator"])
    answer = owner.post(
        f"/projects/{worlds.own.project.pk}/tokens/", {"name": "scale", "scopes": ["read", "upload"]}
    )
    secret = answer.context["secret"]
    program = Client(headers={"Authorization": f"Bearer {secret}"}, raise_request_exception=False)
    made_wrong = Client(headers={"Authorization": f"Bearer {secret}x", "X-Auth-Token": secret})
    seen = []
    for row in rows():
        if (
            row.at_least in ("anyone", "person", "viewer", "labeller", "engineer", "owner")
            and row.method == "GET"
        ):
            seen += [send(client, row, worlds.own) for client in (owner, program, made_wrong)]
    program.post("/api/v1/projects", {"name": secret}, content_type="application/json")
    program.get(f"/api/v1/projects?cursor={secret}")
    for route in admin_routes():
        seen.append(operator.get("/" + route.replace("^", "").replace("/?$", "")))
    token = AccessToken.objects.get(name="scale")
    seen.append(operator.get(f"/admin/projects/accesstoken/{token.pk}/change/"))
    seen.append(owner.get(f"/projects/{worlds.own.project.pk}/tokens/"))
    pages = [page.content.decode(errors="replace") for page in seen if not page.streaming]
    assert len(pages) > 150 and any(token.prefix in page for page in pages)
    assert not any(secret in page or token.digest in page for page in pages)
    assert token.prefix in dump() and secret not in dump()
    assert len(log.getvalue()) > 10_000 and secret not in log.getvalue()


def test_the_links_of_invitations_and_new_passwords_are_in_no_log_or_dump(
    team: Team, log: io.StringIO
) -> None:
    owner, out = Client(), io.StringIO()
    owner.force_login(team.people["owner"])
    answer = owner.post(f"/projects/{team.project.pk}/invitations/", {"role": 20})
    invitation = re.search(r"/join/([\w-]+)/", answer.content.decode())[1]  # type: ignore[index]
    call_command("reset_link", "viewer", stdout=out)
    reset = out.getvalue().strip().split("/")[-2]
    logging.getLogger("taxon.request").setLevel("INFO")
    for path in (f"/join/{invitation}/", f"/join/{invitation}x/", out.getvalue().strip()):
        Client().get(path.removeprefix("http://127.0.0.1:8000"))
    logging.getLogger("taxon.request").setLevel("WARNING")
    assert "GET /join/txi_…/" in log.getvalue()
    for secret in (invitation, reset):
        assert secret not in log.getvalue() and secret not in dump()


def test_a_token_counts_in_the_header_alone(team: Team) -> None:
    _, secret = make_token(project=team.project, user=team.people["owner"], name="till")
    for query in (
        f"token={secret}",
        f"access_token={secret}",
        f"api_key={secret}",
        f"Authorization=Bearer {secret}",
    ):
        assert Client().get(f"/api/v1/projects?{query}").status_code == 401
    assert Client().get("/api/v1/projects", HTTP_COOKIE=f"token={secret}").status_code == 401
    basic = Client(headers={"Authorization": f"Basic {secret}"})
    assert basic.get("/api/v1/projects").status_code == 401


def test_a_token_ends_when_it_should(team: Team) -> None:
    token, secret = make_token(project=team.project, user=team.people["owner"], name="till")
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/v1/projects").status_code == 200
    token.refresh_from_db()
    assert token.last_used_at is not None
    AccessToken.objects.update(expires_at=timezone.now())
    assert program.get("/api/v1/projects").status_code == 401
    AccessToken.objects.update(expires_at=timezone.now() + timedelta(days=1))
    assert program.get("/api/v1/projects").status_code == 200
    token.revoke()
    assert program.get("/api/v1/projects").status_code == 401


def test_a_token_made_on_the_page_ends_by_itself(team: Team) -> None:
    owner = Client()
    owner.force_login(team.people["owner"])
    url = f"/projects/{team.project.pk}/tokens/"
    owner.post(url, {"name": "till", "scopes": ["read"], "expires_at": "30"})
    left = AccessToken.objects.get(name="till").expires_at - timezone.now()  # type: ignore[operator]
    assert timedelta(days=29) < left < timedelta(days=31)
    owner.post(url, {"name": "x", "scopes": ["read"], "expires_at": "9999"})
    assert not AccessToken.objects.filter(name="x").exists()


def test_guessing_tokens_is_slowed_and_a_good_token_still_gets_in(team: Team) -> None:
    def status(secret: str) -> int:
        return Client(headers={"Authorization": f"Bearer {secret}"}).get("/api/v1/projects").status_code

    _, good = make_token(project=team.project, user=team.people["owner"], name="till")
    assert [status(f"tx_guess-{n}") for n in range(12)] == [401] * 10 + [429] * 2
    assert status(good) == 200


def test_a_program_with_an_old_token_is_told_so_however_often_it_asks(team: Team) -> None:
    token, old = make_token(project=team.project, user=team.people["owner"], name="till")
    token.revoke()
    for secret in (old, "tx_mistyped-in-the-configuration"):
        program = Client(headers={"Authorization": f"Bearer {secret}"})
        assert {program.get("/api/v1/projects").status_code for _ in range(40)} == {401}
