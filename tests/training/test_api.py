"""Training through the JSON API: the contract, to the letter."""

import csv
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from datasets.models import Dataset
from jobs.models import Job
from tests.factories import Team
from tests.training.makers import add_picture, drawn, model_of, tagged
from training.models import ModelVersion, RegisteredModel

Api = Callable[..., Client]
JSON = "application/json"


def wish(*datasets: Dataset, **change: Any) -> dict[str, Any]:
    return {
        "applications": ["cloud-general"],
        "optimise_for": "top1",
        "data": [{"dataset": each.pk, "labels": "all"} for each in datasets],
        "max_minutes": 1,
    } | change


def ask(client: Client, model: RegisteredModel, body: dict[str, Any]) -> Any:
    return client.post(f"/api/v1/models/{model.pk}/versions", body, content_type=JSON)


def test_a_model_is_made_listed_and_shown(api: Api, team: Team) -> None:
    made = api("engineer").post("/api/v1/models", {"name": " Birds "}, content_type=JSON)
    assert made.status_code == 201 and made.json()["name"] == "Birds" and made.json()["versions"] == 0
    listed = api("viewer").get("/api/v1/models").json()
    assert [each["id"] for each in listed["items"]] == [made.json()["id"]] and listed["next"] is None
    assert api("viewer").get(f"/api/v1/models/{made.json()['id']}").json()["name"] == "Birds"


def test_a_models_name_is_taken_once(api: Api, model: RegisteredModel) -> None:
    answer = api("engineer").post("/api/v1/models", {"name": model.name}, content_type=JSON)
    assert (answer.status_code, answer.json()["code"]) == (409, "name-taken")


@pytest.mark.parametrize("name", ["", "   ", "x" * 81])
def test_a_model_needs_a_name(api: Api, team: Team, name: str) -> None:
    answer = api("engineer").post("/api/v1/models", {"name": name}, content_type=JSON)
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "name"


def test_a_training_is_queued_for_each_application(api: Api, model: RegisteredModel, discs: Dataset) -> None:
    body = wish(discs, applications=["cloud-general", "edge-fast"])
    answer = ask(api("engineer"), model, body)
    assert answer.status_code == 202
    assert [(each["number"], each["application"], each["state"]) for each in answer.json()] == [
        (1, "cloud-general", "queued"),
        (2, "edge-fast", "queued"),
    ]
    first = answer.json()[0]
    assert (first["progress"], first["usable"], first["ended_because"], first["metrics"]) == (
        0,
        False,
        None,
        {},
    )
    assert first["labels"] == ["red", "blue"]
    assert Job.objects.filter(kind="training.run", queue="training", state="queued").count() == 2
    assert ask(api("engineer"), model, body).json()[0]["number"] == 3


def test_versions_are_listed_in_pages(api: Api, model: RegisteredModel, discs: Dataset) -> None:
    ask(api("engineer"), model, wish(discs, applications=["cloud-general", "edge-fast", "edge-general"]))
    url = f"/api/v1/models/{model.pk}/versions"
    first = api("viewer").get(url + "?limit=2").json()
    rest = api("viewer").get(f"{url}?limit=2&cursor={first['next']}").json()
    assert [each["number"] for each in first["items"] + rest["items"]] == [1, 2, 3] and rest["next"] is None


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"applications": []}, "applications"),
        ({"applications": ["moon"]}, "applications.0"),
        ({"max_minutes": 0.5}, "max_minutes"),
        ({"max_minutes": "long"}, "max_minutes"),
        ({"optimise_for": "luck"}, "optimise_for"),
        ({"data": []}, "data"),
        ({"data": [{"labels": "all"}]}, "data.0.dataset"),
    ],
)
def test_a_wrong_wish_is_422_with_its_field(
    api: Api, model: RegisteredModel, discs: Dataset, change: dict[str, Any], field: str
) -> None:
    answer = ask(api("engineer"), model, wish(discs, **change))
    assert answer.status_code == 422
    assert field in [error["field"] for error in answer.json()["errors"]]
    assert not ModelVersion.objects.exists()


