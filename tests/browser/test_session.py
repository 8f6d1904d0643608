"""A session that ends, a line that drops, a reload: what was tagged is kept, and sent as nobody else."""

from collections.abc import Iterator

import pytest
from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from datasets.models import Dataset, TagAction
from projects.models import Membership, Role
from tests.browser.bench import make_pets, thumb
from tests.browser.driver import OFFLINE, browser, visit
from tests.factories import Team

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
PASSWORD = "secret-word-1"
PROVOKED = (
    OFFLINE,
    "net::ERR_FAILED",
    "403 (Forbidden)",
    "404 (Not Found)",
    "409 (Conflict)",
    "503 (Service",
)


@pytest.fixture
def pets(transactional_db: None, team: Team) -> Dataset:
    return make_pets(team, 12)


@pytest.fixture
def bench(browser: Browser, live_server: LiveServer, pets: Dataset, team: Team) -> Iterator[Page]:
    with visit(
        browser, live_server, f"/datasets/{pets.pk}/", team.people["labeller"], provoked=PROVOKED
    ) as page:
        page.wait_for_load_state("networkidle")
        yield page


def tagged(pets: Dataset) -> int:
    return pets.images.exclude(label=None).count()


def sign_in(page: Page, password: str = PASSWORD, username: str = "labeller") -> None:
    form = page.locator("#bench-sign-in")
    form.locator("[name=username]").fill(username)
    form.locator("[name=password]").fill(password)
    form.locator("[type=submit]").click()


def become(page: Page, team: Team, who: str) -> None:
    """Somebody signs in in another tab of this browser."""
    client = Client()
    client.force_login(team.people[who])
    name = settings.SESSION_COOKIE_NAME
    url = page.url.split("/datasets")[0]
    page.context.add_cookies([{"name": name, "value": client.cookies[name].value, "url": url}])


def test_who_was_signed_out_signs_in_again_in_place_and_nothing_is_lost(bench: Page, pets: Dataset) -> None:
    bench.context.clear_cookies()
    thumb(bench, 0).click()
    bench.keyboard.press("1")
    dialog = bench.locator("#bench-sign-in")
    expect(dialog).to_be_visible()
    assert dialog.locator("[name=username]").input_value() == "labeller"
    dialog.locator("[data-dialog-close]").click()  # and goes on tagging
    thumb(bench, 0).click()
    bench.keyboard.press("1")
    expect(bench.locator("[data-saving-words]")).to_contain_text("You were signed out. 2 not saved yet")
    assert tagged(pets) == 0
    bench.locator("[data-sign-in]").click()
    sign_in(bench, "wrong")
    expect(bench.locator("[data-sign-in-error]")).to_contain_text("enter a correct")
    sign_in(bench)
    expect(dialog).to_be_hidden()
    expect(bench.locator("[data-saving]")).to_be_hidden()
    expect(bench.locator(".toast-text")).to_contain_text("tagged cat")
    expect(bench.locator('[data-name="cat"] .label-count')).to_have_text("2")
    assert tagged(pets) == 2
    assert set(TagAction.objects.values_list("created_by__username", flat=True)) == {"labeller"}
    thumb(bench, 0).click()
    bench.keyboard.press("2")  # the new token is in use
    expect(bench.locator(".toast-text")).to_have_text("1 picture tagged dog")


def test_an_ended_session_is_said_before_anything_is_tagged(bench: Page) -> None:
    bench.context.clear_cookies()
    expect(bench.locator("[data-saving-words]")).to_have_text(
        "You were signed out. Everything is saved.", timeout=4000
    )
    bench.locator("[data-sign-in]").click()
    sign_in(bench)
    expect(bench.locator("[data-saving]")).to_be_hidden()


def test_acts_are_never_sent_as_somebody_else_who_signs_in_instead(
    bench: Page, pets: Dataset, team: Team
) -> None:
    bench.context.clear_cookies()
    thumb(bench, 0).click()
    bench.keyboard.press("1")
    expect(bench.locator("#bench-sign-in")).to_be_visible()
    sign_in(bench, username="engineer")
    words = bench.locator("[data-saving-words]")
    expect(words).to_contain_text(
        "engineer is signed in in this browser now. Changes by labeller (1) are not saved"
    )
    bench.wait_for_timeout(2500)
    assert tagged(pets) == 0
    bench.locator("[data-keep]").click()
    left = bench.locator("[data-left-words]")
    expect(left).to_contain_text("Changes by labeller (1) in this tab are not saved")
    assert tagged(pets) == 0
    become(bench, team, "labeller")
    bench.reload()
    expect(bench.locator(".toast-text")).to_have_text("1 picture tagged cat")
    assert list(TagAction.objects.values_list("created_by__username", flat=True)) == ["labeller"]


def test_who_signs_in_in_another_tab_gets_none_of_this_pages_acts(
    bench: Page, pets: Dataset, team: Team
) -> None:
    become(bench, team, "owner")
    thumb(bench, 0).click()
    bench.keyboard.press("1")
    expect(bench.locator("[data-saving-words]")).to_contain_text("owner is signed in in this browser now.")
    assert tagged(pets) == 0
    bench.locator("[data-discard]").click()
    expect(bench.locator(".thumb")).to_have_count(12)
    expect(bench.locator("[data-left]")).to_be_hidden()
    assert TagAction.objects.count() == 0


def test_what_a_reload_finds_unsent_is_sent_and_shown(bench: Page, pets: Dataset) -> None:
    bench.route("**/tag/", lambda route: route.abort())
    bench.on("dialog", lambda dialog: dialog.accept())
    thumb(bench, 0).click()
    bench.keyboard.press("1")
    expect(bench.locator("[data-saving-words]")).to_have_text("1 not saved yet. Trying again…")
    bench.unroute("**/tag/")
    bench.reload()
    expect(bench.locator(".toast-text")).to_have_text("1 picture tagged cat")
    expect(bench.locator(".thumb")).to_have_count(11)
    assert tagged(pets) == 1


def test_an_answer_that_was_lost_on_the_way_is_asked_for_again_and_happens_once(
    bench: Page, pets: Dataset
) -> None:
    lost: list[str] = []

    def lose(route: Route) -> None:
        if not lost:
            lost.append(route.fetch().text())  # done there, and the line drops
            route.abort()
        else:
            route.continue_()

    bench.route("**/tag/", lose)
    thumb(bench, 0).click()
    bench.keyboard.press("1")
    expect(bench.locator(".toast-text")).to_have_text("1 picture tagged cat")
    expect(bench.locator("[data-saving]")).to_be_hidden()
    assert (len(lost), TagAction.objects.count()) == (1, 1)


def test_a_right_that_was_taken_away_is_said_and_the_picture_is_shown_as_it_is(
    bench: Page, pets: Dataset, team: Team
) -> None:
    Membership.objects.filter(user=team.people["labeller"]).update(role=Role.VIEWER)
    thumb(bench, 0).click()
    bench.keyboard.press("1")
    expect(bench.locator(".toast[data-kind=error]")).to_be_visible()
    expect(bench.locator(".thumb")).to_have_count(12)
    assert tagged(pets) == 0
