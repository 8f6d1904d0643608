"""`manage.py token` prints a token and nothing else."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from tests.factories import Team


def token(*args: str) -> str:
    out = StringIO()
    call_command("token", *args, stdout=out)
    return out.getvalue()


def test_the_printed_token_opens_the_first_project(team: Team) -> None:
    printed = token("engineer")
    assert printed == printed.strip() + "\n" and " " not in printed
    client = Client(headers={"Authorization": f"Bearer {printed.strip()}"})
    assert client.get("/api/v1/projects").json()["items"][0]["id"] == team.project.pk


def test_a_project_can_be_named_by_number_or_name(team: Team) -> None:
    for name in (str(team.other.pk), "Elsewhere"):
        client = Client(headers={"Authorization": f"Bearer {token('stranger', '--project', name).strip()}"})
        assert client.get("/api/v1/projects").json()["items"][0]["id"] == team.other.pk


@pytest.mark.parametrize("args", [["nobody"], ["viewer", "--project", "Elsewhere"]])
def test_nobody_gets_a_token_where_they_do_not_belong(team: Team, args: list[str]) -> None:
    with pytest.raises(CommandError, match=r"no active user|does not belong"):
        token(*args)
