"""Killed while it publishes, switches, rolls back or warms: the old version answers or the new one does (J5)."""

import json
import os
import random
import signal
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any

import pytest

from tests.factories import picture
from tests.faults.plant import LONG, Plant, children_of, eventually, short_folder, times
from tests.product import free_port

SHOP = {"DJANGO_SETTINGS_MODULE": "tests.faults.house", "FAULTS_CLERK": "publisher", "DEBUG": "1"}
SCORES = {1: "0.965", 2: "0.999"}  # of red, by version: a half-switched service would mix them up
STRIDE = 1 if LONG else 23  # the plain run tries a few of the lines, the long one every line
KILLED = -signal.SIGKILL


@dataclass(frozen=True)
class Answer:
    """What a call of the service got; status 0: nothing."""

    status: int
    version: int = 0
    revision: int = 0
    score: str = ""


def call(url: str, secret: str, body: bytes, kind: str = "image/png") -> tuple[int, Any, bytes]:
    """Status, headers and body of a POST; status 0 where the connection broke."""
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": kind}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, headers), timeout=30) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()
    except (OSError, HTTPException):
        return 0, {}, b""


class Shop:
    """A plant with web processes, a service that is online, and a caller who asks ten times a second."""

    def __init__(self, plant: Plant) -> None:
        self.plant, self.answers, self.over = plant, list[Answer](), threading.Event()
        address, _ = self.start_web()
        self.secret = plant.order("open_shop")
        self.url = self.open_web(address)
        self.asker = threading.Thread(target=self.keep_asking)
        self.asker.start()

    def start_web(self) -> tuple[str, int]:
        """One more gunicorn of the product with one web process: its address and its master's number."""
        address = f"127.0.0.1:{free_port()}"
        command = (sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "--bind", address)
        master = self.plant.spawn(*command, name="web")
        return address, master.pid

    def open_web(self, address: str) -> str:
        """Wait until it serves: where its services are."""
        assert eventually(lambda: answers(address)), self.plant.said()
        return f"http://{address}/api/v1/services"

    def ask(self) -> Answer:
        """One picture, all red."""
        status, headers, body = call(f"{self.url}/shop/predict", self.secret, picture("red", (32, 32)))
        if status != 200:
            return Answer(status)
        version, revision = int(headers["X-Taxon-Version"]), int(headers["X-Taxon-Revision"])
        return Answer(status, version, revision, json.loads(body)["scores"][0][1])

    def keep_asking(self) -> None:
        """Ten times a second, until the test is over."""
        due = time.monotonic()
        while not self.over.wait(max(0.0, due - time.monotonic())):
            self.answers.append(self.ask())
            due = max(due + 0.1, time.monotonic() - 1.0)

    def facts(self, slug: str = "shop") -> dict[str, Any]:
        """What the rows say, which must be one of the states that an undisturbed act can leave."""
        facts: dict[str, Any] = self.plant.order("facts", slug=slug)
        if not facts["exists"]:
            assert not facts["noted"], facts
            return facts
        facts["served"] = {int(number): version for number, version in facts["served"].items()}
        assert list(facts["served"]) == list(range(1, len(facts["served"]) + 1)), facts
        assert facts["live"] == len(facts["served"]) == facts["noted"] and facts["whole"], facts
        assert facts["warmed"] == facts["online"], facts
        return facts

    def judge(self) -> None:
        """Every call was answered, by a version that was live, with that version's scores, and never by an older
        one after a newer one."""
        served = self.facts()["served"]
        assert len(self.answers) > 10
        assert not [each for each in self.answers if each.status != 200], self.plant.said()
        assert all(served[each.revision] == each.version for each in self.answers)
        assert all(SCORES[each.version] == each.score for each in self.answers), self.answers
        order = [each.revision for each in self.answers]
        assert order == sorted(order)


