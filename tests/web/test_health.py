"""What load balancers and operators ask, and headers that every answer carries."""

import json

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.test.utils import override_script_prefix

from tests.queue import RealQueue


def test_the_site_says_that_it_lives_and_is_ready(client: Client, db: None, redis_server: RealQueue) -> None:
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").json()["state"] == "ready"


def test_metrics_are_for_this_machine_alone(client: Client, db: None) -> None:
    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 403
    assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 403


def test_no_inline_script_may_run(client: Client, db: None) -> None:
    policy = client.get("/accounts/login/")["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "unsafe" not in policy


def test_an_unknown_api_route_answers_json(client: Client, db: None) -> None:
    answer = client.get("/api/v1/nothing-here")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_the_api_describes_itself(client: Client, db: None) -> None:
    assert client.get("/api/v1/openapi.json").json()["openapi"].startswith("3.1")
    assert client.get("/api/v1/docs").status_code == 200


def test_the_apis_description_is_kept_for_each_path_it_stands_under(client: Client, db: None) -> None:
    first, again = (client.get("/api/v1/openapi.json").content for _ in range(2))
    with override_script_prefix("/taxon/"):
        below = client.get("/api/v1/openapi.json").json()["paths"]
    assert first == again == client.get("/api/v1/openapi.json").content
    assert list(below) == [f"/taxon{path}" for path in json.loads(first)["paths"]]


def test_the_queue_dashboard_is_for_operators_alone(client: Client, db: None) -> None:
    client.force_login(User.objects.create_user("staff", is_staff=True))
    assert client.get("/admin/django_rq/dashboard/").status_code == 404


def test_every_model_has_a_page_in_the_admin(client: Client, db: None) -> None:
    from django.contrib import admin

    client.force_login(User.objects.create_superuser("root"))
    ours = [model for model in admin.site._registry if model.__module__.split(".")[0] in ROOMS]
    assert {model._meta.app_label for model in ours} == {
        "projects",
        "jobs",
        "datasets",
        "training",
        "serving",
    }
    for model in ours:
        url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        assert client.get(url, {"q": "x"}).status_code == 200, url


ROOMS = {"projects", "jobs", "datasets", "training", "serving", "web"}


def test_the_apis_description_is_one_that_strict_readers_take(client: Client, db: None) -> None:
    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        assert len(pairs) == len(dict(pairs)), [name for name, _ in pairs]
        return dict(pairs)

    json.loads(client.get("/api/v1/openapi.json").content, object_pairs_hook=once)


def test_the_dashboards_policy_lets_only_styles_of_the_library_through(client: Client, db: None) -> None:
    client.force_login(User.objects.create_superuser("root"))
    policy = client.get("/admin/django_rq/dashboard/nothing/")["Content-Security-Policy"]
    assert "style-src 'self' 'sha256-" in policy and "script-src" not in policy and "unsafe" not in policy
    assert "sha256" not in client.get("/admin/")["Content-Security-Policy"]


@pytest.mark.parametrize(
    "path", ["/accounts/login/", "/api/v1/projects", "/admin/login/", "/nothing", "/api/v1/docs"]
)
def test_every_answer_carries_the_protecting_headers(client: Client, db: None, path: str) -> None:
    answer = client.get(path)
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert (
        answer["X-Frame-Options"] == "DENY" and "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    )
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(client: Client, db: None) -> None:
    User.objects.create_user("ada", password="pictures-of-cats")
    client.post("/accounts/login/", {"username": "ada", "password": "pictures-of-cats"})
    session = client.cookies["sessionid"]
    assert session["httponly"] and session["samesite"] == "Lax"


def test_a_post_to_an_unknown_api_route_answers_json_too(db: None) -> None:
    answer = Client(enforce_csrf_checks=True).post("/api/v1/datasets/1/nothing-here", {})
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
