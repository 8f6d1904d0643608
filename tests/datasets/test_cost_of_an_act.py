"""What one act asks of the database: counted, for two hundred people who tag at once pay for each trip."""

import secrets
from collections.abc import Callable
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasets.models import Dataset, TagAction
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team
from web.models import IdempotentAnswer

# PostgreSQL takes several statements in one trip. Both with what is asked as long as no job waits to follow the act.
TRIPS, LOCKED = {"postgresql": (20, 9), "sqlite": (24, 13)}[connection.vendor]
Page = Callable[[str], Client]


def send(client: Client, dataset: Dataset, body: dict[str, Any], key: str = "") -> Any:
    """As the bench's script does."""
    headers = {"Idempotency-Key": key or secrets.token_hex(8), "Accept": "application/json"}
    return client.post(f"/datasets/{dataset.pk}/tag/", body, content_type="application/json", headers=headers)


def some(team: Team) -> tuple[Dataset, list[int]]:
    """A data set with a label and ten pictures."""
    dataset = make_dataset(team)
    dataset.labels.create(name="zebra")
    return dataset, [image.pk for image in make_images(dataset, 10)]


def test_an_act_takes_few_trips_and_fewer_while_others_wait(team: Team, page: Page) -> None:
    dataset, ids = some(team)
    client = page("labeller")
    assert send(client, dataset, {"images": ids[:2], "label": "zebra"}).status_code == 200
    with CaptureQueriesContext(connection) as seen:
        assert send(client, dataset, {"images": ids[2:5], "label": "zebra"}).json()["changed"] == 3
    asked = [query["sql"] for query in seen]
    assert len(asked) <= TRIPS, asked
    locked = next(at for at, sql in enumerate(asked) if "count(DISTINCT t.shelf)" in sql)
    kept = next(at for at, sql in enumerate(asked) if sql.startswith("UPDATE web_idempotentanswer"))
    assert kept - locked < LOCKED, asked[locked : kept + 1]


def test_the_number_of_pictures_does_not_matter(team: Team, page: Page) -> None:
    dataset, ids = some(team)
    client = page("labeller")
    counts = []
    for chosen in (ids[:1], ids[1:2], ids[2:]):
        with CaptureQueriesContext(connection) as seen:
            assert send(client, dataset, {"images": chosen, "label": "zebra"}).json()["changed"] == len(
                chosen
            )
        counts.append(len(seen))
    assert counts[2] <= counts[1]


def test_a_refused_act_leaves_nothing_and_its_key_can_be_used_again(team: Team, page: Page) -> None:
    dataset, ids = some(team)
    client = page("labeller")
    dataset.labels.update(archived_at=timezone.now())
    refused = send(client, dataset, {"images": ids[:2], "label": "zebra"}, "one-key")
    assert (refused.status_code, refused.json()["code"]) == (409, "label-archived")
    assert not TagAction.objects.exists() and not IdempotentAnswer.objects.exists()
    dataset.labels.update(archived_at=None)
    assert send(client, dataset, {"images": ids[:2], "label": "zebra"}, "one-key").json()["changed"] == 2


def test_a_data_set_in_the_trash_or_of_an_archived_project_cannot_be_tagged(team: Team, page: Page) -> None:
    dataset, ids = some(team)
    client, body = page("owner"), {"images": ids, "label": "zebra"}
    Dataset.objects.update(trashed_at=timezone.now())
    assert send(client, dataset, body).status_code == 404
    Dataset.objects.update(trashed_at=None)
    dataset.project.archived_at = timezone.now()
    dataset.project.save()
    assert send(client, dataset, body).status_code == 404
    assert not TagAction.objects.exists()
