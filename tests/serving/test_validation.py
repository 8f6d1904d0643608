"""Trying pictures on a version, through the API."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from serving.models import Validation
from tests.factories import picture
from training.models import ModelVersion

Api = Callable[..., Client]


def url(version: ModelVersion) -> str:
    return f"/api/v1/models/{version.model_id}/versions/{version.number}/validate"


def files(*colours: str) -> dict[str, list[SimpleUploadedFile]]:
    return {"images": [SimpleUploadedFile(f"{colour}.png", picture(colour)) for colour in colours]}


def test_answers_come_in_the_order_of_the_pictures(api: Api, version: ModelVersion) -> None:
    answer = api("labeller").post(url(version), files("blue", "red"))
    assert answer.status_code == 200
    assert answer.json() == [
        {
            "file": "blue.png",
            "predicted_label": "蓝",
            "scores": [["蓝", "0.965"], ["红", "0.018"], ["绿", "0.018"]],
        },
        {
            "file": "red.png",
            "predicted_label": "红",
            "scores": [["红", "0.965"], ["绿", "0.018"], ["蓝", "0.018"]],
        },
    ]
    assert "蓝" in answer.content.decode()


def test_a_broken_picture_has_its_reason_and_the_others_their_answer(api: Api, version: ModelVersion) -> None:
    sent = files("red", "blue")
    sent["images"].insert(1, SimpleUploadedFile("断.jpg", picture(form="JPEG")[:200]))
    first, broken, last = api("labeller").post(url(version), sent).json()
    assert (first["predicted_label"], last["predicted_label"]) == ("红", "蓝")
    assert broken == {
        "file": "断.jpg",
        "error": {"code": "broken", "detail": "The picture is damaged or cut short and cannot be decoded."},
    }


def test_a_picture_over_the_size_limit_has_its_reason(api: Api, version: ModelVersion, settings) -> None:  # type: ignore[no-untyped-def]
    settings.MAX_PIXELS = 10
    (only,) = api("labeller").post(url(version), files("red")).json()
    assert only["error"]["code"] == "too-many-pixels"


def test_ten_are_taken_and_eleven_refused(api: Api, version: ModelVersion) -> None:
    assert len(api("labeller").post(url(version), files(*["red"] * 10)).json()) == 10
    answer = api("labeller").post(url(version), files(*["red"] * 11))
    assert (answer.status_code, answer.json()["code"]) == (413, "too-many-pictures")
    assert Validation.objects.count() == 1


@pytest.mark.parametrize("form", [{}, {"other": "x"}])
def test_none_is_422(api: Api, version: ModelVersion, form: dict[str, str]) -> None:
    answer = api("labeller").post(url(version), form)
    assert (answer.status_code, answer.json()["code"]) == (422, "no-picture")


def test_an_unusable_version_is_409(api: Api, version: ModelVersion) -> None:
    ModelVersion.objects.update(usable=False)
    answer = api("labeller").post(url(version), files("red"))
    assert (answer.status_code, answer.json()["code"]) == (409, "version-unusable")


def test_who_may_try(api: Api, page: Callable[[str], Client], version: ModelVersion) -> None:
    assert api("stranger").post(url(version), files("red")).status_code == 404
    assert page("viewer").post(url(version), files("red")).status_code == 403
    assert api("owner", scopes=["read"]).post(url(version), files("red")).status_code == 403
    assert Client(enforce_csrf_checks=True).post(url(version), files("red")).status_code == 401
    assert api("labeller").get(url(version)).status_code == 405


def test_the_trial_is_kept(api: Api, version: ModelVersion) -> None:
    answer = api("labeller").post(url(version), files("red"))
    kept = Validation.objects.get()
    assert kept.results == answer.json() and kept.created_by is not None
