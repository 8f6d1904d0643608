"""Killed at any line of a decision, an offline, an online or a release: wholly done or not at all (J5)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tests.factories import picture
from tests.faults.test_publish import KILLED, LONG, Shop, call
from tests.faults.test_publish import shop as shop  # noqa: PLC0414  (a fixture)

STRIDE = 1 if LONG else 11
NOTES = {
    "approve": "service.approve",
    "reject": "service.reject",
    "take_offline": "service.offline",
    "bring_online": "service.online",
    "release": "service.release",
}
OFFLINE, REFUSED = 409, {401, 403, 404}


def standing(shop: Shop, slug: str) -> dict[str, Any]:
    return dict(shop.plant.order("standing", slug=slug))


def killed(shop: Shop, act: str, slug: str, line: int) -> tuple[bool, bool]:
    """Do it in a child that dies at its n-th line: whether it died, and whether the act is noted once more."""
    before = standing(shop, slug)["notes"].count(NOTES[act])
    ended = shop.plant.order("killed", act=act, slug=slug, line=line)
    assert ended["status"] in (0, KILLED), shop.plant.said()
    noted = standing(shop, slug)["notes"].count(NOTES[act]) - before
    assert noted in (0, 1) and (noted or ended["status"] == KILLED)
    return ended["status"] == KILLED, bool(noted)


def ask(shop: Shop, slug: str, secret: str) -> int:
    """The status of one call."""
    return call(f"{shop.url}/{slug}/predict", secret, picture("red", (32, 32)))[0]


def opened(shop: Shop, slug: str) -> str:
    """A service of this name, online; its secret."""
    shop.plant.order("publish", slug=slug)
    warmed(shop, slug)
    return str(shop.plant.order("token", slug=slug))


def warmed(shop: Shop, slug: str) -> None:
    """What waits for a worker is done."""
    for job in standing(shop, slug)["jobs"]:
        shop.plant.order("warm", job=job)
    assert standing(shop, slug)["state"] == "online"


@contextmanager
def asked_meanwhile(shop: Shop, slug: str, secret: str) -> Iterator[list[int]]:
    """Ten calls a second; their statuses."""
    statuses, over = list[int](), threading.Event()

    def keep_asking() -> None:
        while not over.wait(0.1):
            statuses.append(ask(shop, slug, secret))

    thread = threading.Thread(target=keep_asking)
    thread.start()
    try:
        yield statuses
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(("act", "to"), [("approve", "warming"), ("reject", "rejected")])
def test_a_decision_killed_at_any_line_is_made_or_still_to_be_made(shop: Shop, act: str, to: str) -> None:
    kills, made = 0, 0
    for line in range(1, 1000, STRIDE):
        slug = f"{act}-{line}"
        shop.plant.order("request", slug=slug)
        died, happened = killed(shop, act, slug, line)
        now = standing(shop, slug)
        assert now["state"] == (to if happened else "requested") and now["decided"] == happened, now
        assert len(now["jobs"]) == (happened and act == "approve"), now
        if happened and act == "approve":
            warmed(shop, slug)
        if not died:
            break
        kills, made = kills + 1, made + happened
    assert not died and kills > 1
    print(f"J5: {kills} kills at the lines of {act}; {made} had happened, the others not")


def test_an_offline_or_online_killed_at_any_line_answers_or_says_offline(shop: Shop) -> None:
    secret = opened(shop, "booth")
    with asked_meanwhile(shop, "booth", secret) as statuses:
        for act, other in (("take_offline", "bring_online"), ("bring_online", "take_offline")):
            kills, made = 0, 0
            if act == "bring_online":
                shop.plant.order(other, slug="booth")
            for line in range(1, 1000, STRIDE):
                died, happened = killed(shop, act, "booth", line)
                now = standing(shop, "booth")
                offline = happened == (act == "take_offline")
                if happened and act == "bring_online":
                    assert now["state"] == "warming" and len(now["jobs"]) == 1, now
                    assert ask(shop, "booth", secret) == OFFLINE
                    warmed(shop, "booth")
                assert standing(shop, "booth")["state"] == ("offline" if offline else "online")
                assert ask(shop, "booth", secret) == (OFFLINE if offline else 200)
                if not died:
                    break
                kills, made = kills + 1, made + happened
                if happened:
                    shop.plant.order(other, slug="booth")
                    if other == "bring_online":
                        warmed(shop, "booth")
            assert not died and kills > 1
            print(f"J5: {kills} kills at the lines of {act}; {made} had happened, the others not")
    assert set(statuses) == {200, OFFLINE}
    print(f"J5: {len(statuses)} calls meanwhile, {statuses.count(OFFLINE)} told that it is offline, 0 errors")


def test_a_release_killed_at_any_line_leaves_all_or_nothing(shop: Shop) -> None:
    """The service, its address and its tokens."""
    kills, made = 0, 0
    for line in range(1, 1000, STRIDE):
        slug = f"gone-{line}"
        secret = opened(shop, slug)
        died, happened = killed(shop, "release", slug, line)
        now = standing(shop, slug)
        assert now["released"] == happened and now["tokens"] == (not happened), now
        assert now["state"] == ("offline" if happened else "online")
        status = ask(shop, slug, secret)
        assert status in REFUSED if happened else status == 200
        if not died:
            break
        kills, made = kills + 1, made + happened
    assert not died and kills > 1
    print(f"J5: {kills} kills at the lines of release; {made} had happened, the others not")
