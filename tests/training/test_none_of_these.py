"""A label for pictures that are none of the labels: suggested, made in the person's language, reported apart."""

from collections.abc import Callable

import numpy as np
from django.test import Client

from datasets.models import Label
from datasets.none_of_these import names_of
from tests.factories import Team
from tests.training.makers import finished, model_of, tagged


def test_the_label_panel_suggests_it_and_makes_it_in_the_person_s_language(
    team: Team, page: Callable[[str], Client]
) -> None:
    dataset = tagged(team.project, {"red": 6, "blue": 6})
    bench, add = f"/datasets/{dataset.pk}/", f"/datasets/{dataset.pk}/labels/none-of-these/"
    engineer = page("engineer")
    assert "Pictures that are none of these?" in engineer.get(bench).content.decode()
    assert "Pictures that are none of these?" not in page("viewer").get(bench).content.decode()
    assert page("labeller").post(add).status_code == 403
    assert engineer.get(add).status_code == 405
    engineer.cookies["django_language"] = "zh-hans"
    assert "以上都不是" in engineer.post(add, follow=True).content.decode()
    label = Label.objects.get(role="none_of_these")
    assert label.name == "以上都不是"
    engineer.cookies["django_language"] = "en"
    assert "Pictures that are none of these?" not in engineer.get(bench).content.decode()
    assert "is the label for pictures that are none" in engineer.post(add, follow=True).content.decode()
    assert "none of these" in engineer.get(f"/projects/{team.project.pk}/train/").content.decode()


def test_a_program_makes_it_or_gives_the_role_to_a_label_that_is_there(
    team: Team, api: Callable[..., Client]
) -> None:
    dataset = tagged(team.project, {"red": 6, "blue": 6})
    url, engineer = f"/api/v1/datasets/{dataset.pk}/labels", api("engineer")
    answer = engineer.post(url, {"name": "blue", "role": "none_of_these"}, "application/json")
    assert (answer.status_code, answer.json()["name"], answer.json()["role"]) == (
        201,
        "blue",
        "none_of_these",
    )
    assert {each["name"]: each["role"] for each in engineer.get(url).json()["items"]} == {
        "red": None, "blue": "none_of_these",
    }  # fmt: skip
    answer = engineer.post(url, {"role": "none_of_these"}, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "none-of-these-exists")
    assert engineer.post(url, {"name": "x", "role": "other"}, "application/json").status_code == 422
    assert engineer.post(url, {}, "application/json").json()["code"] == "bad-label"
    other = tagged(team.project, {"red": 6, "blue": 6}, name="Other")
    answer = engineer.post(
        f"/api/v1/datasets/{other.pk}/labels", {"role": "none_of_these"}, "application/json"
    )
    assert answer.json()["name"] == "none of these"
    assert names_of([dataset.pk, other.pk], ["red", "blue"]) == ["blue"]


def test_the_report_says_how_often_what_is_outside_was_taken_for_a_label(
    team: Team, api: Callable[..., Client], page: Callable[[str], Client]
) -> None:
    dataset = tagged(team.project, {"red": 10, "blue": 10, "green": 10})
    Label.objects.filter(name="green").update(role="none_of_these")
    scores = np.array(
        [
            [0.8, 0.1, 0.1],
            [0.2, 0.1, 0.7],
            [0.1, 0.8, 0.1],
            [0.1, 0.8, 0.1],
            [0.1, 0.1, 0.8],
            [0.7, 0.2, 0.1],
        ],
        dtype=np.float32,
    )
    version = finished(model_of(team.project), dataset, team.people["engineer"], scores)
    assert version.labels == ["red", "blue", "green"]
    url = f"/models/{version.model_id}/versions/1/report"
    report = api("viewer").get(f"/api/v1{url}").json()
    assert report["none_of_these"] == [
        {"label": "green", "n": 2, "wrong": 1, "taken_for": {"red": 1}, "others": 4, "missed": 1}
    ]
    (said,) = (each for each in report["conclusion"] if "none of the labels" in each)
    assert said.startswith("Of 2 pictures that are none of the labels (“green”), 1 (")
    assert said.endswith(" were taken for one; of 4 others, 1 were taken for none.")
    shown = page("viewer").get(f"{url}/").content.decode()
    assert "pictures that are none of the labels" in shown and "1 of 2 taken for a label" in shown
    predicted = api("viewer").get(f"/api/v1/models/{version.model_id}/versions/1/predictions").json()
    assert {row["predicted"] for row in predicted["items"]} == {"red", "blue", "green"}
