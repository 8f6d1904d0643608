"""Joining a project by a link that an owner hands over."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from projects.invitations import invite
from projects.models import Invitation, Membership, Role
from tests.factories import Team

Page = Callable[[str], Client]
ACCOUNT = {"username": "ada", "password1": "pictures-of-cats", "password2": "pictures-of-cats"}


def made(page: Page, team: Team, role: Role = Role.LABELLER) -> str:
    """The link that an owner is shown, as a path."""
    url = f"/projects/{team.project.pk}/invitations/"
    answer = page("owner").post(url, {"name": "Ada", "role": int(role)})
    return re.search(r"http://testserver(/join/[\w-]+/)", answer.content.decode())[1]  # type: ignore[index]


def test_somebody_without_an_account_joins_with_the_role_that_the_owner_chose(page: Page, team: Team) -> None:
    client, link = Client(), made(page, team)
    assert "Join “Animals”" in client.get(link, follow=True).content.decode()
    answer = client.post("/join/", ACCOUNT)
    assert answer["Location"] == f"/projects/{team.project.pk}/"
    assert Membership.objects.get(user__username="ada").role == Role.LABELLER
    assert client.get(f"/projects/{team.project.pk}/members/").status_code == 200


def test_somebody_with_an_account_joins_with_it(page: Page, team: Team) -> None:
    client, link = page("stranger"), made(page, team)
    client.get(link)
    assert client.post("/join/").status_code == 302
    assert Membership.objects.get(user=team.people["stranger"], project=team.project).role == Role.LABELLER


def test_a_link_lets_one_person_in(page: Page, team: Team) -> None:
    link = made(page, team)
    first, second = Client(), Client()
    for client in (first, second):
        client.get(link)
    first.post("/join/", ACCOUNT)
    answer = second.post("/join/", ACCOUNT | {"username": "eve"})
    assert answer.status_code == 404 and not User.objects.filter(username="eve").exists()
    assert Client().get(link).status_code == 404


def test_looking_at_a_link_does_not_use_it_up(page: Page, team: Team) -> None:
    link = made(page, team)
    for _ in range(3):
        assert Client().get(link).status_code == 302


def test_the_secret_leaves_the_address_bar_and_is_kept_as_a_hash(page: Page, team: Team) -> None:
    link = made(page, team)
    assert Client().get(link)["Location"] == "/join/"
    secret = link.split("/")[2]
    assert len(secret) > 40 and secret not in str(Invitation.objects.values())
    assert secret not in page("owner").get(f"/projects/{team.project.pk}/members/").content.decode()


def test_an_old_link_and_a_withdrawn_one_open_nothing(page: Page, team: Team) -> None:
    old, withdrawn = made(page, team), made(page, team)
    first, second = Invitation.objects.order_by("id")
    assert first.expires_at - timezone.now() > timedelta(days=6.9)
    Invitation.objects.filter(pk=first.pk).update(expires_at=timezone.now())
    page("owner").post(f"/projects/{team.project.pk}/invitations/{second.pk}/withdraw/")
    for link in (old, withdrawn):
        answer = Client().get(link)
        assert answer.status_code == 404 and "Ask who sent it for a new one" in answer.content.decode()


def test_an_owner_who_was_lowered_cannot_come_back_by_a_link_made_before(page: Page, team: Team) -> None:
    link = made(page, team, Role.OWNER)
    Membership.objects.create(project=team.project, user=team.people["stranger"], role=Role.OWNER)
    lowered = Membership.objects.get(project=team.project, user=team.people["owner"])
    page("stranger").post(f"/projects/{team.project.pk}/members/{lowered.pk}/change/", {"role": ""})
    assert page("owner").get(link).status_code == 404


def test_a_member_keeps_their_role_whatever_the_link_says(page: Page, team: Team) -> None:
    link, viewer = made(page, team, Role.OWNER), page("viewer")
    viewer.get(link)
    viewer.post("/join/")
    assert Membership.objects.get(project=team.project, user=team.people["viewer"]).role == Role.VIEWER
    assert Client().get(link).status_code == 302  # and the link is still there for whom it was meant


@pytest.mark.parametrize("role", ["viewer", "labeller", "engineer"])
def test_only_owners_invite(page: Page, team: Team, role: str) -> None:
    answer = page(role).post(f"/projects/{team.project.pk}/invitations/", {"role": 40})
    assert answer.status_code == 403 and not Invitation.objects.exists()


def test_nobody_signs_up_without_a_link(client: Client, db: None) -> None:
    assert client.post("/join/", ACCOUNT).status_code == 404
    assert client.get("/join/txi_made-up/").status_code == 404
    assert not User.objects.exists()


def test_a_weak_password_and_a_taken_name_are_told(page: Page, team: Team) -> None:
    client = Client()
    client.get(made(page, team))
    for wrong in ({"password1": "123", "password2": "123"}, {"username": "OWNER"}):
        answer = client.post("/join/", ACCOUNT | wrong)
        assert answer.status_code == 200 and b"errorlist" in answer.content
    assert not User.objects.filter(username__iexact="ada").exists()


def test_an_archived_project_lets_nobody_in(page: Page, team: Team) -> None:
    link = made(page, team)
    team.project.archived_at = timezone.now()
    team.project.save()
    assert Client().get(link).status_code == 404


def test_a_role_that_does_not_exist_is_refused(page: Page, team: Team) -> None:
    answer = page("owner").post(f"/projects/{team.project.pk}/invitations/", {"role": 99})
    assert b"errorlist" in answer.content and not Invitation.objects.exists()


def test_another_projects_owner_cannot_withdraw_an_invitation(page: Page, team: Team) -> None:
    invitation, _ = invite(project=team.project, role=Role.VIEWER, by=team.people["owner"])
    url = f"/projects/{team.other.pk}/invitations/{invitation.pk}/withdraw/"
    assert page("stranger").post(url).status_code == 404
    assert page("stranger").get(url).status_code == 405
