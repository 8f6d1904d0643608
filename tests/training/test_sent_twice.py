"""An impatient second click on Train starts nothing twice, and what is wrong with the form is said once."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from datasets.models import Dataset
from tests.factories import Team
from tests.training.makers import tagged
from training.models import ModelVersion, RegisteredModel

Page = Callable[[str], Client]


def form(dataset: Dataset, **more: object) -> dict[str, object]:
    """What the page sends."""
    fields = {"sent": "1", "applications": ["cloud-general"], "dataset": dataset.pk, "max_minutes": "2"}
    return fields | {"optimise_for": "top1", "model": "new", "name": "Discs"} | more


def send(page: Page, team: Team, fields: dict[str, object], role: str = "engineer") -> tuple[int, str]:
    """Where the answer leads."""
    answer = page(role).post(f"/projects/{team.project.pk}/train/", fields)
    return answer.status_code, answer.get("Location", "")


def test_a_form_that_was_sent_twice_starts_one_training(page: Page, team: Team, discs: Dataset) -> None:
    person, address = page("engineer"), f"/projects/{team.project.pk}/train/"
    first, second = (person.post(address, form(discs)) for _ in range(2))
    assert (first.status_code, first["Location"]) == (second.status_code, second["Location"])
    assert (RegisteredModel.objects.count(), ModelVersion.objects.count()) == (1, 1)
    shown = person.get(second["Location"]).content.decode()
    assert "This training was asked for a moment ago; here it is." in shown


def test_so_does_one_for_a_model_that_was_there(
    page: Page, team: Team, discs: Dataset, model: RegisteredModel
) -> None:
    fields = form(discs, model=model.pk, applications=["cloud-general", "edge-fast"])
    assert send(page, team, fields) == send(page, team, fields)
    assert model.versions.count() == 2


@pytest.mark.parametrize(
    "changed",
    [{"max_minutes": "3"}, {"optimise_for": "f1"}, {"fine_tuning": "off"}, {"applications": ["edge-fast"]}],
)
def test_another_wish_is_another_training(
    page: Page, team: Team, discs: Dataset, model: RegisteredModel, changed: dict[str, object]
) -> None:
    send(page, team, form(discs, model=model.pk))
    send(page, team, form(discs, model=model.pk) | changed)
    assert model.versions.count() == 2


def test_other_labels_are_another_training(page: Page, team: Team, model: RegisteredModel) -> None:
    dataset = tagged(team.project, {"red": 6, "green": 6, "blue": 6})
    some = {f"listed-{dataset.pk}": "1", f"labels-{dataset.pk}": ["red", "blue"]}
    send(page, team, form(dataset, model=model.pk))
    send(page, team, form(dataset, model=model.pk) | some)
    assert [version.labels for version in model.versions.order_by("number")] == [
        ["red", "green", "blue"],
        ["red", "blue"],
    ]


def test_another_person_may_ask_for_the_same(
    page: Page, team: Team, discs: Dataset, model: RegisteredModel
) -> None:
    for role in ("engineer", "owner"):
        send(page, team, form(discs, model=model.pk), role)
    assert model.versions.count() == 2


def test_later_the_same_is_a_training_of_its_own(
    page: Page, team: Team, discs: Dataset, model: RegisteredModel
) -> None:
    send(page, team, form(discs, model=model.pk))
    ModelVersion.objects.update(created_at=timezone.now() - timedelta(minutes=1))
    send(page, team, form(discs, model=model.pk))
    assert model.versions.count() == 2


def test_one_that_was_cancelled_may_be_asked_for_again(
    page: Page, team: Team, discs: Dataset, model: RegisteredModel
) -> None:
    send(page, team, form(discs, model=model.pk))
    ModelVersion.objects.update(state="cancelled")
    send(page, team, form(discs, model=model.pk))
    assert model.versions.count() == 2


def test_a_name_that_somebody_else_took_is_still_refused(page: Page, team: Team, discs: Dataset) -> None:
    send(page, team, form(discs), "owner")
    assert send(page, team, form(discs))[0] == 409


def test_what_is_wrong_is_said_once(page: Page, team: Team, discs: Dataset) -> None:
    answer = page("engineer").post(f"/projects/{team.project.pk}/train/", form(discs, max_minutes="0"))
    assert answer.status_code == 422
    assert answer.content.decode().count("The time limit is a number of minutes") == 1


def test_a_wrong_wish_is_refused_without_waiting_for_the_database(
    page: Page, team: Team, discs: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begun(*_: object, **__: object) -> None:
        raise AssertionError("a transaction was begun")

    monkeypatch.setattr("training.views.models.asked_for", begun)
    for wrong in ({"max_minutes": "abc"}, {"applications": []}, {"patience": "0"}):
        assert send(page, team, form(discs) | wrong)[0] == 422


def test_a_data_set_without_a_ticked_label_takes_no_part(page: Page, team: Team, discs: Dataset) -> None:
    fields = form(discs) | {f"listed-{discs.pk}": "1"}
    shown = page("engineer").post(f"/projects/{team.project.pk}/train/preview/", fields).content.decode()
    assert "Training needs at least 2 labels with pictures" in shown
    assert send(page, team, fields)[0] == 422


def test_the_data_set_that_was_asked_for_comes_first(page: Page, team: Team, discs: Dataset) -> None:
    for name in ("Newer", "Newest"):
        tagged(team.project, {"red": 1}, name)
    address = f"/projects/{team.project.pk}/train/?dataset={discs.pk}"
    shown = page("engineer").get(address).content.decode()
    assert shown.index("Discs</span>") < shown.index("Newest</span>") < shown.index("Newer</span>")
