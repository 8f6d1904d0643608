"""More pictures than a request should wait for."""

from collections.abc import Callable

import pytest
from django.test import Client

from datasets import bulk_tagging
from datasets.models import TagAction
from jobs.models import Job, State
from tests.datasets.makers import Work, make_dataset, make_images
from tests.factories import Team


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("datasets.api.tagging.MOST_AT_ONCE", 9)
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
