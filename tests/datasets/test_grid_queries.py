"""A page of the grid asks the database as often for many pictures as for few."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from datasets.models import Label
from datasets.suggestions import Proposal, store
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team

Page = Callable[[str], Client]
VIEWS = [
    "state=labelled",
    "state=unlabelled",
    "state=suggested",
    *(f"order={each}" for each in ("-bytes", "cluster")),
]


@pytest.mark.parametrize("view", VIEWS)
def test_more_pictures_need_no_more_queries(page: Page, team: Team, view: str) -> None:
    asked = []
    for count in (3, 30):
        dataset = make_dataset(team, f"{count} pictures")
        labels = [Label.objects.create(dataset=dataset, name=name) for name in ("cat", "dog")]
        for label in labels:
            make_images(dataset, count, label)
        waiting = [image.pk for image in make_images(dataset, count)]
        store(dataset=dataset, source="test", rows=[Proposal(pk, "cat", 0.9) for pk in waiting])
        client = page("labeller")
        address = f"/datasets/{dataset.pk}/images/?{view}&limit={count}"
        assert client.get(address).content.count(b"data-image=") == count
        with CaptureQueriesContext(connection) as queries:
            client.get(address)
        asked.append(len(queries))
    assert asked[0] == asked[1]
