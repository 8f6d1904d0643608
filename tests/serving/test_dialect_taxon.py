"""Dialect 1 to the letter."""

import re
import uuid

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django.fixtures import Settings

from serving.models import PredictionRecord, Service
from tests.factories import Team, picture
from tests.serving.makers import make_service, make_version

URL = "/api/v1/services/colours/predict"


def file(colour: str = "red", name: str = "a.png", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture(colour) if data is None else data)


def test_one_file_answers_one_object(call: Client, service: Service) -> None:
    answer = call.post(URL, {"images": file("red")})
    assert answer.status_code == 200
    high, low = np.exp(4) / (np.exp(4) + 2), 1 / (np.exp(4) + 2)
    pairs = f'["红", "{high:.3f}"], ["绿", "{low:.3f}"], ["蓝", "{low:.3f}"]'
    expected = f'{{"predicted_label": "红", "scores": [{pairs}]}}'
    assert answer.content.decode() == expected
    assert answer["Content-Type"].startswith("application/json")


def test_several_files_answer_a_list_in_their_order(call: Client, service: Service) -> None:
    answer = call.post(URL, {"images": [file("blue", "b.png"), file("red"), file("#00ff00")]})
    assert [each["predicted_label"] for each in answer.json()] == ["蓝", "红", "绿"]
    assert [list(each) for each in answer.json()] == [["predicted_label", "scores"]] * 3


@pytest.mark.parametrize("kind", ["image/png", "image/jpeg", "image/*", "IMAGE/PNG"])
def test_a_raw_body_is_one_picture_whose_type_is_seen_in_its_content(
    call: Client, service: Service, kind: str
) -> None:
    answer = call.generic("POST", URL, picture("blue"), content_type=kind)
    assert (answer.status_code, answer.json()["predicted_label"]) == (200, "蓝")


def test_the_token_may_come_in_x_auth_token(service: Service, service_token: str) -> None:
    answer = Client().post(URL, {"images": file()}, headers={"X-Auth-Token": service_token})
    assert answer.status_code == 200


def test_ties_are_in_label_order(call: Client, service: Service) -> None:
    assert call.post(URL, {"images": file("#808080")}).json() == {
        "predicted_label": "红",
        "scores": [["红", "0.333"], ["绿", "0.333"], ["蓝", "0.333"]],
    }


def test_top_bounds_the_pairs(call: Client, service: Service) -> None:
    assert len(call.post(f"{URL}?top=1", {"images": file()}).json()["scores"]) == 1
    assert len(call.post(f"{URL}?top=1000", {"images": file()}).json()["scores"]) == 3


def test_five_pairs_are_the_default(team: Team, api) -> None:  # type: ignore[no-untyped-def]
    version = make_version(team.project, labels=("红", "绿", "蓝", "d", "e", "f", "g"))
    make_service(team, version=version, slug="seven")
    answer = api("owner").post("/api/v1/services/seven/predict", {"images": file("#fe0000")}).json()
    assert [label for label, _ in answer["scores"]] == ["红", "绿", "蓝", "d", "e"]


@pytest.mark.parametrize("top", ["0", "-1", "many", "1001", "1.5"])
def test_a_bad_top_is_422(call: Client, service: Service, top: str) -> None:
    answer = call.post(f"{URL}?top={top}", {"images": file()})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "top")


def test_below_the_threshold_no_label_is_predicted_and_the_scores_stay(team: Team, api) -> None:  # type: ignore[no-untyped-def]
    make_service(team, slug="strict", threshold=0.99)
    answer = api("owner").post("/api/v1/services/strict/predict", {"images": file("red")}).json()
    assert answer["predicted_label"] is None
    assert answer["scores"][0] == ["红", "0.965"]


def test_each_answer_names_its_prediction_version_and_revision(call: Client, service: Service) -> None:
    answer = call.post(URL, {"images": file()})
    record = PredictionRecord.objects.get(pk=uuid.UUID(answer["X-Prediction-Id"]))
    assert (answer["X-Taxon-Version"], answer["X-Taxon-Revision"]) == ("1", "1")
    assert record.service == service and record.revision == service.revision
    assert record.answers == [["红", pytest.approx(0.9647, abs=1e-4)]]
    assert record.caller.startswith("tx_") and record.milliseconds > 0


def test_a_session_with_csrf_may_predict_and_without_it_may_not(team: Team, service: Service) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(team.people["labeller"])
    refused = browser.post(URL, {"images": file()})
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    browser.get(f"/projects/{team.project.pk}/services/")
    page = browser.get("/services/colours/").content.decode()
    token = re.search('name="csrf-token" content="([^"]+)"', page)
    assert token
    answer = browser.post(URL, {"images": file()}, headers={"X-CSRFToken": token[1]})
    assert answer.status_code == 200


