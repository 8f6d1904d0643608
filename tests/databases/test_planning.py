"""SQLite's planner knows how large the tables are, and is told again when they grew."""

import pytest
from django.db import connection, connections, transaction

from config import groundwork
from datasets.models import Label
from jobs.queue import enqueue
from jobs.registry import Kind, register
from tests.datasets.makers import Work, make_dataset
from tests.factories import Team
from web.sqlite import planning

KIND = "tests.many-labels"
pytestmark = pytest.mark.skipif(
    "connection.vendor != 'sqlite'", reason="other databases see to it themselves"
)


@pytest.fixture(autouse=True)
def nothing_known(team: Team) -> None:
    """What the planner learned in earlier tests outlives their rows; here it begins anew."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
        if cursor.fetchone():
            cursor.execute("DELETE FROM sqlite_stat1")
            cursor.execute("ANALYZE sqlite_schema")


def known_of_labels() -> set[int]:
    """How many rows the planner thinks that the table has."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'")
        if cursor.fetchone() is None:
            return set()
        cursor.execute("SELECT stat FROM sqlite_stat1 WHERE tbl = 'datasets_label'")
        return {int(stat.split()[0]) for (stat,) in cursor.fetchall()}


def make_labels(team: Team, name: str, count: int) -> None:
    dataset = make_dataset(team, name)
    Label.objects.bulk_create(
        Label(dataset=dataset, name=f"label {n}", position=n, chosen_key="") for n in range(count)
    )


def test_a_table_is_measured_and_again_when_it_grew_tenfold_but_not_before(team: Team) -> None:
    make_labels(team, "Few", 20)
    planning.refresh()
    assert 20 in known_of_labels()
    make_labels(team, "Some", 30)
    planning.refresh()
    assert 20 in known_of_labels()
    make_labels(team, "Many", 400)
    planning.refresh()
    assert 450 in known_of_labels()


def test_the_end_of_a_job_has_the_tables_measured(team: Team, work: Work) -> None:
    register(Kind(KIND, "quick", "Tests", lambda attempt: make_labels(team, "By a job", 40)))
    with transaction.atomic():
        enqueue(KIND, {}, project=team.project)
    work()
    assert 40 in known_of_labels()


def test_the_start_of_the_product_has_the_tables_measured(
    team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_labels(team, "Before the start", 60)
    for step in ("call_command", "first_account", "collect_static"):
        monkeypatch.setattr(groundwork, step, lambda *_args, **_options: None)
    monkeypatch.setattr(connections, "close_all", lambda: None)
    groundwork.lay(lambda _line: None)
    assert 60 in known_of_labels()


def test_a_database_that_cannot_be_measured_now_is_left_alone(team: Team) -> None:
    make_labels(team, "Not to be measured", 20)
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only = 1")
        try:
            planning.refresh()
        finally:
            cursor.execute("PRAGMA query_only = 0")
    assert known_of_labels() == set()