def test_an_unknown_label_is_refused_by_name(api: Api, model: RegisteredModel, discs: Dataset) -> None:
    answer = ask(api("engineer"), model, wish(data=[{"dataset": discs.pk, "labels": ["red", "mauve"]}]))
    assert (answer.status_code, answer.json()["code"]) == (422, "unknown-label")
    assert "mauve" in answer.json()["detail"]


def test_one_label_is_too_few(api: Api, model: RegisteredModel, discs: Dataset) -> None:
    answer = ask(api("engineer"), model, wish(data=[{"dataset": discs.pk, "labels": ["red"]}]))
    assert (answer.status_code, answer.json()["code"]) == (422, "too-few-pictures")


def test_a_label_with_four_pictures_is_too_small(api: Api, team: Team, model: RegisteredModel) -> None:
    answer = ask(api("engineer"), model, wish(tagged(team.project, {"red": 5, "blue": 4})))
    assert (answer.status_code, answer.json()["code"]) == (422, "too-few-pictures")
    assert "blue (4)" in answer.json()["detail"]


def test_five_pictures_a_label_are_enough(api: Api, team: Team, model: RegisteredModel) -> None:
    answer = ask(api("engineer"), model, wish(tagged(team.project, {"red": 5, "blue": 5})))
    assert answer.status_code == 202
    assert answer.json()[0]["split"]["red"] == {"train": 3, "validation": 1, "held_back": 1}


def test_a_foreign_data_set_is_404(api: Api, team: Team, model: RegisteredModel) -> None:
    foreign = tagged(team.other, {"red": 5, "blue": 5})
    assert ask(api("engineer"), model, wish(foreign)).status_code == 404


def test_labels_of_one_name_from_two_data_sets_are_one_class(
    api: Api, team: Team, model: RegisteredModel, discs: Dataset
) -> None:
    more = Dataset.objects.create(project=team.project, name="More")
    for number in range(100, 110):
        add_picture(more, drawn("red", number), "red", f"{number}.png")
    split = ask(api("engineer"), model, wish(discs, more)).json()[0]["split"]
    assert sum(split["red"].values()) == 20 and sum(split["blue"].values()) == 10


def test_one_picture_under_two_labels_is_a_conflict_to_settle(
    api: Api, team: Team, model: RegisteredModel, discs: Dataset
) -> None:
    more = tagged(team.project, {"green": 5}, "More")
    add_picture(more, drawn("red", 3), "green", "seen-before.png")
    answer = ask(api("engineer"), model, wish(discs, more))
    assert (answer.status_code, answer.json()["code"]) == (409, "one-picture-two-labels")
    assert answer.json()["detail"].startswith(
        "1 pictures stand under two labels (seen-before.png: red / green)"
    )


def test_the_same_picture_with_the_same_label_counts_once(
    api: Api, team: Team, model: RegisteredModel, discs: Dataset
) -> None:
    more = tagged(team.project, {"red": 10}, "More")
    split = ask(api("engineer"), model, wish(discs, more)).json()[0]["split"]
    assert sum(split["red"].values()) == 10


def test_only_engineers_with_the_scope_train(api: Api, model: RegisteredModel, discs: Dataset) -> None:
    assert ask(api("labeller"), model, wish(discs)).status_code == 403
    assert ask(api("engineer", scopes=["read"]), model, wish(discs)).status_code == 403
    assert ask(api("stranger"), model, wish(discs)).status_code == 404
    assert ask(Client(), model, wish(discs)).status_code == 401


def test_a_waiting_training_is_cancelled_and_stopped_at_once(
    api: Api, model: RegisteredModel, discs: Dataset
) -> None:
    ask(api("engineer"), model, wish(discs, applications=["cloud-general", "edge-fast"]))
    url = f"/api/v1/models/{model.pk}/versions"
    cancelled = api("engineer").post(f"{url}/1/cancel")
    assert (cancelled.status_code, cancelled.json()["state"], cancelled.json()["usable"]) == (
        202,
        "cancelled",
        False,
    )
    stopped = api("engineer").post(f"{url}/2/stop").json()
    assert (stopped["state"], stopped["ended_because"], stopped["usable"]) == ("stopped", "stopped", False)
    again = api("engineer").post(f"{url}/1/stop")
    assert (again.status_code, again.json()["code"]) == (409, "already-ended")
    assert api("labeller").post(f"{url}/1/stop").status_code == 403