def test_a_token_needs_no_csrf(service: Service, service_token: str) -> None:
    program = Client(enforce_csrf_checks=True, headers={"Authorization": f"Bearer {service_token}"})
    assert program.post(URL, {"images": file()}).status_code == 200


# ---- refusals ---------------------------------------------------------------------------------------------


def refusal(answer) -> tuple[int, str]:  # type: ignore[no-untyped-def]
    """Status and code of a problem document, whose shape is checked."""
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert set(body) >= {"type", "title", "status", "code", "detail"} and body["status"] == answer.status_code
    assert "Traceback" not in body["detail"]
    return answer.status_code, body["code"]


BROKEN = picture("red", form="JPEG")[:300]
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"/>'
GIF = b"GIF89a" + bytes(40)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"hello", (400, "not-an-image")),
        (BROKEN, (400, "broken")),
        (b"", (400, "empty")),
        (SVG, (415, "type-not-taken")),
        (GIF, (415, "type-not-taken")),
    ],
)
def test_what_is_not_a_picture_is_refused_as_a_file(
    call: Client, service: Service, data: bytes, expected: tuple[int, str]
) -> None:
    assert refusal(call.post(URL, {"images": file(data=data)})) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"hello", (400, "not-an-image")),
        (BROKEN, (400, "broken")),
        (b"", (400, "no-picture")),
        (GIF, (415, "type-not-taken")),
    ],
)
def test_what_is_not_a_picture_is_refused_as_a_body(
    call: Client, service: Service, data: bytes, expected: tuple[int, str]
) -> None:
    assert refusal(call.generic("POST", URL, data, CONTENT_TYPE="image/jpeg")) == expected


def test_one_bad_picture_refuses_all_and_is_named(call: Client, service: Service) -> None:
    answer = call.post(URL, {"images": [file(), file(data=BROKEN, name="猫.jpg"), file()]})
    assert refusal(answer) == (400, "broken")
    assert "2 (猫.jpg) of 3" in answer.json()["detail"]
    assert not PredictionRecord.objects.exists()


def test_too_many_bytes_are_413_as_body_and_as_file(
    call: Client, service: Service, settings: Settings
) -> None:
    settings.MAX_FILE_BYTES = 1000
    large = picture("red", form="BMP")
    assert refusal(call.generic("POST", URL, large, content_type="image/bmp")) == (413, "too-many-bytes")
    assert refusal(call.post(URL, {"images": file(data=large)})) == (413, "too-many-bytes")


def test_a_body_over_the_limit_is_refused_by_its_announced_length(call: Client, service: Service) -> None:
    body = bytes(10 * 1024**2 + 1)
    assert refusal(call.generic("POST", URL, body, content_type="image/png")) == (413, "too-many-bytes")


def test_too_many_pixels_are_413(call: Client, service: Service, settings: Settings) -> None:
    settings.MAX_PIXELS = 100
    assert refusal(call.post(URL, {"images": file()})) == (413, "too-many-pixels")


def test_32_pictures_are_taken_and_33_are_413(call: Client, service: Service) -> None:
    assert len(call.post(URL, {"images": [file() for _ in range(32)]}).json()) == 32
    assert refusal(call.post(URL, {"images": [file() for _ in range(33)]})) == (413, "too-many-pictures")


@pytest.mark.parametrize(
    "kind",
    ["text/plain", "application/octet-stream", "application/json", "application/x-www-form-urlencoded"],
)
def test_other_media_types_are_415(call: Client, service: Service, kind: str) -> None:
    assert refusal(call.generic("POST", URL, b"{}", content_type=kind)) == (415, "media-type-not-taken")


@pytest.mark.parametrize("form", [{}, {"file": 1}, {"images": "text"}])
def test_a_form_without_pictures_is_400(call: Client, service: Service, form: dict[str, object]) -> None:
    assert refusal(call.post(URL, form)) == (400, "no-picture")


@pytest.mark.parametrize(
    ("kind", "body"),
    [("multipart/form-data", b"x"), ("multipart/form-data; boundary=b", b"--b\r\nContent-Disposition: fo")],
)
def test_a_malformed_form_is_400(call: Client, service: Service, kind: str, body: bytes) -> None:
    assert refusal(call.generic("POST", URL, body, content_type=kind))[0] == 400


def test_a_body_of_unknown_length_is_411(call: Client, service: Service) -> None:
    answer = call.generic(
        "POST", URL, b"x", content_type="image/png", headers={"Transfer-Encoding": "chunked"}
    )
    assert refusal(answer) == (411, "length-needed")


