"""Services through the API: every state, every role, and nobody else."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.test import Client

from jobs.models import Job
from projects.models import AuditEntry
from serving.models import Revision, Service, ServiceState
from tests.factories import Team, picture
from tests.serving.makers import COLOURS, make_service, make_version
from training.models import ModelVersion

Api = Callable[..., Client]
Page = Callable[[str], Client]
Work = Callable[[], None]
JSON = "application/json"


def body(version: ModelVersion, **more: object) -> dict[str, object]:
    return {"name": "Colours", "slug": "colours", "model": version.model_id, "version": version.number} | more


def ask(client: Client, url: str, data: object = None):  # type: ignore[no-untyped-def]
    return client.post(f"/api/v1/services{url}", data if data is not None else {}, content_type=JSON)


def state(slug: str = "colours") -> str:
    return Service.objects.get(slug=slug, released_at=None).state


def test_a_request_is_created_and_waits(api: Api, version: ModelVersion) -> None:
    answer = ask(api("owner"), "", body(version, description="Three colours"))
    assert answer.status_code == 201
    assert answer.json() == {
        "slug": "colours",
        "name": "Colours",
        "description": "Three colours",
        "state": "requested",
        "message": "",
        "url": "http://testserver/api/v1/services/colours/predict",
        "model": version.model_id,
        "revision": 1,
        "versions": [{"version": 1, "share": 100}],
        "threshold": None,
    }
    assert not Job.objects.exists()


def test_the_address_follows_the_base_url(api: Api, service: Service, settings) -> None:  # type: ignore[no-untyped-def]
    settings.BASE_URL = "https://taxon.example"
    shown = api("viewer").get("/api/v1/services/colours").json()
    assert shown["url"] == "https://taxon.example/api/v1/services/colours/predict"


def test_from_request_to_answer_through_the_real_queue(work: Work, team: Team, api: Api) -> None:
    version = make_version(team.project)
    owner = api("owner")
    ask(owner, "", body(version))
    approved = ask(owner, "/colours/approve")
    assert (approved.status_code, approved.json()["state"]) == (202, "warming")
    work()
    assert owner.get("/api/v1/services/colours").json()["state"] == "online"
    token = ask(owner, "/colours/tokens", {"name": "app"})
    assert token.status_code == 201
    program = Client(headers={"Authorization": f"Bearer {token.json()['token']}"})
    answer = program.generic(
        "POST", "/api/v1/services/colours/predict", picture("blue"), content_type="image/png"
    )
    assert answer.json()["predicted_label"] == COLOURS[2]
    acts = list(AuditEntry.objects.filter(target="colours").order_by("id").values_list("action", flat=True))
    assert acts == ["service.request", "service.approve", "service.warmed"]


def test_a_project_may_let_requests_approve_themselves(work: Work, team: Team, page: Page) -> None:
    team.project.requests_approve_themselves = True
    team.project.save()
    answer = ask(page("engineer"), "", body(make_version(team.project)))
    assert answer.json()["state"] == "warming"
    work()
    assert state() == ServiceState.ONLINE


def test_four_eyes_keep_the_requester_from_approving(team: Team, api: Api, page: Page) -> None:
    team.project.four_eyes = team.project.requests_approve_themselves = True
    team.project.save()
    assert ask(page("owner"), "", body(make_version(team.project))).json()["state"] == "requested"
    assert ask(page("owner"), "/colours/approve").status_code == 403
    assert state() == ServiceState.REQUESTED
    make_service(team, slug="asked-by-engineer", online=False)
    assert ask(page("owner"), "/asked-by-engineer/approve").status_code == 202


def test_approving_twice_asks_for_one_job(api: Api, version: ModelVersion) -> None:
    ask(api("owner"), "", body(version))
    assert [ask(api("owner"), "/colours/approve").status_code for _ in range(2)] == [202, 202]
    assert Job.objects.filter(kind="serving.warm").count() == 1


@pytest.mark.disk
def test_a_damaged_file_keeps_the_service_offline_with_the_reason(
    work: Work, team: Team, api: Api, tmp_path: Path
) -> None:
    version = make_version(team.project)
    path = tmp_path / "files" / version.file_key
    path.chmod(0o600)
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    ask(api("owner"), "", body(version))
    ask(api("owner"), "/colours/approve")
    work()
    shown = api("owner").get("/api/v1/services/colours").json()
    assert shown["state"] == "offline" and "content has changed" in shown["message"]


def test_offline_while_warming_stays_offline(work: Work, team: Team, api: Api) -> None:
    ask(api("owner"), "", body(make_version(team.project)))
    ask(api("owner"), "/colours/approve")
    ask(api("owner"), "/colours/offline")
    work()
    assert state() == ServiceState.OFFLINE


def test_offline_acts_at_once_and_online_warms_again(work: Work, team: Team, api: Api) -> None:
    make_service(team)
    owner = api("owner")

    def predict() -> int:
        url = "/api/v1/services/colours/predict"
        return owner.generic("POST", url, picture("red"), content_type="image/png").status_code

    assert predict() == 200
    assert ask(owner, "/colours/offline").json()["state"] == "offline"
    assert predict() == 409
    assert ask(owner, "/colours/online").status_code == 202
    work()
    assert predict() == 200


def test_a_rejected_request_cannot_go_online(api: Api, version: ModelVersion) -> None:
    ask(api("owner"), "", body(version))
    assert ask(api("owner"), "/colours/reject").json()["state"] == "rejected"
    for act in ("approve", "online", "offline"):
        answer = ask(api("owner"), f"/colours/{act}")
        assert (answer.status_code, answer.json()["code"]) == (409, "wrong-state")


def test_a_request_cannot_be_taken_offline_or_brought_online(api: Api, version: ModelVersion) -> None:
    ask(api("owner"), "", body(version))
    assert [ask(api("owner"), f"/colours/{act}").status_code for act in ("offline", "online")] == [409, 409]


def test_released_frees_the_address_and_ends_the_tokens(
    team: Team, api: Api, call: Client, service: Service
) -> None:
    assert ask(api("owner"), "/colours/release").status_code == 200
    assert api("owner").get("/api/v1/services/colours").status_code == 404
    url = "/api/v1/services/colours/predict"
    assert call.generic("POST", url, picture(), content_type="image/png").status_code == 401
    again = make_service(team)
    assert again.slug == "colours" and again.pk != service.pk


def test_a_taken_address_is_409_with_a_free_one(api: Api, service: Service, version: ModelVersion) -> None:
    answer = ask(api("owner"), "", body(version))
    assert (answer.status_code, answer.json()["code"]) == (409, "slug-taken")
    assert "colours-2" in answer.json()["detail"]


def test_an_address_is_unique_in_the_installation_and_not_only_in_the_project(
    team: Team, service: Service, api: Api
) -> None:
    answer = ask(api("stranger"), "", body(make_version(team.other)))
    assert answer.status_code == 409


@pytest.mark.parametrize(
    "slug", ["ab", "a" * 64, "Upper", "with space", "下划线", "under_score", "nl-end\n", ""]
)
def test_a_bad_address_is_422(api: Api, version: ModelVersion, slug: str) -> None:
    answer = ask(api("owner"), "", body(version, slug=slug))
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "slug"


def test_an_unusable_version_is_409(api: Api, version: ModelVersion) -> None:
    ModelVersion.objects.update(usable=False)
    answer = ask(api("owner"), "", body(version))
    assert (answer.status_code, answer.json()["code"]) == (409, "version-unusable")


def test_an_unknown_or_foreign_version_is_404(team: Team, api: Api, version: ModelVersion) -> None:
    foreign = make_version(team.other)
    assert ask(api("owner"), "", body(version) | {"version": 9}).status_code == 404
    assert ask(api("owner"), "", body(foreign)).status_code == 404


# ---- switching --------------------------------------------------------------------------------------------


@pytest.fixture
def second(service: Service, team: Team) -> ModelVersion:
    """A sharper version 2 of the served model."""
    return make_version(team.project, sharpness=8.0)


def predict(api: Api) -> tuple[str, str]:
    """Version and score of an answer."""
    url = "/api/v1/services/colours/predict"
    answer = api("owner").generic("POST", url, picture("red"), content_type="image/png")
    return answer["X-Taxon-Version"], answer.json()["scores"][0][1]


def test_a_switch_answers_with_the_other_version_at_once(api: Api, second: ModelVersion) -> None:
    assert predict(api) == ("1", "0.965")
    answer = ask(api("owner"), "/colours/switch", {"versions": [{"version": 2, "share": 100}]})
    assert (answer.status_code, answer.json()["revision"]) == (200, 2)
    assert answer.json()["versions"] == [{"version": 2, "share": 100}]
    assert predict(api) == ("2", "0.999")


def test_a_roll_back_serves_what_was_served_before(api: Api, second: ModelVersion) -> None:
    ask(api("owner"), "/colours/switch", {"versions": [{"version": 2}], "file": "onnx", "threshold": 0.9})
    answer = ask(api("owner"), "/colours/rollback").json()
    assert (answer["revision"], answer["versions"]) == (3, [{"version": 1, "share": 100}])
    assert answer["threshold"] is None
    assert predict(api)[0] == "1"
    nothing = ask(api("owner"), "/colours/rollback")
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing-earlier")


def test_rolling_back_walks_back_in_time_instead_of_to_and_fro(
    api: Api, second: ModelVersion, team: Team
) -> None:
    make_version(team.project, sharpness=2.0)
    for number in (2, 3):
        ask(api("owner"), "/colours/switch", {"versions": [{"version": number}]})
    shown = [ask(api("owner"), "/colours/rollback").json()["versions"][0]["version"] for _ in range(2)]
    assert shown == [2, 1]
    named = ask(api("owner"), "/colours/rollback", {"revision": 3}).json()
    assert named["versions"][0]["version"] == 3
    assert ask(api("owner"), "/colours/rollback", {"revision": 99}).status_code == 404


def test_shares_divide_the_requests(api: Api, second: ModelVersion) -> None:
    ask(
        api("owner"),
        "/colours/switch",
        {"versions": [{"version": 1, "share": 50}, {"version": 2, "share": 50}]},
    )
    answered = {predict(api)[0] for _ in range(40)}
    assert answered == {"1", "2"}  # one of them alone: once in 5 × 10¹¹ runs


@pytest.mark.parametrize(
    "versions",
    [
        [{"version": 1, "share": 50}],
        [{"version": 1, "share": 60}, {"version": 2, "share": 60}],
        [{"version": 1, "share": 50}, {"version": 1, "share": 50}],
        [{"version": 1, "share": 0}, {"version": 2, "share": 100}],
        [],
    ],
)
def test_shares_that_make_no_whole_are_422_and_change_nothing(
    api: Api, second: ModelVersion, versions: list[dict[str, int]]
) -> None:
    assert ask(api("owner"), "/colours/switch", {"versions": versions}).status_code == 422
    assert Revision.objects.count() == 1


def test_an_unknown_version_or_a_file_not_built_changes_nothing(api: Api, second: ModelVersion) -> None:
    assert ask(api("owner"), "/colours/switch", {"versions": [{"version": 7}]}).status_code == 404
    answer = ask(api("owner"), "/colours/switch", {"versions": [{"version": 2}], "file": "onnx-int8"})
    assert (answer.status_code, answer.json()["code"]) == (409, "file-not-built")
    assert Revision.objects.count() == 1


@pytest.mark.disk
def test_a_switch_to_a_damaged_file_leaves_the_old_version_serving(
    api: Api, second: ModelVersion, tmp_path: Path
) -> None:
    path = tmp_path / "files" / second.file_key
    path.chmod(0o600)
    path.write_bytes(b"not a model")
    answer = ask(api("owner"), "/colours/switch", {"versions": [{"version": 2}]})
    assert (answer.status_code, answer.json()["code"]) == (503, "model-unavailable")
    assert predict(api)[0] == "1"
    assert Revision.objects.count() == 1


def test_a_request_cannot_be_switched(team: Team, api: Api) -> None:
    make_service(team, online=False)
    assert ask(api("owner"), "/colours/switch", {"versions": [{"version": 1}]}).status_code == 409


# ---- who may ----------------------------------------------------------------------------------------------

OWNERS_ACTS = ["approve", "reject", "offline", "online", "release", "rollback", "switch"]


@pytest.mark.parametrize("act", OWNERS_ACTS)
def test_only_an_owner_decides(api: Api, page: Page, service: Service, act: str) -> None:
    data = {"versions": [{"version": 1}]} if act == "switch" else {}
    for role, expected in {"viewer": 403, "labeller": 403, "engineer": 403, "stranger": 404}.items():
        assert ask(page(role), f"/colours/{act}", data).status_code == expected, role
    assert ask(api("owner", scopes=["read", "train"]), f"/colours/{act}", data).status_code == 403
    assert ask(Client(enforce_csrf_checks=True), f"/colours/{act}", data).status_code == 401
    assert state() == ServiceState.ONLINE


def test_an_engineer_may_ask_and_a_labeller_may_not(page: Page, version: ModelVersion) -> None:
    assert ask(page("labeller"), "", body(version)).status_code == 403
    assert ask(page("engineer"), "", body(version)).status_code == 201
    assert ask(page("stranger"), "", body(version, slug="other")).status_code == 404


def test_everybody_of_the_project_sees_its_services_and_nobody_else(api: Api, service: Service) -> None:
    listed = api("viewer").get("/api/v1/services").json()
    assert [item["slug"] for item in listed["items"]] == ["colours"] and listed["next"] is None
    assert api("stranger").get("/api/v1/services").json()["items"] == []
    assert api("stranger").get("/api/v1/services/colours").status_code == 404
    assert api("owner", scopes=["predict"]).get("/api/v1/services").status_code == 403


def test_services_are_paged(team: Team, api: Api, version: ModelVersion) -> None:
    for slug in ("one", "two", "three"):
        make_service(team, slug=slug, version=version)
    first = api("viewer").get("/api/v1/services?limit=2").json()
    rest = api("viewer").get(f"/api/v1/services?limit=2&cursor={first['next']}").json()
    assert [item["slug"] for item in first["items"] + rest["items"]] == ["one", "two", "three"]


# ---- tokens and feedback ----------------------------------------------------------------------------------


def test_a_service_token_is_shown_once_listed_without_its_secret_and_ended(
    api: Api, service: Service
) -> None:
    owner = api("owner")
    made = ask(owner, "/colours/tokens", {"name": "app", "expires": "2099-01-01T00:00:00Z"}).json()
    assert made["token"].startswith("tx_") and made["expires"].startswith("2099")
    listed = owner.get("/api/v1/services/colours/tokens")
    assert made["token"] not in listed.content.decode()
    assert [item["prefix"] for item in listed.json()["items"]] == [made["prefix"]]
    ended = ask(owner, f"/colours/tokens/{made['id']}/revoke").json()
    assert ended["revoked"]
    program = Client(headers={"Authorization": f"Bearer {made['token']}"})
    answer = program.generic("POST", "/api/v1/services/colours/predict", picture(), content_type="image/png")
    assert answer.status_code == 401


@pytest.mark.parametrize(
    "data", [{}, {"name": " "}, {"name": "a", "expires": "soon"}, {"name": "a", "expires": "2001-01-01"}]
)
def test_a_bad_token_wish_is_422(api: Api, service: Service, data: dict[str, str]) -> None:
    assert ask(api("owner"), "/colours/tokens", data).status_code == 422


def test_a_labeller_makes_no_tokens(page: Page, service: Service) -> None:
    assert ask(page("labeller"), "/colours/tokens", {"name": "app"}).status_code == 403


def test_feedback_names_the_right_label_and_can_be_corrected(
    api: Api, call: Client, service: Service
) -> None:
    url = "/api/v1/services/colours/predict"
    made = call.generic("POST", url, picture("red"), content_type="image/png")["X-Prediction-Id"]
    first = ask(call, "/colours/feedback", {"prediction": made, "label": "绿"})
    again = ask(call, "/colours/feedback", {"prediction": made, "label": "蓝"})
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == {"id": first.json()["id"], "prediction": made, "picture": 0, "label": "蓝"}


def test_feedback_to_nothing_or_with_an_unknown_label_is_refused(team: Team, api: Api, call: Client) -> None:
    url = "/api/v1/services/colours/predict"
    made = call.generic("POST", url, picture("red"), content_type="image/png")["X-Prediction-Id"]
    for prediction in ("00000000-0000-0000-0000-000000000000", "nonsense"):
        assert ask(call, "/colours/feedback", {"prediction": prediction, "label": "绿"}).status_code == 404
    unknown = ask(call, "/colours/feedback", {"prediction": made, "label": "紫"})
    assert (unknown.status_code, unknown.json()["code"]) == (422, "unknown-label")
    beyond = ask(call, "/colours/feedback", {"prediction": made, "label": "绿", "picture": 1})
    assert beyond.status_code == 422
    make_service(team, slug="other")
    assert ask(api("owner"), "/other/feedback", {"prediction": made, "label": "绿"}).status_code == 404
