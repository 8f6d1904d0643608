"""The pages of serving: each works, refuses the wrong method and the stranger, and says what was wrong."""

import re
from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from config.home import path_of
from projects.models import AccessToken
from serving.models import PredictionRecord, Revision, Service, ServiceState, Validation
from tests.factories import Team, picture
from tests.serving.makers import make_service, make_version
from training.models import ModelVersion

Page = Callable[[str], Client]
GETS = ["list", "validate", "publish", "detail", "status", "release"]
POSTS = ["approve", "reject", "offline", "online", "switch", "rollback", "token-make", "token-revoke", "try"]


def address(name: str, team: Team) -> str:
    """The page of that name about the first service."""
    service = Service.objects.get(slug="colours")
    if name == "list":
        return reverse("serving:list", args=[team.project.pk])
    if name in ("validate", "publish"):
        return reverse(f"serving:{name}", args=[service.model_id, 1])
    if name == "token-revoke":
        token, _ = AccessToken.objects.get_or_create(
            project=team.project, user=team.people["owner"], resource=service.resource, name="app"
        )
        return reverse("serving:token-revoke", args=["colours", token.pk])
    return reverse(f"serving:{name}", args=["colours"])


def file(colour: str = "red", name: str = "a.png", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, picture(colour) if data is None else data)


@pytest.mark.parametrize("name", GETS)
def test_a_page_works_for_the_owner(page: Page, team: Team, service: Service, name: str) -> None:
    assert page("owner").get(address(name, team)).status_code == 200


@pytest.mark.parametrize("name", GETS)
def test_a_stranger_gets_404(page: Page, team: Team, service: Service, name: str) -> None:
    assert page("stranger").get(address(name, team)).status_code == 404


@pytest.mark.parametrize("name", POSTS)
def test_a_stranger_cannot_act(page: Page, team: Team, service: Service, name: str) -> None:
    assert page("stranger").post(address(name, team)).status_code == 404
    service.refresh_from_db()
    assert service.state == ServiceState.ONLINE


@pytest.mark.parametrize("name", POSTS)
def test_an_act_is_never_a_get(page: Page, team: Team, service: Service, name: str) -> None:
    assert page("owner").get(address(name, team)).status_code == 405


@pytest.mark.parametrize("name", ["list", "detail", "status"])
def test_a_page_to_read_takes_no_post(page: Page, team: Team, service: Service, name: str) -> None:
    assert page("owner").post(address(name, team)).status_code == 405


