"""Making a project, its members, settings and tokens, through the pages."""

from collections.abc import Callable

import pytest
from django.test import Client

from projects.models import AccessToken, Membership, Project, Role
from tests.factories import ROLES, Team

Page = Callable[[str], Client]


def test_the_maker_of_a_project_owns_it(page: Page, team: Team) -> None:
    answer = page("labeller").post("/projects/new/", {"name": "Birds", "description": ""})
    project = Project.objects.get(name="Birds")
    assert answer["Location"] == f"/projects/{project.pk}/"
    assert Membership.objects.get(project=project).role == Role.OWNER


def test_a_project_without_a_name_is_refused_on_the_form(page: Page) -> None:
    answer = page("owner").post("/projects/new/", {"name": " "})
    assert answer.status_code == 200 and b"errorlist" in answer.content


@pytest.mark.parametrize("path", ["", "members/", "settings/", "tokens/", "jobs/"])
def test_a_stranger_gets_404(page: Page, team: Team, path: str) -> None:
    assert page("stranger").get(f"/projects/{team.project.pk}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["", "members/", "settings/", "tokens/", "jobs/"])
def test_the_owner_sees_every_page(page: Page, team: Team, path: str) -> None:
    assert page("owner").get(f"/projects/{team.project.pk}/{path}").status_code == 200


def test_nobody_signed_in_is_sent_to_the_sign_in(client: Client, team: Team) -> None:
    answer = client.get(f"/projects/{team.project.pk}/")
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("role", ["viewer", "labeller", "engineer"])
def test_only_an_owner_changes_settings_and_members(page: Page, team: Team, role: str) -> None:
    client, base = page(role), f"/projects/{team.project.pk}"
    member = Membership.objects.get(project=team.project, user=team.people[role])
    assert client.get(f"{base}/settings/").status_code == 403
    assert client.post(f"{base}/members/{member.pk}/change/", {"role": Role.OWNER}).status_code == 403
    assert client.post(f"{base}/members/add/", {"username": "stranger", "role": 10}).status_code == 403
    member.refresh_from_db()
    assert member.role == ROLES[role]


def test_an_owner_lets_somebody_in(page: Page, team: Team) -> None:
    page("owner").post(
        f"/projects/{team.project.pk}/members/add/", {"username": "stranger", "role": Role.VIEWER}
    )
    assert page("stranger").get(f"/projects/{team.project.pk}/").status_code == 200


def test_an_unknown_name_is_told(page: Page, team: Team) -> None:
    answer = page("owner").post(
        f"/projects/{team.project.pk}/members/add/", {"username": "nobody", "role": 10}, follow=True
    )
    assert "There is no account with this name" in answer.content.decode()


def test_the_last_owner_stays(page: Page, team: Team) -> None:
    owner = Membership.objects.get(project=team.project, user=team.people["owner"])
    url = f"/projects/{team.project.pk}/members/{owner.pk}/change/"
    for role in ("", str(int(Role.VIEWER))):
        answer = page("owner").post(url, {"role": role}, follow=True)
        assert "A project needs an owner" in answer.content.decode()
    owner.refresh_from_db()
    assert owner.role == Role.OWNER


def test_removing_a_member_ends_their_tokens(page: Page, team: Team) -> None:
    program = team.program("engineer")
    member = Membership.objects.get(project=team.project, user=team.people["engineer"])
    assert program.get("/api/v1/projects").status_code == 200
    page("owner").post(f"/projects/{team.project.pk}/members/{member.pk}/change/", {"role": ""})
    assert program.get("/api/v1/projects").status_code == 401


def test_a_tokens_secret_is_shown_once_and_kept_hashed(page: Page, team: Team) -> None:
    url = f"/projects/{team.project.pk}/tokens/"
    answer = page("engineer").post(url, {"name": "camera", "scopes": ["read"]})
    secret = answer.context["secret"]
    assert secret in answer.content.decode()
    assert secret not in page("engineer").get(url).content.decode()
    token = AccessToken.objects.get(name="camera")
    assert secret not in str(token.__dict__) and token.prefix == secret[:11]
    program = Client(headers={"Authorization": f"Bearer {secret}"})
    assert program.get("/api/v1/projects").status_code == 200
    page("engineer").post(f"{url}{token.pk}/revoke/")
    assert program.get("/api/v1/projects").status_code == 401


def test_an_engineer_cannot_hand_out_an_owners_scope(page: Page, team: Team) -> None:
    answer = page("engineer").post(
        f"/projects/{team.project.pk}/tokens/", {"name": "x", "scopes": ["publish"]}
    )
    assert not AccessToken.objects.filter(name="x").exists() and b"errorlist" in answer.content


def test_an_engineer_cannot_revoke_an_owners_token(page: Page, team: Team) -> None:
    team.program("owner")
    token = AccessToken.objects.get(user=team.people["owner"])
    url = f"/projects/{team.project.pk}/tokens/{token.pk}/revoke/"
    assert page("engineer").post(url).status_code == 403
    assert page("engineer").get(url).status_code == 405


def test_the_project_home_marks_the_next_step(page: Page, team: Team) -> None:
    answer = page("owner").get(f"/projects/{team.project.pk}/")
    assert [entry["step"].key for entry in answer.context["path"]] == [
        "data", "tag", "train", "report", "validate", "publish",
    ]  # fmt: skip
    assert [entry["is_next"] for entry in answer.context["path"]] == [True] + [False] * 5


def test_somebody_with_one_project_goes_straight_there(page: Page, team: Team) -> None:
    assert page("viewer").get("/")["Location"] == f"/projects/{team.project.pk}/"
    assert page("viewer").get("/?all").status_code == 200
