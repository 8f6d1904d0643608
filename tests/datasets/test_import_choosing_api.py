"""Imports that wait for a choice, in the JSON API."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from datasets.models import ImportState
from tests.datasets.makers import Work, make_dataset, taken
from tests.datasets.test_import_choosing import asked, files
from tests.factories import Team, picture


def test_a_program_asks_reads_the_plan_and_chooses(
    work: Work, team: Team, api: Callable[..., Client]
) -> None:
    dataset, client = make_dataset(team), api("labeller")
    base = f"/api/v1/datasets/{dataset.pk}/imports"
    archive = SimpleUploadedFile(*files("Cat/1.png", "cat/2.png", "x/3.png"))
    about = {"review": "true", "licence": "CC0 1.0", "source_note": "the web"}
    begun = client.post(base, {"archive": archive} | about).json()
    assert (begun["licence"], begun["source_note"]) == ("CC0 1.0", "the web")
    assert client.get(f"{base}/{begun['id']}/plan").status_code == 409  # it has not been read yet
    work()
    assert client.get(f"{base}/{begun['id']}").json()["state"] == "choosing"
    plan = client.get(f"{base}/{begun['id']}/plan").json()
    assert [(each["name"], each["proposed"], each["why"]) for each in plan["names"]] == [
        ("Cat", "Cat", ""), ("cat", "Cat", "lookalike"), ("x", "x", ""),
    ]  # fmt: skip
    body = {"labels": {"cat": "Cat", "x": None}, "conflicts": "keep"}
    answer = client.post(f"{base}/{begun['id']}/choices", body, content_type="application/json")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    again = client.post(f"{base}/{begun['id']}/choices", body, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "import-not-choosing")
    work()
    assert taken(dataset) == {"1.png": "Cat", "2.png": "Cat", "3.png": None}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"labels": {"cow": "x"}}, "unknown-choice"),
        ({"labels": {"cat": "a/b"}}, "bad-label"),
        ({"encoding": "utf-7"}, "unknown-encoding"),
        ({"left_out": ["cow"]}, "unknown-choice"),
    ],
)
def test_a_program_is_told_which_choice_cannot_be(
    work: Work, team: Team, api: Callable[..., Client], body: dict[str, object], code: str
) -> None:
    found = asked(work, team, make_dataset(team), files("cat/1.png"))
    address = f"/api/v1/datasets/{found.dataset_id}/imports/{found.pk}/choices"
    answer = api("labeller").post(address, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    found.refresh_from_db()
    assert found.state == ImportState.CHOOSING


def test_a_made_up_review_is_refused(team: Team, api: Callable[..., Client]) -> None:
    dataset = make_dataset(team)
    sent = {"images": SimpleUploadedFile("1.png", picture()), "review": "perhaps"}
    answer = api("labeller").post(f"/api/v1/datasets/{dataset.pk}/imports", sent)
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown-review")
