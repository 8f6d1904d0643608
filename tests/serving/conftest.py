"""What the tests of serving share."""

from collections.abc import Callable

import pytest
from django.test import Client

from serving.models import Service
from serving.sessions import sessions
from tests.factories import Team
from tests.serving.makers import make_service, make_version
from training.models import ModelVersion


@pytest.fixture(autouse=True)
def empty_memory() -> None:
    """Each test loads its models itself: their files lie in the test's own folder."""
    sessions.forget()


@pytest.fixture
def version(team: Team) -> ModelVersion:
    """A usable version of the colour model."""
    return make_version(team.project)


@pytest.fixture
def service(team: Team, version: ModelVersion) -> Service:
    """That version, online at /services/colours."""
    return make_service(team, version=version)


@pytest.fixture
def service_token(team: Team, service: Service) -> str:
    """A secret that may predict on `service` alone."""
    from serving.tokens import make_service_token

    return make_service_token(service=service, name="app", by=team.people["owner"])[1]


@pytest.fixture
def call(service_token: str) -> Client:
    """A program that holds the service's own token."""
    return Client(headers={"Authorization": f"Bearer {service_token}"})


Api = Callable[..., Client]