def answers(address: str) -> bool:
    """True once the web process serves."""
    try:
        with urllib.request.urlopen(f"http://{address}/healthz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, HTTPException):
        return False


@pytest.fixture(scope="module")
def shop(blank_house: Path) -> Iterator[Shop]:
    """Open for all tests of this file, so that starting it is paid for once."""
    with short_folder() as folder:
        plant = Plant(folder, blank_house, **SHOP)
        try:
            plant.start_redis()
            opened = Shop(plant)
            yield opened
            opened.over.set()
            opened.asker.join()
            opened.judge()
            plant.judge()
            print(f"J5: {len(opened.answers)} calls, all answered")
        finally:
            if "opened" in locals():
                opened.over.set()
            plant.close()


def other(facts: dict[str, Any]) -> int:
    """The version that is not served."""
    return 3 - int(facts["served"][facts["live"]])


def test_a_switch_or_roll_back_killed_at_any_line_has_happened_or_has_not(shop: Shop) -> None:
    kills, changed = 0, 0
    shop.plant.order("killed", act="switch", slug="shop", to=2)
    for act in ("switch", "roll_back"):
        for line in range(1, 1000, STRIDE):
            before = shop.facts()
            what = {"to": other(before)} if act == "switch" else {}
            ended = shop.plant.order("killed", act=act, slug="shop", line=line, **what)
            after = shop.facts()
            assert ended["status"] in (0, KILLED), shop.plant.said()
            assert after["online"] and after["live"] - before["live"] in (0, 1)
            assert shop.ask().revision == after["live"]
            if ended["status"] == 0:
                assert after["live"] == before["live"] + 1
                break
            kills, changed = kills + 1, changed + after["live"] - before["live"]
    assert kills > 4
    print(f"J5: {kills} kills at the lines of switch and roll back; {changed} had happened, the others not")


def test_a_switch_or_roll_back_killed_at_any_moment_has_happened_or_has_not(
    shop: Shop, dice: random.Random
) -> None:
    takes = shop.plant.order("killed", act="switch", slug="shop", to=other(shop.facts()))["seconds"]
    kills, changed = 0, 0
    while kills < times(3, 20):
        before = shop.facts()
        act = dice.choice(["switch", "roll_back"])
        what = {"to": other(before) if act == "switch" else dice.randint(1, before["live"])}
        after = dice.uniform(0.001, takes)
        ended = shop.plant.order("killed", act=act, slug="shop", after=after, **what)
        now = shop.facts()
        assert ended["status"] in (0, KILLED), shop.plant.said()
        assert now["online"] and now["live"] - before["live"] in (0, 1)
        assert shop.ask().revision == now["live"]
        if ended["status"] == KILLED:
            kills, changed = kills + 1, changed + now["live"] - before["live"]
    print(f"J5: {kills} kills at random moments of {takes:.3f} s; {changed} had happened")


@pytest.mark.skipif(not LONG, reason="each kill costs a start of the web process; the long form runs it")
def test_a_web_process_killed_while_it_switches_leaves_old_or_new(shop: Shop, dice: random.Random) -> None:
    """The act as a person does it: over HTTP, in a second web process of the same product."""
    address, master = shop.start_web()
    url = shop.open_web(address)
    secret, kills, cut = shop.plant.order("owner_secret"), 0, 0
    while kills < 20:
        before = shop.facts()
        body = json.dumps({"versions": [{"version": other(before), "share": 100}]}).encode()
        got: list[int] = []
        asking = threading.Thread(
            target=lambda body=body, got=got: got.append(
                call(f"{url}/shop/switch", secret, body, "application/json")[0]
            )
        )
        asking.start()
        time.sleep(dice.uniform(0.001, 0.25))
        os.kill(children_of(master)[0], signal.SIGKILL)
        asking.join()
        kills, cut = kills + 1, cut + (got[0] == 0)
        now = shop.facts()
        assert got[0] in (0, 200) and now["online"], (got, shop.plant.said())
        assert now["live"] - before["live"] in ((1,) if got[0] == 200 else (0, 1))
        assert shop.ask().revision == now["live"]
        assert eventually(lambda: answers(address)), "the master starts another web process"
    print(f"J5: {kills} web processes killed while they switched, {cut} before their answer")


def test_a_publication_killed_at_any_line_is_whole_or_never_was(shop: Shop) -> None:
    """Request, approval and warming job belong together; what was asked for goes online afterwards."""
    kills, published = 0, []
    for line in range(1, 1000, STRIDE):
        slug = f"stall-{line}"
        ended = shop.plant.order("killed", act="publish", slug=slug, line=line)
        facts = shop.facts(slug)
        if facts["exists"]:
            published.append(slug)
            assert facts["state"] == "warming" and len(facts["jobs"]) == 1, facts
        if ended["status"] == 0:
            break
        kills += 1
    assert ended["status"] == 0 and facts["exists"] and kills > 1, shop.plant.said()
    for job in unfinished(shop):
        shop.plant.order("warm", job=job)
    assert all(shop.facts(slug)["online"] for slug in published), "what was asked for is online"
    print(f"J5: {kills} kills at the lines of a publication; {len(published)} had happened and went online")


def unfinished(shop: Shop) -> list[int]:
    """Jobs that have not ended well."""
    return [row["id"] for row in shop.plant.order("rows") if row["state"] != "succeeded"]


def test_a_warming_killed_at_any_line_goes_online_at_the_next_try(shop: Shop) -> None:
    kills = 0
    for line in range(1, 1000, STRIDE):
        slug = f"lamp-{line}"
        shop.plant.order("publish", slug=slug)
        (job,) = shop.facts(slug)["jobs"]
        ended = shop.plant.order("killed", act="warm", job=job, line=line)
        assert shop.facts(slug)["state"] in ("warming", "online")
        if ended["status"] == 0:
            break
        kills += 1
        shop.plant.order("reconcile")
        shop.plant.order("warm", job=job)
        assert shop.facts(slug)["state"] == "online" and shop.plant.state(job) == "succeeded"
    assert ended["status"] == 0 and kills > 1, shop.plant.said()
    print(f"J5: {kills} kills at the lines of a warming")


@pytest.mark.skipif(not LONG, reason="each kill costs a start of the worker; the long form runs it")
def test_a_warming_whose_worker_is_killed_at_any_moment_goes_online(shop: Shop, dice: random.Random) -> None:
    worker = shop.plant.worker()
    reconciler = shop.plant.reconciler()
    begun = 0
    for kill in range(20):
        slug = f"bulb-{kill}"
        shop.plant.order("publish", slug=slug)
        (job,) = shop.facts(slug)["jobs"]
        if kill % 4:  # else it may not even have begun
            eventually(lambda job=job: shop.plant.state(job) != "queued", pause=0.002)
        time.sleep(dice.random() * 0.2)
        worker.kill()
        worker.wait()
        assert shop.facts(slug)["state"] in ("warming", "online")
        worker = shop.plant.worker()
        assert shop.plant.becomes(job, "succeeded"), shop.plant.said()
        assert shop.facts(slug)["online"]
        begun += shop.plant.row(job)["attempt"] > 1
    worker.kill()
    reconciler.kill()
    print(f"J5: 20 workers killed around a warming, {begun} of them in the middle of it")