def test_the_report_has_the_contracts_numbers(
    api: Api, model: RegisteredModel, version: ModelVersion
) -> None:
    report = api("viewer").get(f"/api/v1/models/{model.pk}/versions/1/report").json()
    overall = report["overall"]
    assert overall["n"] == 4 and overall["accuracy"]["value"] == 0.75 == overall["top1"]
    assert overall["top2"] == overall["top5"] == 1.0
    assert {"f1", "precision", "recall", "auc", "kappa", "top3", "top4"} <= set(overall)
    assert report["confusion_matrix"] == {"labels": ["red", "blue"], "counts": [[1, 1], [0, 2]]}
    red = report["labels"][0]
    assert (red["name"], red["precision"], red["recall"], red["support"]) == ("red", 1.0, 0.5, 2)
    assert report["conclusion"][0].startswith("The model names the right label for 75.0\N{NO-BREAK SPACE}%")


def test_there_is_no_report_before_the_end(api: Api, model: RegisteredModel, discs: Dataset) -> None:
    ask(api("engineer"), model, wish(discs))
    for rest in ("report", "confusion-matrix.csv", "predictions"):
        answer = api("viewer").get(f"/api/v1/models/{model.pk}/versions/1/{rest}")
        assert (answer.status_code, answer.json()["code"]) == (409, "no-report")


def test_the_matrix_as_csv_opens_in_a_spreadsheet_and_runs_nothing(
    api: Api, model: RegisteredModel, version: ModelVersion
) -> None:
    version.report["confusion_matrix"]["labels"] = ["=1+1", "猫"]
    version.save()
    answer = api("viewer").get(f"/api/v1/models/{model.pk}/versions/1/confusion-matrix.csv")
    assert answer["Content-Type"] == "text/csv; charset=utf-8" and answer.content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert rows == [["", "'=1+1", "猫"], ["'=1+1", "1", "1"], ["猫", "0", "2"]]


def test_predictions_come_one_for_each_held_back_picture_in_pages(
    api: Api, model: RegisteredModel, version: ModelVersion
) -> None:
    url = f"/api/v1/models/{model.pk}/versions/1/predictions"
    items, cursor = [], ""
    while cursor is not None:
        page = api("viewer").get(f"{url}?limit=3&cursor={cursor}").json()
        items, cursor = items + page["items"], page["next"]
    assert [(each["true"], each["predicted"]) for each in items] == [
        ("red", "red"), ("red", "blue"), ("blue", "blue"), ("blue", "blue"),
    ]  # fmt: skip
    assert items[0]["scores"] == {"red": 0.9, "blue": 0.1} and items[0]["file"].startswith("red-")
    assert api("viewer").get(url + "?cursor=!").status_code == 400


def test_the_model_file_is_for_engineers_with_the_scope(
    api: Api, model: RegisteredModel, version: ModelVersion
) -> None:
    url = f"/api/v1/models/{model.pk}/versions/1/exports"
    answer = api("engineer").get(f"{url}/onnx")
    assert answer.status_code == 200 and b"".join(answer.streaming_content) == b"onnx"
    assert "Discs-1.onnx" in answer["Content-Disposition"]
    assert api("labeller").get(f"{url}/onnx").status_code == 403
    assert api("engineer", scopes=["read"]).get(f"{url}/onnx").status_code == 403
    assert api("engineer").get(f"{url}/stone").status_code == 404


@pytest.mark.parametrize("rest", ["", "/report", "/confusion-matrix.csv", "/predictions", "/exports/onnx"])
def test_a_stranger_gets_404_and_a_wrong_method_405(
    api: Api, model: RegisteredModel, version: ModelVersion, rest: str
) -> None:
    url = f"/api/v1/models/{model.pk}/versions/1{rest}"
    assert api("stranger").get(url).status_code == 404
    assert api("engineer").post(url).status_code == 405


def test_a_token_sees_the_models_of_its_project_alone(api: Api, team: Team, model: RegisteredModel) -> None:
    foreign = model_of(team.other, "Foreign")
    assert [each["name"] for each in api("viewer").get("/api/v1/models").json()["items"]] == ["Discs"]
    assert api("viewer").get(f"/api/v1/models/{foreign.pk}").status_code == 404