@pytest.mark.parametrize("name", GETS)
def test_nobody_is_sent_to_sign_in(client: Client, team: Team, service: Service, name: str) -> None:
    answer = client.get(address(name, team))
    assert answer.status_code == 302 and answer["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("name", ["approve", "reject", "offline", "online", "switch", "rollback", "release"])
def test_only_an_owner_acts(page: Page, team: Team, service: Service, name: str) -> None:
    for role in ("viewer", "labeller", "engineer"):
        assert page(role).post(address(name, team)).status_code == 403
    service.refresh_from_db()
    assert service.state == ServiceState.ONLINE and service.released_at is None


def test_a_viewer_neither_validates_nor_publishes(page: Page, team: Team, service: Service) -> None:
    assert page("viewer").get(address("validate", team)).status_code == 403
    assert page("labeller").get(address("publish", team)).status_code == 403
    assert page("viewer").post(address("try", team), {"images": file()}).status_code == 403


# ---- validate ---------------------------------------------------------------------------------------------


def test_the_validate_page_shows_each_picture_with_its_scores(
    page: Page, team: Team, service: Service
) -> None:
    sent = {"images": [file("red"), file("blue", "蓝色.png"), file(data=b"junk", name="x.jpg")]}
    answer = page("labeller").post(address("validate", team), sent)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert (
        text.count("data:image/jpeg;base64,") == 4
    )  # a thumbnail and a large one for each that could be read
    assert '<rect width="96.5%"' in text and "蓝色.png" in text
    assert "The file is not a picture." in text
    assert len(Validation.objects.get().results) == 3


def test_the_validate_page_refuses_eleven_and_none(page: Page, team: Team, service: Service) -> None:
    many = page("owner").post(address("validate", team), {"images": [file() for _ in range(11)]})
    none = page("owner").post(address("validate", team), {})
    assert (many.status_code, none.status_code) == (413, 422)
    assert "At most 10 pictures" in many.content.decode()


def test_an_unusable_version_says_so(page: Page, team: Team, service: Service) -> None:
    ModelVersion.objects.update(usable=False)
    tried = page("owner").post(address("validate", team), {"images": file()})
    assert tried.status_code == 409 and "no usable model" in tried.content.decode()
    assert "cannot be published" in page("owner").get(address("publish", team)).content.decode()


# ---- publish ----------------------------------------------------------------------------------------------


def test_publishing_leads_to_the_service(page: Page, team: Team) -> None:
    version = make_version(team.project, name="City wildlife")
    url = reverse("serving:publish", args=[version.model_id, 1])
    assert 'value="city-wildlife"' in page("engineer").get(url).content.decode()
    answer = page("engineer").post(
        url, {"name": "City wildlife", "slug": "city-wildlife", "threshold": "0.4"}
    )
    assert answer["Location"] == "/services/city-wildlife/"
    service = Service.objects.get()
    assert (service.state, service.revision.threshold) == (ServiceState.REQUESTED, 0.4)  # type: ignore[union-attr]


def test_a_name_without_latin_letters_proposes_no_address(
    page: Page, team: Team, version: ModelVersion
) -> None:
    text = page("owner").get(reverse("serving:publish", args=[version.model_id, 1])).content.decode()
    assert re.search(r'<input[^>]*name="slug"[^>]*>', text) and 'name="slug" value=' not in text


@pytest.mark.parametrize(
    ("slug", "sentence"),
    [
        ("colours", "is taken; “colours-2” is free"),
        ("No!", "lower-case letters"),
        ("", "This field is required"),
    ],
)
def test_a_bad_address_stays_on_the_form_with_its_reason(
    page: Page, team: Team, service: Service, slug: str, sentence: str
) -> None:
    answer = page("owner").post(address("publish", team), {"name": "Again", "slug": slug})
    assert answer.status_code == 422 and sentence in answer.content.decode()
    assert Service.objects.count() == 1


# ---- the service ------------------------------------------------------------------------------------------


def test_the_page_says_how_to_call_with_the_real_address(
    page: Page, team: Team, service: Service, settings
) -> None:  # type: ignore[no-untyped-def]
    settings.BASE_URL = "https://taxon.example"
    text = page("viewer").get(address("detail", team)).content.decode()
    assert "-F images=@photo.jpg https://taxon.example/api/v1/services/colours/predict" in text


def test_a_new_token_stands_in_the_call_once(page: Page, team: Team, service: Service) -> None:
    text = page("engineer").post(address("token-make", team), {"name": "app"}).content.decode()
    secret = re.search(r"Authorization: Bearer (tx_[\w-]+)", text.replace("&quot;", '"'))
    assert secret and text.count(secret[1]) == 3
    program = Client(headers={"Authorization": f"Bearer {secret[1]}"})
    assert program.post("/api/v1/services/colours/predict", {"images": file()}).status_code == 200
    assert secret[1] not in page("engineer").get(address("detail", team)).content.decode()
    assert page("engineer").post(address("token-make", team), {"name": ""}).status_code == 422


def test_revoking_on_the_page_ends_the_token_at_once(
    page: Page, team: Team, call: Client, service: Service
) -> None:
    token = AccessToken.objects.get(resource=service.resource)
    page("owner").post(reverse("serving:token-revoke", args=["colours", token.pk]))
    assert call.post("/api/v1/services/colours/predict", {"images": file()}).status_code == 401


def test_trying_without_scripts_shows_bars_and_the_json(page: Page, team: Team, service: Service) -> None:
    text = page("labeller").post(address("try", team), {"images": file("blue")}).content.decode()
    assert '{"predicted_label": "蓝", "scores": [["蓝", "0.965"]' in text.replace("&quot;", '"')
    assert PredictionRecord.objects.get().caller == "labeller"


def test_trying_with_junk_or_nothing_says_why(page: Page, team: Team, service: Service) -> None:
    junk = page("labeller").post(address("try", team), {"images": file(data=b"junk")})
    nothing = page("labeller").post(address("try", team), {})
    assert (junk.status_code, nothing.status_code) == (400, 422)
    assert "The file is not a picture." in junk.content.decode()


def test_the_buttons_do_what_they_say(page: Page, team: Team) -> None:
    make_service(team, online=False)
    owner = page("owner")
    for act, state in [("approve", "warming"), ("offline", "offline"), ("online", "warming")]:
        assert owner.post(address(act, team))["Location"] == "/services/colours/"
        assert Service.objects.get().state == state


def test_a_button_that_came_too_late_says_so(page: Page, team: Team, service: Service) -> None:
    answer = page("owner").post(address("reject", team), follow=True)
    assert "this cannot be done from there" in answer.content.decode()


def test_switching_and_rolling_back_on_the_page(page: Page, team: Team, service: Service) -> None:
    make_version(team.project)
    owner = page("owner")
    owner.post(address("switch", team), {"version": "2", "threshold": "0.5"})
    owner.post(address("switch", team), {"version": "several", "share-1": "30", "share-2": "70"})
    owner.post(address("rollback", team), {"revision": "1"})
    served = [[(e["number"], e["share"]) for e in r.versions] for r in Revision.objects.order_by("number")]
    assert served == [[(1, 100)], [(2, 100)], [(1, 30), (2, 70)], [(1, 100)]]
    text = owner.get(address("detail", team)).content.decode()
    assert "brings back revision 1" in text


@pytest.mark.parametrize(
    "form",
    [
        {"version": "nonsense"},
        {"version": "several", "share-1": "10"},
        {"version": "several", "share-1": "abc"},
        {"version": "1", "threshold": "7"},
        {},
    ],
)
def test_a_bad_switch_changes_nothing_and_says_why(
    page: Page, team: Team, service: Service, form: dict[str, str]
) -> None:
    answer = page("owner").post(address("switch", team), form, follow=True)
    assert answer.status_code == 200 and 'data-kind="error"' in answer.content.decode()
    assert Revision.objects.count() == 1


def test_giving_up_needs_the_address_typed(page: Page, team: Team, service: Service) -> None:
    owner = page("owner")
    wrong = owner.post(address("release", team), {"name": "colour"})
    assert wrong.status_code == 422 and "not the address" in wrong.content.decode()
    right = owner.post(address("release", team), {"name": "colours"})
    assert right["Location"] == f"/projects/{team.project.pk}/services/"
    assert owner.get("/services/colours/").status_code == 404


def test_a_waiting_request_says_who_decides(page: Page, team: Team) -> None:
    make_service(team, online=False)
    assert "engineer asks for this service" in page("owner").get(address("detail", team)).content.decode()
    assert "has to approve" in page("viewer").get(address("detail", team)).content.decode()


def test_the_list_counts_the_calls_of_today(page: Page, team: Team, call: Client, service: Service) -> None:
    for _ in range(3):
        call.post("/api/v1/services/colours/predict", {"images": file()})
    text = page("viewer").get(address("list", team)).content.decode()
    assert re.search(r'<td class="number">\s*3\s*</td>', text)


def test_an_empty_list_says_what_comes_first(page: Page, team: Team) -> None:
    url = reverse("serving:list", args=[team.project.pk])
    assert "Train a model first" in page("owner").get(url).content.decode()
    make_version(team.project)
    assert "Publish version 1" in page("owner").get(url).content.decode()


def test_the_last_steps_of_the_path_follow_what_was_done(
    page: Page, team: Team, version: ModelVersion
) -> None:
    def steps() -> dict[str, tuple[bool, str]]:
        path = {entry["step"].key: entry["state"] for entry in path_of(team.project)}  # type: ignore[attr-defined]
        return {key: (path[key].done, path[key].url) for key in ("validate", "publish")}

    publish = f"/models/{version.model_id}/versions/1/publish/"
    validate = f"/models/{version.model_id}/versions/1/validate/"
    assert steps() == {"validate": (False, validate), "publish": (False, publish)}
    page("owner").post(validate, {"images": file()})
    make_service(team, version=version)
    assert steps() == {
        "validate": (True, validate),
        "publish": (True, f"/projects/{team.project.pk}/services/"),
    }


def test_names_of_people_and_files_are_inert(page: Page, team: Team) -> None:
    version = make_version(team.project, name="<script>alert(1)</script>")
    make_service(team, version=version)
    evil = file(name="<img src=x onerror=alert(1)>.png")
    for text in (
        page("owner").get(address("detail", team)).content.decode(),
        page("owner").post(address("validate", team), {"images": evil}).content.decode(),
    ):
        assert "<script>alert" not in text and "<img src=x" not in text
