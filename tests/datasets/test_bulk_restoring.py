"""Setting back to a snapshot more pictures than a request should wait for."""

from collections.abc import Callable

import pytest
from django.test import Client

from datasets import bulk_restoring
from datasets.bulk_restoring import in_batches
from datasets.models import Dataset, Snapshot, TagAction
from datasets.snapshots import take_snapshot
from datasets.tagging import tag_images, trash_images, undo
from jobs.models import Job, State
from tests.datasets.makers import Work, make_dataset, make_images
from tests.datasets.test_restoring import state
from tests.factories import Team

Program = Callable[..., Client]


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_restoring, "MOST_AT_ONCE", 5)
    monkeypatch.setattr(bulk_restoring, "BATCH", 3)


@pytest.fixture
def dataset(team: Team) -> Dataset:
    """Four cats and four dogs."""
    made = make_dataset(team)
    for name in ("猫", "狗"):
        make_images(made, 4, made.labels.create(name=name))
    return made


@pytest.fixture
def snapshot(team: Team, dataset: Dataset) -> Snapshot:
    """As they were; since then all became birds, two went to the trash, and the cats' label is gone."""
    taken = take_snapshot(dataset=dataset, user=None)
    user, bird = team.people["engineer"], dataset.labels.create(name="鸟")
    make_images(dataset, 1, bird)
    tag_images(dataset=dataset, user=user, chosen=dataset.images.all(), label=bird)
    trash_images(dataset=dataset, user=user, chosen=dataset.images.filter(name__in=["1.jpg", "6.jpg"]))
    dataset.labels.filter(name="猫").delete()
    return taken


def ask(program: Client, snapshot: Snapshot, others: str = "keep") -> dict[str, int]:
    url = f"/api/v1/datasets/{snapshot.dataset_id}/snapshots/{snapshot.pk}/restore"
    answer = program.post(url, {"others": others}, "application/json")
    assert answer.status_code == 202
    return dict(answer.json())


def labels(dataset: Dataset) -> list[str | None]:
    return list(dataset.images.order_by("pk").values_list("label__name", flat=True))


def test_over_the_api_many_pictures_are_set_back_by_a_job_as_one_act(
    team: Team, dataset: Dataset, snapshot: Snapshot, api: Program, work: Work
) -> None:
    before = state(dataset)
    told = ask(api("engineer"), snapshot, "untag")
    [came_later] = make_images(dataset, 1, dataset.labels.get(name="鸟"))
    work()
    job = Job.objects.get(pk=told["job"])
    assert (job.state, job.done, job.total) == (State.SUCCEEDED, 9, 9)
    assert TagAction.objects.get(pk=told["action"]).changed == 9
    assert labels(dataset) == ["猫"] * 4 + ["狗"] * 4 + [None, "鸟"]
    assert not dataset.images.exclude(trashed_at=None).exists()
    undone = api("engineer").post(f"/api/v1/datasets/{dataset.pk}/tag-actions/{told['action']}/undo")
    assert undone.json() == {"changed": 9, "skipped": 0}
    came_later.delete()
    assert state(dataset) == before


def test_a_few_are_set_back_at_once(
    dataset: Dataset, snapshot: Snapshot, api: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_restoring, "MOST_AT_ONCE", 8)
    url = f"/api/v1/datasets/{dataset.pk}/snapshots/{snapshot.pk}/restore"
    assert api("engineer").post(url, {"others": "keep"}, "application/json").json()["changed"] == 8
    assert not Job.objects.filter(kind=bulk_restoring.KIND).exists()


def test_a_second_attempt_goes_on_behind_the_first_and_leaves_alone_what_somebody_changed_since(
    team: Team,
    dataset: Dataset,
    snapshot: Snapshot,
    api: Program,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told = ask(api("engineer"), snapshot)
    original, calls = bulk_restoring.set_back, []

    def breaks(*args: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            first = TagAction.objects.get(pk=told["action"]).changes.order_by("pk")[:1].values("image")
            tag_images(
                dataset=dataset, user=team.people["labeller"],
                chosen=dataset.images.filter(pk__in=first), label=None,
            )  # fmt: skip
            raise RuntimeError("once")
        original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bulk_restoring, "set_back", breaks)
    work()
    assert Job.objects.get(pk=told["job"]).state == State.SUCCEEDED
    assert TagAction.objects.get(pk=told["action"]).changed == 8
    assert sorted(map(str, labels(dataset))) == sorted(["猫"] * 4 + ["狗"] * 3 + ["None", "鸟"])


def test_undone_half_way_it_stops_and_what_it_did_is_taken_back(
    team: Team,
    dataset: Dataset,
    snapshot: Snapshot,
    api: Program,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = state(dataset)
    told = ask(api("engineer"), snapshot)
    original, calls = bulk_restoring.set_back, []

    def undoes(*args: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            undo(action=TagAction.objects.get(pk=told["action"]), user=team.people["engineer"])
        original(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(bulk_restoring, "set_back", undoes)
    work()
    assert Job.objects.get(pk=told["job"]).state == State.CANCELLED
    assert state(dataset) == before


def test_the_page_leads_to_the_changes_where_its_progress_and_its_end_are_shown(
    dataset: Dataset, snapshot: Snapshot, page: Callable[[str], Client], work: Work
) -> None:
    browser = page("engineer")
    url = f"/datasets/{dataset.pk}/snapshots/{snapshot.pk}/restore/"
    shown = browser.post(url, {"others": "keep"}, follow=True)
    assert shown.request["PATH_INFO"] == f"/datasets/{dataset.pk}/changes/"
    part = f"/datasets/{dataset.pk}/changes/under-way/"
    assert part in shown.content.decode()
    going = browser.get(part)
    assert "Restoring a snapshot" in going.content.decode()
    assert "HX-Redirect" not in going
    work()
    assert browser.get(part)["HX-Redirect"] == f"/datasets/{dataset.pk}/changes/"
    ended = browser.get(f"/datasets/{dataset.pk}/changes/").content.decode()
    assert "8 pictures set back to a snapshot" in ended
    assert part not in ended


def test_another_data_sets_work_is_not_shown(
    team: Team, dataset: Dataset, snapshot: Snapshot, page: Callable[[str], Client], api: Program
) -> None:
    ask(api("engineer"), snapshot)
    other = make_dataset(team, "Others")
    assert "under-way" not in page("engineer").get(f"/datasets/{other.pk}/changes/").content.decode()


def test_batches_hold_the_pictures_of_several_labels_and_lose_none() -> None:
    wanted = [("a", [1, 2, 3, 4]), ("b", []), ("c", [5]), (None, [6, 7])]
    assert list(in_batches(wanted)) == [
        [("a", [1, 2, 3])],
        [("a", [4]), ("c", [5]), (None, [6])],
        [(None, [7])],
    ]
