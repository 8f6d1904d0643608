"""Taking back more than a request should wait for."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from datasets import bulk_tagging, bulk_undoing
from datasets.labels import delete_label
from datasets.models import Dataset, TagAction
from datasets.tagging import give_back, tag_images
from jobs.models import Job, State
from tests.datasets.makers import Work, make_dataset, make_images
from tests.datasets.test_restoring import state
from tests.factories import Team

Program = Callable[..., Client]


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_undoing, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(bulk_undoing, "BATCH", 3)


@pytest.fixture
def dataset(team: Team) -> Dataset:
    """Eight pictures: five cats, three without a label."""
    made = make_dataset(team)
    make_images(made, 5, made.labels.create(name="猫"))
    make_images(made, 3)
    return made


def dogs(dataset: Dataset, team: Team) -> TagAction:
    """All become dogs."""
    dog = dataset.labels.create(name="狗")
    return tag_images(dataset=dataset, user=team.people["labeller"], chosen=dataset.images.all(), label=dog)


def undo(program: Client, action: TagAction) -> Any:
    return program.post(f"/api/v1/datasets/{action.dataset_id}/tag-actions/{action.pk}/undo")


def labels(dataset: Dataset) -> list[str | None]:
    return list(dataset.images.order_by("pk").values_list("label__name", flat=True))


def test_a_large_act_is_taken_back_by_a_job(team: Team, dataset: Dataset, api: Program, work: Work) -> None:
    before = state(dataset)
    action = dogs(dataset, team)
    answer = undo(api("labeller"), action)
    assert answer.status_code == 202
    work()
    job = Job.objects.get(pk=answer.json()["job"])
    assert (job.state, job.done, job.total) == (State.SUCCEEDED, 8, 8)
    assert state(dataset) == before
    action.refresh_from_db()
    assert action.undone == 8 and action.undone_by == team.people["labeller"]


def test_it_leaves_alone_what_somebody_changed_since_and_brings_the_label_back_that_went(
    team: Team, dataset: Dataset, api: Program, work: Work
) -> None:
    action = dogs(dataset, team)
    bird = dataset.labels.create(name="鸟")
    tag_images(
        dataset=dataset, user=team.people["engineer"], chosen=dataset.images.filter(name="2.jpg"), label=bird
    )
    delete_label(label=dataset.labels.get(name="猫"), user=team.people["engineer"])
    undo(api("labeller"), action)
    work()
    assert labels(dataset) == ["猫", "猫", "鸟", "猫", "猫", None, None, None]


def test_a_second_attempt_ends_what_the_first_one_began(
    team: Team, dataset: Dataset, api: Program, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    action = dogs(dataset, team)
    original, calls = give_back, []

    def breaks(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("once")
        return original(*args)

    monkeypatch.setattr(bulk_undoing, "give_back", breaks)
    undo(api("labeller"), action)
    work()
    assert labels(dataset) == ["猫"] * 5 + [None] * 3
    action.refresh_from_db()
    assert action.undone == 8


def test_asked_twice_it_is_done_once(team: Team, dataset: Dataset, api: Program, work: Work) -> None:
    action = dogs(dataset, team)
    first, second = (undo(api("labeller"), action).json() for _ in range(2))
    assert first == second
    work()
    assert Job.objects.filter(kind=bulk_undoing.KIND).count() == 1


def test_what_is_still_going_on_is_stopped_and_what_it_did_is_taken_back(
    team: Team, dataset: Dataset, api: Program, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_tagging, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(bulk_tagging, "BATCH", 3)
    dataset.labels.create(name="狗")
    body = {"filter": {}, "label": "狗"}
    url = f"/api/v1/datasets/{dataset.pk}/tag"
    told = api("labeller").post(url, body, content_type="application/json").json()
    action = TagAction.objects.get(pk=told["action"])
    original, calls = bulk_tagging.tag_batch, []

    def undoes(*args: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            assert undo(api("labeller"), action).json() == {"changed": 3, "skipped": 0}
        original(*args)

    monkeypatch.setattr(bulk_tagging, "tag_batch", undoes)
    work()
    assert Job.objects.get(pk=told["job"]).state == State.CANCELLED
    assert labels(dataset) == ["猫"] * 5 + [None] * 3


def test_taken_back_before_it_began_nothing_is_changed_and_the_page_says_so(
    team: Team, dataset: Dataset, page: Callable[[str], Client], work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_tagging, "MOST_AT_ONCE", 5)
    dataset.labels.create(name="狗")
    browser = page("labeller")
    body = {"filter": "", "label": "狗"}
    told = browser.post(f"/datasets/{dataset.pk}/tag/", body, content_type="application/json").json()
    answer = browser.post(
        f"/datasets/{dataset.pk}/undo/", {"action": told["action"]}, content_type="application/json"
    ).json()
    assert answer["message"] == "Stopped before it changed a picture."
    work()
    assert labels(dataset) == ["猫"] * 5 + [None] * 3


def test_the_page_of_changes_shows_how_far_it_is(
    team: Team, dataset: Dataset, page: Callable[[str], Client], work: Work
) -> None:
    action = dogs(dataset, team)
    browser = page("labeller")
    sent = {"action": action.pk, "back": "changes"}
    shown = browser.post(f"/datasets/{dataset.pk}/undo/", sent, follow=True).content.decode()
    assert "goes on in the background" in shown
    assert f"/datasets/{dataset.pk}/changes/under-way/" in shown
    work()
    assert "undone by labeller" in browser.get(f"/datasets/{dataset.pk}/changes/").content.decode()
