"""More pictures than a request should wait for."""

from collections.abc import Callable

import pytest
from django.test import Client

from datasets import bulk_tagging
from datasets.models import Dataset, TagAction
from datasets.suggestions import Proposal, store
from jobs.models import Job, State
from projects.models import Role
from tests.datasets.makers import Work, make_dataset, make_images
from tests.factories import Team


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bulk_tagging, "MOST_AT_ONCE", 9)
    monkeypatch.setattr(bulk_tagging, "BATCH", 4)


def ask(api: Callable[..., Client], dataset_pk: int) -> dict[str, int]:
    body = {"filter": {"state": "unlabelled"}, "label": "a"}
    answer = api("labeller").post(f"/api/v1/datasets/{dataset_pk}/tag", body, content_type="application/json")
    assert answer.status_code == 202
    return dict(answer.json())


def test_many_pictures_are_tagged_in_the_background_and_undone_as_one(
    work: Work, team: Team, api: Callable[..., Client]
) -> None:
    dataset = make_dataset(team)
    make_images(dataset, 10)
    dataset.labels.create(name="a")
    told = ask(api, dataset.pk)
    make_images(dataset, 1)  # came later: not meant
    work()
    assert Job.objects.get(pk=told["job"]).state == State.SUCCEEDED
    assert TagAction.objects.get(pk=told["action"]).changed == 10
    assert dataset.images.filter(label=None).count() == 1
    undone = api("labeller").post(f"/api/v1/datasets/{dataset.pk}/tag-actions/{told['action']}/undo")
    assert undone.json() == {"changed": 10, "skipped": 0}


def test_a_second_run_goes_on_and_leaves_alone_what_was_changed_since(
    work: Work, team: Team, api: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make_dataset(team)
    images = make_images(dataset, 10)
    dataset.labels.create(name="a")
    told = ask(api, dataset.pk)
    original, calls = bulk_tagging.tag_batch, []

    def breaks(*args: object) -> None:
        calls.append(1)
        if len(calls) == 2:
            images[0].refresh_from_db()
            api("labeller").post(
                f"/api/v1/datasets/{dataset.pk}/tag",
                {"images": [images[0].pk], "label": None},
                content_type="application/json",
            )
            raise RuntimeError("once")
        original(*args)

    monkeypatch.setattr(bulk_tagging, "tag_batch", breaks)
    work()
    assert Job.objects.get(pk=told["job"]).state == State.SUCCEEDED
    assert TagAction.objects.get(pk=told["action"]).changed == 10
    images[0].refresh_from_db()
    assert images[0].label is None
    assert dataset.images.exclude(label=None).count() == 9


@pytest.fixture
def ten(team: Team) -> Dataset:
    """Ten pictures without a label, and a label."""
    dataset = make_dataset(team)
    make_images(dataset, 10)
    dataset.labels.create(name="a")
    return dataset


def post(program: Client, dataset: Dataset, act: str, body: dict[str, object]) -> dict[str, int]:
    answer = program.post(f"/api/v1/datasets/{dataset.pk}/{act}", body, content_type="application/json")
    assert answer.status_code == 202, answer.content
    return dict(answer.json())


def test_many_pictures_go_to_the_trash_in_the_background(
    work: Work, ten: Dataset, api: Callable[..., Client]
) -> None:
    body = {"filter": {"state": "unlabelled"}}
    url = f"/api/v1/datasets/{ten.pk}/images"
    answer = api("engineer").delete(url, body, content_type="application/json")
    assert answer.status_code == 202
    work()
    assert TagAction.objects.get(pk=answer.json()["action"]).changed == 10
    assert not ten.images.filter(trashed_at=None).exists()


def test_many_are_marked_as_not_sure_and_sure_again_in_the_background(
    work: Work, ten: Dataset, api: Callable[..., Client]
) -> None:
    post(api("labeller"), ten, "skip", {"filter": {"state": "unlabelled"}})
    work()
    assert ten.images.exclude(skipped_at=None).count() == 10
    post(api("labeller"), ten, "skip", {"filter": {"state": "skipped"}, "skipped": False})
    work()
    assert not ten.images.exclude(skipped_at=None).exists()


def test_many_suggestions_are_accepted_as_they_were_when_somebody_said_so(
    work: Work, ten: Dataset, api: Callable[..., Client]
) -> None:
    ten.labels.create(name="b")
    ids = list(ten.images.order_by("pk").values_list("pk", flat=True))
    store(dataset=ten, source="s", rows=[Proposal(pk, "ab"[at % 2], 0.9) for at, pk in enumerate(ids)])
    told = post(api("labeller"), ten, "accept-suggestions", {"filter": {"state": "suggested"}})
    store(dataset=ten, source="s", rows=[Proposal(pk, "b", 0.9) for pk in ids])  # came later: not meant
    work()
    assert TagAction.objects.get(pk=told["action"]).changed == 10
    given = list(ten.images.order_by("pk").values_list("label__name", flat=True))
    assert given == ["a", "b"] * 5


def test_who_may_no_longer_delete_does_not_do_so_in_the_background_either(
    work: Work, team: Team, ten: Dataset, api: Callable[..., Client]
) -> None:
    url, body = f"/api/v1/datasets/{ten.pk}/images", {"filter": {"state": "unlabelled"}}
    api("engineer").delete(url, body, content_type="application/json")
    team.project.memberships.filter(user=team.people["engineer"]).update(role=Role.LABELLER)
    work()
    assert not ten.images.exclude(trashed_at=None).exists()


def test_on_the_bench_everything_that_matches_goes_on_in_the_background_too(
    work: Work, ten: Dataset, page: Callable[[str], Client]
) -> None:
    browser = page("engineer")
    for act, body in (("skip", {}), ("skip", {"unskip": True}), ("discard", {})):
        wanted = "state=skipped" if body else "state=unlabelled"
        sent = {"filter": wanted, **body}
        answer = browser.post(f"/datasets/{ten.pk}/{act}/", sent, content_type="application/json").json()
        assert "background" in answer["message"] and answer["changed"] and answer["action"]
        work()
    assert ten.images.exclude(trashed_at=None).count() == 10
