"""Pages of training: each shows what is there, and nobody gets further than their role."""

from collections.abc import Callable

import pytest
from django.test import Client

from datasets.models import Dataset
from tests.factories import Team
from training.models import ModelVersion, RegisteredModel, VersionState

Page = Callable[[str], Client]


def at(model: RegisteredModel, rest: str = "") -> str:
    return f"/models/{model.pk}/{rest}"


def test_a_project_without_models_says_what_to_do(page: Page, team: Team) -> None:
    answer = page("engineer").get(f"/projects/{team.project.pk}/models/")
    assert b"Train a first version" in answer.content
    assert b"Train a first version" not in page("viewer").get(f"/projects/{team.project.pk}/models/").content


def test_the_list_of_models_shows_the_newest_version(page: Page, team: Team, version: ModelVersion) -> None:
    content = page("viewer").get(f"/projects/{team.project.pk}/models/").content.decode()
    assert "Discs" in content and "75.0\N{NO-BREAK SPACE}%" in content and "n = 4" in content


def test_a_model_shows_its_versions_with_interval_and_actions(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    content = page("engineer").get(at(model)).content.decode()
    assert "30.1\N{NO-BREAK SPACE}% to 95.4\N{NO-BREAK SPACE}%" in content
    assert at(model, "versions/1/report/") in content
    assert "exports/onnx" in content and "exports/onnx" not in page("viewer").get(at(model)).content.decode()


def test_the_report_begins_with_its_conclusion(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    content = page("viewer").get(at(model, "versions/1/report/")).content.decode()
    assert "names the right label for 75.0\N{NO-BREAK SPACE}%" in content
    assert content.index("names the right label") < content.index("Confusion matrix</h2>")
    assert "red → blue (1)" in content
    assert "mobilenet_v2.pth" in content and "from scratch: no pretrained" not in content


def test_a_cell_of_the_matrix_leads_to_its_pictures(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    content = page("viewer").get(at(model, "versions/1/pictures/?true=red&predicted=blue")).content.decode()
    assert content.count('class="thumb is-wrong"') == 1
    none = page("viewer").get(at(model, "versions/1/pictures/?true=blue&predicted=red")).content.decode()
    assert "No such pictures" in none


def test_a_version_without_report_shows_what_it_does(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    ModelVersion.objects.update(state=VersionState.TRAINING, report={}, usable=False, finished_at=None)
    answer = page("viewer").get(at(model, "versions/1/report/"))
    assert (answer.status_code, answer["Location"]) == (302, at(model, "versions/1/"))
    content = page("engineer").get(at(model, "versions/1/")).content.decode()
    assert "data-poll-url" in content and "Stop and keep the best" in content
    assert "Stop and keep the best" not in page("viewer").get(at(model, "versions/1/")).content.decode()


def test_a_version_that_succeeded_moves_its_watcher_on_to_the_report(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    answer = page("viewer").get(at(model, "versions/1/live/"))
    assert answer["HX-Redirect"] == at(model, "versions/1/report/")


def test_the_form_shows_data_and_split_before_the_start(page: Page, team: Team, discs: Dataset) -> None:
    content = page("engineer").get(f"/projects/{team.project.pk}/train/").content.decode()
    assert "Train version 1" in content and "Held back for the report" in content and "Discs" in content


def test_the_preview_follows_the_choice(page: Page, team: Team, discs: Dataset) -> None:
    sent = {
        "sent": "1",
        "applications": ["cloud-general", "edge-fast"],
        "dataset": discs.pk,
        "max_minutes": "3",
    }
    url = f"/projects/{team.project.pk}/train/preview/"
    assert "Train versions 1 to 2" in page("engineer").post(url, sent).content.decode()
    one_label = page("engineer").post(url, sent | {f"labels-{discs.pk}": "red"}).content.decode()
    assert "at least 2 labels" in one_label
    assert page("engineer").get(url).status_code == 405


def test_starting_makes_the_model_and_its_version(page: Page, team: Team, discs: Dataset) -> None:
    sent = {
        "sent": "1", "applications": "edge-fast", "dataset": discs.pk, "optimise_for": "f1",
        "max_minutes": "3",
        "model": "new", "name": "Fresh",
    }  # fmt: skip
    answer = page("engineer").post(f"/projects/{team.project.pk}/train/", sent)
    version = ModelVersion.objects.get()
    assert answer["Location"] == f"/models/{version.model.pk}/versions/1/"
    assert (version.model.name, version.application, version.max_minutes) == ("Fresh", "edge-fast", 3.0)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"applications": []}, "Choose at least one application"),
        ({"max_minutes": "soon"}, "a number of minutes from 1"),
        ({"name": " "}, "Give the model a name"),
        ({"dataset": []}, "at least 2 labels"),
        ({"optimise_for": "luck"}, "no metric"),
        ({"patience": "0"}, "a whole number from 1 to 1000"),
        ({"class_weights": "heavy"}, "class_weights"),
    ],
)
def test_a_wrong_form_comes_back_with_its_sentence(
    page: Page, team: Team, discs: Dataset, change: dict[str, object], sentence: str
) -> None:
    sent = {
        "sent": "1",
        "applications": "edge-fast",
        "dataset": discs.pk,
        "max_minutes": "3",
        "model": "new",
        "name": "F",
    }
    answer = page("engineer").post(f"/projects/{team.project.pk}/train/", sent | change)
    assert answer.status_code == 422 and sentence in answer.content.decode()
    assert not ModelVersion.objects.exists() and not RegisteredModel.objects.exists()


def test_what_is_done_about_unequal_labels_is_kept_and_shown_again(
    page: Page, team: Team, discs: Dataset
) -> None:
    sent = {"sent": "1", "applications": "edge-fast", "dataset": discs.pk, "max_minutes": "3"}
    url = f"/projects/{team.project.pk}/train/"
    for wish, kept in (("balanced", "balanced"), ("none", "off")):
        page("engineer").post(url, sent | {"model": "new", "name": wish, "class_weights": wish})
        version = ModelVersion.objects.latest("pk")
        assert version.options["class_weights"] == kept
        again = page("engineer").get(at(version.model, "versions/1/again/"), follow=True).content.decode()
        assert f'<option value="{kept}" selected>' in again


def test_stop_and_cancel_are_for_engineers_and_by_post(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    for verb in ("stop", "cancel"):
        assert page("engineer").get(at(model, f"versions/1/{verb}/")).status_code == 405
        assert page("labeller").post(at(model, f"versions/1/{verb}/")).status_code == 403
        assert page("engineer").post(at(model, f"versions/1/{verb}/")).status_code == 302
    version.refresh_from_db()
    assert version.state == VersionState.SUCCEEDED  # it had ended


@pytest.mark.parametrize(
    "rest", ["", "versions/1/", "versions/1/live/", "versions/1/report/", "versions/1/pictures/"]
)
def test_a_stranger_gets_404(page: Page, model: RegisteredModel, version: ModelVersion, rest: str) -> None:
    assert page("viewer").get(at(model, rest)).status_code == 200
    assert page("stranger").get(at(model, rest)).status_code == 404
    assert page("viewer").post(at(model, rest)).status_code == 405
    assert Client().get(at(model, rest)).status_code == 302


def test_a_stranger_gets_404_for_the_projects_pages(page: Page, team: Team) -> None:
    for rest in ("models/", "train/"):
        assert page("stranger").get(f"/projects/{team.project.pk}/{rest}").status_code == 404
    assert page("labeller").get(f"/projects/{team.project.pk}/train/").status_code == 403


def test_a_version_that_is_not_there_is_404(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    assert page("viewer").get(at(model, "versions/9/")).status_code == 404
