"""`max_latency_ms`: networks that were measured slower here are passed over, and everybody is told."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from datasets.models import Dataset
from tests.factories import Team
from tests.training.makers import asked
from tests.training.test_tradeoff import built
from training import networks, wishes
from training.models import Application, Extractor, ModelVersion, RegisteredModel, Speed
from training.networks import AllTooSlow, chosen_for, sentences_of
from training.profiles import PROFILES
from training.speed import this_machine

Page = Callable[[str], Client]
Api = Callable[..., Client]
GENERAL = PROFILES[Application.CLOUD_GENERAL]


def nothing() -> None:
    pass


@pytest.fixture
def two_networks(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Extractor]:
    """mobilenet_v2 takes 50 ms here, squeezenet1_1 20 ms; there are no others."""
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = tmp_path / "weights", False
    settings.DATA_DIR = tmp_path / "data"
    (tmp_path / "weights").mkdir()
    made = []
    for name, took in (("mobilenet_v2", 50.0), ("squeezenet1_1", 20.0)):
        (tmp_path / "weights" / f"{name}.pth").write_bytes(name.encode())
        made.append(built(name))
        Speed.objects.create(extractor=made[-1], machine=this_machine(), milliseconds=took, file_bytes=9)
    return made


def test_what_is_slower_is_passed_over_with_its_reason(team: Team, two_networks: Sequence[Extractor]) -> None:
    assert chosen_for(GENERAL, None, nothing).extractor == two_networks[0]
    assert chosen_for(GENERAL, 50, nothing).extractor == two_networks[0]
    choice = chosen_for(GENERAL, 30, nothing)
    assert choice.extractor == two_networks[1]
    said = [str(each) for each in sentences_of(choice.passed_over)]
    assert said[0] == "mobilenet_v2: 50 ms a picture here, more than 30."
    assert "resnet18: no weights could be had." in said


def test_one_that_was_not_measured_is_measured_by_the_worker_first(
    team: Team, two_networks: Sequence[Extractor], monkeypatch: pytest.MonkeyPatch
) -> None:
    Speed.objects.filter(extractor=two_networks[0]).delete()
    assert networks.networks_for([Application.CLOUD_GENERAL], {"max_latency_ms": 1}) == {
        "cloud-general": "mobilenet_v2"
    }
    with pytest.raises(AllTooSlow):
        chosen_for(GENERAL, 0.0001, nothing)
    assert Speed.objects.filter(extractor=two_networks[0]).exists()


def test_where_none_is_quick_enough_the_request_is_refused_and_names_the_quickest(
    team: Team, discs: Dataset, model: RegisteredModel, two_networks: Sequence[Extractor]
) -> None:
    with pytest.raises(AllTooSlow) as refused:
        asked(model, team.people["engineer"], discs, options={"max_latency_ms": 12.5})
    assert str(refused.value) == (
        "No network for cloud-general is quick enough: the quickest measured here is squeezenet1_1 with 20 ms a"
        " picture, and at most 12.5 were allowed."
    )
    assert not ModelVersion.objects.exists()


def test_where_others_might_be_downloaded_only_a_hopeless_limit_is_refused_at_once(
    team: Team, two_networks: Sequence[Extractor], settings: Settings
) -> None:
    settings.WEIGHTS_DOWNLOAD = True
    with pytest.raises(AllTooSlow, match="squeezenet1_1"):
        networks.networks_for([Application.CLOUD_GENERAL], {"max_latency_ms": 2})
    assert networks.networks_for([Application.CLOUD_GENERAL], {"max_latency_ms": 15})


def test_in_the_api_that_is_422_with_a_code(
    api: Api, discs: Dataset, model: RegisteredModel, two_networks: Sequence[Extractor]
) -> None:
    body = {
        "applications": ["cloud-general"],
        "data": [{"dataset": discs.pk}],
        "options": {"max_latency_ms": 5},
    }
    url = f"/api/v1/models/{model.pk}/versions"
    answer = api("engineer").post(url, body, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "too-slow")
    body["options"] = {"max_latency_ms": 25}
    assert api("engineer").post(url, body, content_type="application/json").status_code == 202


@pytest.mark.parametrize("most", [0, -1, "quick", True, [3], float("nan"), 1e9])
def test_what_is_no_number_of_milliseconds_is_refused(most: object) -> None:
    with pytest.raises(wishes.BadWish, match="max_latency_ms"):
        wishes.options_of({"max_latency_ms": most})


def test_the_form_shows_what_is_passed_over_and_refuses_early(
    team: Team, page: Page, discs: Dataset, two_networks: Sequence[Extractor]
) -> None:
    url, engineer = f"/projects/{team.project.pk}/train/", page("engineer")
    asked_for: dict[str, str | int] = {
        "sent": "1",
        "applications": "cloud-general",
        "dataset": discs.pk,
        "max_minutes": "3",
    }
    text = engineer.get(url, asked_for | {"max_latency_ms": "30"}).content.decode()
    assert "mobilenet_v2: 50 ms here, slower than allowed." in text and "<b>squeezenet1_1</b>" in text
    assert "No weights of resnet18 were found" in text and "No weights of mobilenet_v2" not in text
    answer = engineer.post(url, asked_for | {"max_latency_ms": "3", "model": "new", "name": "M"})
    assert (
        answer.status_code == 422 and "the quickest measured here is squeezenet1_1" in answer.content.decode()
    )
    answer = engineer.post(url, asked_for | {"max_latency_ms": "soon", "model": "new", "name": "M"})
    assert answer.status_code == 422 and "is a number of milliseconds" in answer.content.decode()