def test_get_is_405(call: Client, service: Service) -> None:
    assert call.get(URL).status_code == 405


def test_no_or_a_wrong_token_is_401_even_where_there_is_no_service(service: Service) -> None:
    for headers in (
        {},
        {"Authorization": "Bearer wrong"},
        {"X-Auth-Token": "wrong"},
        {"Authorization": "Basic x"},
    ):
        for url in (URL, "/api/v1/services/nothing/predict"):
            program = Client(headers=headers, enforce_csrf_checks=True)
            assert refusal(program.post(url, {"images": file()})) == (401, "unauthenticated")


def test_only_who_may_list_services_hears_that_there_is_none(call: Client, service: Service, api) -> None:  # type: ignore[no-untyped-def]
    nothing = "/api/v1/services/nothing/predict"
    assert refusal(api("labeller").post(nothing, {"images": file()})) == (404, "not-found")
    assert refusal(api("stranger").post(URL, {"images": file()})) == (404, "not-found")
    assert refusal(api("stranger", scopes=["predict"]).post(URL, {"images": file()})) == (403, "forbidden")
    assert refusal(api("labeller", scopes=["predict"]).post(nothing, {"images": file()})) == (
        403,
        "forbidden",
    )
    assert refusal(call.post(nothing, {"images": file()})) == (403, "forbidden")


def test_a_viewer_and_a_token_without_the_scope_are_403(service: Service, api, page) -> None:  # type: ignore[no-untyped-def]
    assert refusal(page("viewer").post(URL, {"images": file()})) == (403, "forbidden")
    assert refusal(api("owner", scopes=["read"]).post(URL, {"images": file()})) == (403, "forbidden")
    assert api("labeller", scopes=["predict"]).post(URL, {"images": file()}).status_code == 200


def test_a_service_token_opens_nothing_else(team: Team, call: Client, service: Service) -> None:
    make_service(team, slug="other")
    assert refusal(call.post("/api/v1/services/other/predict", {"images": file()})) == (403, "forbidden")
    assert refusal(call.get("/api/v1/services")) == (403, "forbidden")
    assert refusal(call.get("/api/v1/services/colours")) == (403, "forbidden")
    assert refusal(call.post("/api/v1/services/colours/offline")) == (403, "forbidden")
    assert refusal(call.get("/api/v1/projects")) == (403, "forbidden")


def test_a_revoked_token_is_refused_at_once(team: Team, call: Client, service: Service) -> None:
    assert call.post(URL, {"images": file()}).status_code == 200
    team.project.tokens.get(resource=service.resource).revoke()
    assert refusal(call.post(URL, {"images": file()})) == (401, "unauthenticated")


def test_who_leaves_the_project_takes_the_service_tokens_along(
    team: Team, call: Client, service: Service
) -> None:
    team.project.memberships.filter(user=team.people["owner"]).delete()
    assert call.post(URL, {"images": file()}).status_code in (401, 403, 404)


@pytest.mark.parametrize("state", ["offline", "requested", "warming", "rejected"])
def test_a_service_that_is_not_online_is_409(call: Client, service: Service, state: str) -> None:
    Service.objects.filter(pk=service.pk).update(state=state)
    assert refusal(call.post(URL, {"images": file()})) == (409, "offline")


@pytest.mark.disk
def test_a_lost_model_file_is_503_with_a_time_to_come_back(
    call: Client, service: Service, settings: Settings, tmp_path
) -> None:  # type: ignore[no-untyped-def]
    for path in (tmp_path / "files" / "models").rglob("*.onnx"):
        path.unlink()
    answer = call.post(URL, {"images": file()})
    assert refusal(answer) == (503, "model-unavailable") and answer["Retry-After"]


def test_overload_is_503_with_a_time_to_come_back(
    call: Client, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving import online

    monkeypatch.setattr(online, "WAIT_SECONDS", 0.01)
    taken = [online._turns.acquire(blocking=False) for _ in range(online.AT_ONCE)]
    try:
        answer = call.post(URL, {"images": file()})
    finally:
        for _ in taken:
            online._turns.release()
    assert refusal(answer) == (503, "overloaded") and answer["Retry-After"]
    assert call.post(URL, {"images": file()}).status_code == 200


def test_the_route_is_in_the_openapi_document(client: Client) -> None:
    operation = client.get("/api/v1/openapi.json").json()["paths"]["/api/v1/services/{slug}/predict"]["post"]
    assert set(operation["requestBody"]["content"]) == {"multipart/form-data", "image/*"}
    assert [next(iter(each)) for each in operation["security"]] == [
        "BoundedToken",
        "HeaderToken",
        "BoundedSession",
    ]
