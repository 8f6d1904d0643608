"""A version is published or deleted, archived or served: never both, whoever asks at the same moment."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.http import Http404
from django.test import Client

from serving.models import Service
from serving.publication import request_service
from serving.revisions import Share, switch
from tests.factories import Team
from tests.serving.makers import make_service, make_version
from training.models import ModelVersion
from training.notes import InUse, archive, bring_back
from training.removing import Needed, remove


class Meanwhile(threading.Thread):
    """Something that is done beside the test, on a connection of its own."""

    def __init__(self, act: Callable[[], Any]) -> None:
        super().__init__()
        self.act, self.outcome = act, None
        self.start()

    def run(self) -> None:
        try:
            self.outcome = self.act()
        except Exception as error:  # noqa: BLE001  (whatever it is, the test looks at it)
            self.outcome = error
        finally:
            connection.close()

    def after(self) -> Any:
        """What came of it."""
        self.join(20)
        return self.outcome


@pytest.fixture
def postgres() -> Iterator[None]:
    if connection.vendor != "postgresql":
        pytest.skip("row locks are PostgreSQL's: set TAXON_TEST_DATABASE=postgresql")
    yield


def published(team: Team, version: ModelVersion) -> Service:
    return request_service(
        project=team.project, version=version, name="Colours", slug="colours", by=team.people["engineer"]
    )


def test_an_archived_version_is_not_published(team: Team, api: Callable[..., Client]) -> None:
    version = make_version(team.project)
    archive(version=version, user=team.people["engineer"])
    body = {"name": "Colours", "slug": "colours", "model": version.model_id, "version": 1}
    answer = api("owner").post("/api/v1/services", body, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "version-archived")
    assert "bring it back" in answer.json()["detail"] and not Service.objects.exists()
    bring_back(version=version, user=team.people["engineer"])
    assert api("owner").post("/api/v1/services", body, "application/json").status_code == 201


def test_the_page_says_why_an_archived_version_is_not_published(
    team: Team, page: Callable[[str], Client]
) -> None:
    version = make_version(team.project)
    archive(version=version, user=team.people["engineer"])
    url = f"/models/{version.model_id}/versions/1/publish/"
    answer = page("engineer").post(url, {"name": "Colours", "slug": "colours"})
    assert answer.status_code == 422 and "is archived; bring it back" in answer.content.decode()


def test_a_service_does_not_switch_to_an_archived_version(team: Team, api: Callable[..., Client]) -> None:
    service = make_service(team)
    second = make_version(team.project)
    archive(version=second, user=team.people["engineer"])
    body = {"versions": [{"version": second.number, "share": 100}]}
    answer = api("owner").post(f"/api/v1/services/{service.slug}/switch", body, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (409, "version-archived")


def test_a_service_rolls_back_to_what_was_archived_since(team: Team, api: Callable[..., Client]) -> None:
    service = make_service(team)
    first = ModelVersion.objects.get()
    second = make_version(team.project)
    switch(service=service, shares=[Share(second.number)], by=team.people["owner"])
    archive(version=first, user=team.people["engineer"])
    assert (
        api("owner").post(f"/api/v1/services/{service.slug}/rollback", {}, "application/json").status_code
        == 200
    )
    service.refresh_from_db()
    assert service.revision and service.revision.versions[0]["version"] == first.pk


@pytest.mark.django_db(transaction=True)
def test_who_deletes_a_version_waits_for_who_publishes_it(postgres: None, team: Team) -> None:
    version = make_version(team.project)
    with transaction.atomic():
        published(team, version)
        deleting = Meanwhile(lambda: remove(version=version, user=team.people["engineer"]))
        deleting.join(0.7)
        assert deleting.is_alive()
    assert isinstance(deleting.after(), Needed)
    assert ModelVersion.objects.filter(pk=version.pk).exists() and Service.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_who_publishes_a_version_waits_for_who_deletes_it(postgres: None, team: Team) -> None:
    version = make_version(team.project)
    with transaction.atomic():
        remove(version=version, user=team.people["engineer"])
        publishing = Meanwhile(lambda: published(team, version))
        publishing.join(0.7)
        assert publishing.is_alive()
    assert isinstance(publishing.after(), Http404)
    assert not Service.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_who_switches_to_a_version_waits_for_who_deletes_it(postgres: None, team: Team) -> None:
    service = make_service(team)
    second = make_version(team.project)
    with transaction.atomic():
        remove(version=second, user=team.people["engineer"])
        switching = Meanwhile(
            lambda: switch(service=service, shares=[Share(second.number)], by=team.people["owner"])
        )
        switching.join(0.7)
        assert switching.is_alive()
    assert isinstance(switching.after(), Http404)


@pytest.mark.django_db(transaction=True)
def test_who_archives_a_version_waits_for_who_publishes_it(postgres: None, team: Team) -> None:
    version = make_version(team.project)
    with transaction.atomic():
        published(team, version)
        Service.objects.update(state="online")
        archiving = Meanwhile(lambda: archive(version=version, user=team.people["engineer"]))
        archiving.join(0.7)
        assert archiving.is_alive()
    assert isinstance(archiving.after(), InUse)


@pytest.mark.django_db(transaction=True)
def test_publishing_and_deleting_at_once_never_deadlocks(postgres: None, team: Team) -> None:
    for round_ in range(8):
        version = make_version(team.project, name=f"M{round_}")
        both = [
            Meanwhile(
                lambda version=version, slug=f"slug-{round_}": request_service(  # type: ignore[misc]
                    project=team.project, version=version, name="C", slug=slug, by=team.people["engineer"]
                )
            ),
            Meanwhile(lambda version=version: remove(version=version, user=team.people["engineer"])),  # type: ignore[misc]
        ]
        outcomes = [each.after() for each in both]
        published_, deleted = isinstance(outcomes[0], Service), isinstance(outcomes[1], int)
        assert published_ != deleted, outcomes
        assert isinstance(outcomes[0], Service | Http404) and isinstance(outcomes[1], int | Needed), outcomes
