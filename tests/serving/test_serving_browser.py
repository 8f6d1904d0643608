"""The pages of serving under a real browser's hands."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from serving.models import PredictionRecord, Service
from tests.browser.driver import browser, visit
from tests.factories import Team, picture
from tests.serving.makers import make_service

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def online(transactional_db: None, team: Team) -> Service:
    return make_service(team)


@pytest.fixture
def page(browser: Browser, live_server: LiveServer, online: Service, team: Team) -> Iterator[Page]:
    """The service's page, opened by its owner."""
    provoked = ("400 (Bad Request)",)
    with visit(browser, live_server, "/services/colours/", team.people["owner"], provoked=provoked) as opened:
        yield opened


def a_file(folder: Path, colour: str, data: bytes | None = None) -> Path:
    path = folder / f"{colour}.png"
    path.write_bytes(picture(colour) if data is None else data)
    return path


def test_a_chosen_picture_is_answered_by_the_real_address(page: Page, tmp_path: Path) -> None:
    page.set_input_files("[data-try] input[type=file]", a_file(tmp_path, "blue"))
    expect(page.locator("[data-result-label]")).to_have_text("蓝")
    shown = json.loads(page.locator("#result-json").inner_text())
    assert shown["scores"][0] == ["蓝", "0.965"]
    expect(page.locator("[data-result-bars] .is-first .bars-value")).to_have_text("0.965")
    assert PredictionRecord.objects.count() == 1


def test_a_broken_picture_says_why_and_the_next_one_is_answered(page: Page, tmp_path: Path) -> None:
    page.set_input_files("[data-try] input[type=file]", a_file(tmp_path, "junk", b"junk"))
    expect(page.locator("[data-result-refusal]")).to_be_visible()
    page.set_input_files("[data-try] input[type=file]", a_file(tmp_path, "red"))
    expect(page.locator("[data-result-label]")).to_have_text("红")
    expect(page.locator("[data-result-refusal]")).to_be_hidden()


def test_the_guide_shows_one_language_at_a_time(page: Page) -> None:
    expect(page.locator("#recipe-curl")).to_be_visible()
    page.locator(".guide-tab", has_text="Python").click()
    expect(page.locator("#recipe-python")).to_be_visible()
    expect(page.locator("#recipe-curl")).to_be_hidden()


def test_giving_up_waits_for_the_address(page: Page) -> None:
    page.locator("[data-dialog=release-dialog]").click()
    button = page.locator("#release-dialog button[type=submit]")
    expect(button).to_be_disabled()
    page.fill("#release-name", "colours")
    button.click()
    page.wait_for_url("**/services/")
    assert Service.objects.get().released_at is not None


def test_pictures_are_tried_as_soon_as_they_are_chosen(page: Page, online: Service, tmp_path: Path) -> None:
    page.goto(page.url.replace("/services/colours/", f"/models/{online.model_id}/versions/1/validate/"))
    with page.expect_navigation():
        page.set_input_files(
            "[data-validate] input[type=file]", [a_file(tmp_path, colour) for colour in ("red", "blue")]
        )
    expect(page.locator("#picture-1 h2")).to_be_visible()
    expect(page.locator("#picture-2")).to_be_hidden()
    page.locator(".validate-thumb").nth(1).click()
    expect(page.locator("#picture-2 h2")).to_have_text("蓝")
    page.keyboard.press("ArrowLeft")
    expect(page.locator("#picture-1 h2")).to_be_visible()
