"""Many people tag one data set at once: every act that was acknowledged counts, in one order, once."""

import json
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.databases import blanks, cluster
from tests.faults.losing_proxy import losing
from tests.faults.plant import times
from tests.faults.taggers import Acknowledged, Site, Tagger, all_at_once, judge, percentile, site

needs_postgresql = pytest.mark.skipif(not cluster.installed(), reason="PostgreSQL is not installed")


@pytest.fixture
def on_sqlite(prepared: Path) -> Iterator[Site]:
    with site(prepared) as made:
        yield made


@pytest.fixture(scope="module")
def server(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[cluster.Cluster]:
    """With one database that is prepared, to copy."""
    with cluster.running() as running:
        folder = tmp_path_factory.mktemp("postgresql")
        shutil.copytree(prepared / "static", folder / "static")
        variables = {
            "DATABASE_URL": running.create("prepared"),
            "TAXON_ADMIN_PASSWORD": "a-password-for-tests",
        }
        blanks.manage(folder, "prepare", "config.settings", **variables)
        yield running


@pytest.fixture
def on_postgresql(server: cluster.Cluster, prepared: Path) -> Iterator[Site]:
    url = server.create(f"taxon-{secrets.token_hex(4)}", template="prepared")
    with site(prepared, url, TAXON_WEB_WORKERS="2") as made:
        yield made


def crowd(made: Site, people: int, count: int, name: str, *, pause: float = 0.0) -> None:
    """They all tag at once; the judge looks; how long the acts took is printed, for it depends on the machine."""
    made.seed(people=people, images=5000)
    taggers = [Tagger(made, number) for number in range(people)]
    seconds = all_at_once(taggers, count, pause=pause)
    acts = [act for tagger in taggers for act in tagger.acknowledged]
    assert [wrong for tagger in taggers for wrong in tagger.wrong] == []
    assert len(acts) == people * count
    judge(made, acts)
    took = [act.seconds for act in acts]
    shares = ", ".join(
        f"p{round(100 * share)} {percentile(took, share):.2f} s" for share in (0.5, 0.95, 0.99)
    )
    print(
        f"{name}: {len(acts)} acts, {people} people, {seconds:.0f} s ({len(acts) / seconds:.0f} a second), {shares}"
    )


@needs_postgresql
def test_two_hundred_people_tag_on_postgresql_and_nothing_is_lost(on_postgresql: Site) -> None:
    """L1: as fast as each can, with no pause at all."""
    crowd(on_postgresql, times(20, 200), times(5, 50), "L1, no pauses")


@needs_postgresql
def test_people_who_look_before_they_tag_lose_nothing_on_postgresql(on_postgresql: Site) -> None:
    """L1 at the pace of people who look at what they tag: twenty seconds a handful of pictures."""
    crowd(on_postgresql, times(10, 200), times(3, 5), "L1, 20 s a look", pause=times(1, 20))


def test_twenty_people_tag_on_sqlite_and_nothing_is_lost_or_locked(on_sqlite: Site) -> None:
    """L2."""
    crowd(on_sqlite, times(8, 20), times(5, 50), "L2")


def lossy(made: Site, people: int, count: int, name: str) -> None:
    """L4: three answers of ten are lost, and each act is asked for again with its key until it is answered."""
    made.seed(people=people, images=400)
    with losing(made.port, 0.3) as proxy:
        taggers = [Tagger(made, number, proxy.port) for number in range(people)]
        all_at_once(taggers, count)
    acts = [act for tagger in taggers for act in tagger.acknowledged]
    assert len(acts) == people * count
    wrong = [wrong for tagger in taggers for wrong in tagger.wrong]
    assert all("in-progress" in each for each in wrong), wrong[:3]
    judge(made, acts)
    assert proxy.lost > 0
    again = sum(act.tries > 1 for act in acts)
    print(
        f"{name}: {len(acts)} acts, {proxy.lost} answers lost of {proxy.lost + proxy.passed}, {again} acts sent again"
    )


def test_answers_that_are_lost_on_the_way_change_nothing_twice(on_sqlite: Site) -> None:
    lossy(on_sqlite, times(4, 10), times(8, 50), "L4, SQLite")


@needs_postgresql
def test_answers_that_are_lost_on_the_way_change_nothing_twice_on_postgresql(on_postgresql: Site) -> None:
    lossy(on_postgresql, times(4, 20), times(8, 50), "L4, PostgreSQL")


def test_the_same_request_gets_the_same_answer_and_another_one_with_its_key_is_refused(
    on_sqlite: Site,
) -> None:
    on_sqlite.seed(people=1, images=10)
    tagger, body = Tagger(on_sqlite, 0), {"images": on_sqlite.images[:3], "label": "cat"}
    answers = [tagger.post("tag", body, "one-key") for _ in range(3)]
    assert len({json.dumps(answer) for answer in answers}) == 1
    status, refused = tagger.post("tag", body | {"label": "dog"}, "one-key")
    tagger.connection.close()
    assert (status, refused["code"]) == (422, "key-reused")
    said = answers[0][1]
    judge(on_sqlite, [Acknowledged(said["action"], said["changed"], body["images"], "cat", 0)])
