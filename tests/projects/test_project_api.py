"""Projects through the API."""

from collections.abc import Callable

from django.test import Client

from tests.factories import Team


def test_a_token_sees_its_own_project_alone(api: Callable[..., Client], team: Team) -> None:
    body = api("viewer").get("/api/v1/projects").json()
    assert [item["id"] for item in body["items"]] == [team.project.pk]
    assert body["next"] is None


def test_a_stranger_gets_404(api: Callable[..., Client], team: Team) -> None:
    answer = api("stranger").get(f"/api/v1/projects/{team.project.pk}")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not-found"


def test_no_token_is_401(client: Client, db: None) -> None:
    answer = client.get("/api/v1/projects")
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


def test_a_missing_name_is_422_with_the_field(page: Callable[[str], Client]) -> None:
    answer = page("owner").post("/api/v1/projects", {}, content_type="application/json")
    assert answer.status_code == 422
    assert answer.json()["errors"][0] == {"field": "name", "code": "missing", "message": "Field required"}


def test_a_repeat_with_the_same_idempotency_key_makes_one_project(
    page: Callable[[str], Client], team: Team
) -> None:
    owner = page("owner")
    sent = [
        owner.post(
            "/api/v1/projects",
            {"name": "New"},
            content_type="application/json",
            headers={"Idempotency-Key": "k1"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in sent] == [201, 201]
    assert sent[0].json() == sent[1].json()
    assert len(owner.get("/api/v1/projects").json()["items"]) == 2


def test_a_bad_cursor_is_400(api: Callable[..., Client]) -> None:
    answer = api("viewer").get("/api/v1/projects?cursor=!!!")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad-cursor")
