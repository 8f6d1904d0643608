"""What every test may use: an owner, a project, clients that speak as people and as programs."""

import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.dispatch import receiver
from django.test import Client, TransactionTestCase
from pytest_django.fixtures import Settings

from tests.databases import cluster, emptying
from tests.factories import Team
from tests.product import Product, running
from tests.queue import RealQueue
from tests.storage import bucket
from web.storage import storage_settings


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> Iterator[None]:
    """Where the tests run on PostgreSQL, its server, before the first database is made."""
    from django.conf import settings as ours

    if "postgresql" not in ours.DATABASES["default"]["ENGINE"]:
        yield
        return
    with cluster.running(folder=ours.POSTGRESQL_FOLDER):
        yield
        connections.close_all()


@receiver(connection_created)
def without_waiting_for_the_disk(connection: BaseDatabaseWrapper, **_: object) -> None:
    """The tests' database is thrown away: its commits need not outlive a power cut."""
    if connection.vendor == "sqlite":
        connection.connection.execute("PRAGMA synchronous = OFF")


TransactionTestCase._fixture_teardown = emptying.after_a_test  # type: ignore[attr-defined]
DATABASE = {"db", "transactional_db", "live_server"}


def uses_database(item: pytest.Item) -> bool:
    """By a fixture or by its mark."""
    fixtures: list[str] = getattr(item, "fixturenames", [])
    return bool(DATABASE.intersection(fixtures) or item.get_closest_marker("django_db"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL only what uses the database; and files with long tests first, so that none is begun last."""
    if os.environ.get("TAXON_TEST_DATABASE") == "postgresql":
        config.hook.pytest_deselected(items=[item for item in items if not uses_database(item)])
        items[:] = filter(uses_database, items)
    long = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in long)


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of an S3 server of the tests' own."""
    with bucket.serving_s3() as endpoint:
        yield endpoint


@pytest.fixture(autouse=True)
def private_files(request: pytest.FixtureRequest, settings: Settings, tmp_path: Path) -> None:
    """Stored files go to the test's own folder, or to its own corner of a bucket (TAXON_TEST_STORAGE=s3)."""
    files = storage_settings("file", tmp_path / "files", "")
    if os.environ.get("TAXON_TEST_STORAGE") == "s3" and not request.node.get_closest_marker("disk"):
        files = bucket.entry(request.getfixturevalue("s3"), secrets.token_hex(8))
    settings.STORAGES = settings.STORAGES | {"default": files}


@pytest.fixture
def team(db: None) -> Team:
    """A project with one person of each role, and a stranger with a project of their own."""
    return Team.make()


@pytest.fixture
def page(team: Team) -> Callable[[str], Client]:
    """A signed-in browser: `page("owner").get(…)`."""

    def sign_in(role: str) -> Client:
        client = Client()
        client.force_login(team.people[role])
        return client

    return sign_in


@pytest.fixture
def api(team: Team) -> Callable[..., Client]:
    """A program with a token: `api("engineer").post(…)`; `api("owner", scopes=["read"])`."""
    return team.program


@pytest.fixture
def shared_data() -> Path:
    """The folder of real photographs."""
    folder = os.environ.get("TAXON_TEST_DATA")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real photographs are missing: set TAXON_TEST_DATA")
    return Path(folder)


@pytest.fixture
def weights_dir(settings: Settings) -> Iterator[Path]:
    """The folder of pretrained weights."""
    folder = os.environ.get("TAXON_WEIGHTS_DIR")
    if not folder or not Path(folder).is_dir():
        pytest.skip("pretrained weights are missing: set TAXON_WEIGHTS_DIR")
    yield Path(folder)


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RealQueue]:
    """A Redis of the tests' own, as `up` would start it."""
    with RealQueue.started() as queue:
        yield queue


@pytest.fixture
def work(redis_server: RealQueue, transactional_db: None) -> Callable[[], None]:
    """Run everything that is queued, now, through the real queue: `work()`."""
    redis_server.flush()
    return redis_server.run_all


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The whole product, started once for all tests that use it from outside."""
    with running(tmp_path_factory.mktemp("product") / "data") as started:
        yield started
