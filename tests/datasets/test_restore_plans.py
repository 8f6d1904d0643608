"""What restoring a snapshot would change, where there are more pictures than a request should compare."""

from collections.abc import Callable

import pytest
from django.test import Client

from datasets import bulk_restoring, bulk_tagging, restore_plans
from datasets.models import Dataset, Snapshot, TagAction
from datasets.snapshots import take_snapshot
from datasets.tagging import tag_images
from jobs.models import Job, State
from tests.datasets.makers import Work, make_dataset, make_images
from tests.factories import Team

Program = Callable[..., Client]


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_tagging, "MOST_AT_ONCE", 5)


@pytest.fixture
def dataset(team: Team) -> Dataset:
    made = make_dataset(team)
    for name in ("猫", "狗"):
        make_images(made, 4, made.labels.create(name=name))
    return made


@pytest.fixture
def snapshot(team: Team, dataset: Dataset) -> Snapshot:
    """As they were; since then the cats became birds, and the label of the cats is gone."""
    taken = take_snapshot(dataset=dataset, user=None, name="before")
    bird = dataset.labels.create(name="鸟")
    cats = dataset.images.filter(label__name="猫")
    tag_images(dataset=dataset, user=team.people["engineer"], chosen=cats, label=bird)
    dataset.labels.filter(name="猫").delete()
    return taken


def address(snapshot: Snapshot) -> str:
    return f"/api/v1/datasets/{snapshot.dataset_id}/snapshots/{snapshot.pk}/restore"


def test_a_job_finds_it_out_and_its_numbers_are_kept(snapshot: Snapshot, api: Program, work: Work) -> None:
    first = api("engineer").get(address(snapshot))
    assert first.status_code == 202
    assert api("engineer").get(address(snapshot)).json() == first.json()  # the same job
    work()
    assert Job.objects.get(pk=first.json()["job"]).state == State.SUCCEEDED
    told = api("engineer").get(address(snapshot))
    assert told.status_code == 200
    assert told.json() == {
        "changes": 4, "relabelled": 4, "from_trash": 0, "gone": 0, "others": 0, "new_labels": ["猫"],
    }  # fmt: skip


def test_numbers_of_a_while_ago_are_found_out_anew(
    snapshot: Snapshot, api: Program, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    api("engineer").get(address(snapshot))
    work()
    monkeypatch.setattr(restore_plans, "FRESH", -restore_plans.FRESH)
    assert api("engineer").get(address(snapshot)).status_code == 202


def test_restoring_itself_compares_in_its_job_and_makes_the_labels_again(
    dataset: Dataset, snapshot: Snapshot, api: Program, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:

    def too_much(_snapshot: Snapshot) -> None:
        raise AssertionError("compared in the request")

    monkeypatch.setattr("datasets.bulk_restoring.plan_of", too_much)
    told = api("engineer").post(address(snapshot), {"others": "keep"}, "application/json")
    assert told.status_code == 202
    work()
    assert TagAction.objects.get(pk=told.json()["action"]).changed == 4
    assert (
        list(dataset.images.order_by("pk").values_list("label__name", flat=True)) == ["猫"] * 4 + ["狗"] * 4
    )


def test_a_second_attempt_at_restoring_goes_by_what_the_first_one_found(
    team: Team,
    dataset: Dataset,
    snapshot: Snapshot,
    api: Program,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = api("engineer").post(address(snapshot), {"others": "keep"}, "application/json").json()
    original, calls = bulk_restoring.set_back, []

    def breaks(*args: object) -> None:
        calls.append(1)
        original(*args)  # type: ignore[arg-type]
        if len(calls) == 1:
            dog = dataset.labels.get(name="狗")
            first = dataset.images.order_by("pk")[:1].values("pk")
            chosen = dataset.images.filter(pk__in=first)
            tag_images(dataset=dataset, user=team.people["labeller"], chosen=chosen, label=dog)
            raise RuntimeError("once")

    monkeypatch.setattr(bulk_restoring, "set_back", breaks)
    work()
    assert Job.objects.get(pk=told["job"]).state == State.SUCCEEDED
    assert (
        list(dataset.images.order_by("pk").values_list("label__name", flat=True))
        == ["狗"] + ["猫"] * 3 + ["狗"] * 4
    )


def test_more_labels_than_there_may_be_are_refused_before_a_picture_is_touched(
    dataset: Dataset, snapshot: Snapshot, api: Program, work: Work, settings: object
) -> None:
    settings.MAX_LABELS = 2  # type: ignore[attr-defined]
    told = api("engineer").post(address(snapshot), {"others": "keep"}, "application/json").json()
    work()
    job = Job.objects.get(pk=told["job"])
    assert job.state == State.FAILED and "at most 2 labels" in str(job.sentence)
    assert dataset.images.filter(label__name="鸟").count() == 4


def test_the_page_shows_the_comparing_and_then_the_numbers(
    snapshot: Snapshot, page: Callable[[str], Client], work: Work
) -> None:
    browser = page("engineer")
    url = f"/datasets/{snapshot.dataset_id}/snapshots/{snapshot.pk}/restore/"
    shown = browser.get(url).content.decode()
    assert "Comparing the pictures with the snapshot" in shown and 'name="others"' not in shown
    assert "HX-Redirect" not in browser.get(url + "?part")
    work()
    assert browser.get(url + "?part")["HX-Redirect"] == url
    known = browser.get(url).content.decode()
    assert "Set 4 pictures back" in known and "Compared at" in known


def test_one_that_failed_says_so_and_can_be_asked_for_again(
    snapshot: Snapshot, page: Callable[[str], Client], work: Work
) -> None:
    browser = page("engineer")
    url = f"/datasets/{snapshot.dataset_id}/snapshots/{snapshot.pk}/restore/"
    browser.get(url)
    Job.objects.update(state=State.CANCELLED)
    assert "Compare again" in browser.get(url).content.decode()
    assert browser.post(url, {"again": "1"}).status_code == 302
    work()
    assert "Set 4 pictures back" in browser.get(url).content.decode()
