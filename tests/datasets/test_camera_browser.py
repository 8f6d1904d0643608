"""The camera page under a real browser's hands, with Chromium's own pretended camera."""

import re
from collections.abc import Callable, Iterator

import pytest
from django.test import Client
from playwright.sync_api import Browser, expect, sync_playwright
from pytest_django.live_server_helper import LiveServer

from datasets.models import Image, Import
from tests.browser.driver import ARGUMENTS, CHROMIUM, visit
from tests.datasets.makers import make_dataset
from tests.factories import Team

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def started(*more: str) -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=[*ARGUMENTS, *more])
        yield chromium
        chromium.close()


@pytest.fixture
def with_camera() -> Iterator[Browser]:
    """A browser whose camera shows a test picture and needs no permission."""
    yield from started("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")


@pytest.fixture
def without_camera() -> Iterator[Browser]:
    """A browser on a machine without one."""
    yield from started("--use-fake-ui-for-media-stream")


def test_a_held_button_takes_a_burst_of_one_group_under_the_label(
    with_camera: Browser, live_server: LiveServer, team: Team, work: Callable[[], None]
) -> None:
    dataset = make_dataset(team)
    address = f"/datasets/{dataset.pk}/import/camera/"
    with visit(with_camera, live_server, address, team.people["labeller"]) as page:
        shutter = page.get_by_role("button", name="Hold to take pictures")
        expect(shutter).to_be_enabled()
        page.get_by_label("Label", exact=True).fill("cup")
        page.get_by_label("Pictures a second while held").select_option("8")
        shutter.hover()
        page.mouse.down()
        expect(page.locator("[data-counter]")).to_contain_text(re.compile(r"([4-9]|\d\d) taken"))
        page.mouse.up()
        expect(page.locator("[data-counter]")).not_to_contain_text("0 sent")
        page.wait_for_timeout(500)
        work()
        expect(page.locator("[data-counter]")).not_to_contain_text("0 in the data set")
        taken = Image.objects.filter(dataset=dataset)
        assert len(set(taken.values_list("group", flat=True))) == 1
        assert taken[0].group.startswith("burst-")
        assert set(taken.values_list("label__name", flat=True)) == {"cup"}
        assert taken.count() + Import.objects.get().duplicates >= 4
        page.get_by_role("button", name="Take the last burst back").click()
        expect(page.locator("[data-counter]")).to_contain_text("0 taken")
        assert not taken.filter(trashed_at=None).exists()


def test_the_space_bar_takes_pictures_and_a_second_burst_is_a_second_group(
    with_camera: Browser, live_server: LiveServer, team: Team, work: Callable[[], None]
) -> None:
    dataset = make_dataset(team)
    address = f"/datasets/{dataset.pk}/import/camera/"
    with visit(with_camera, live_server, address, team.people["labeller"]) as page:
        expect(page.get_by_role("button", name="Hold to take pictures")).to_be_enabled()
        page.keyboard.press("Space")
        expect(page.get_by_text("Choose or type a label first.")).to_be_visible()
        label = page.get_by_label("Label", exact=True)
        for name in ("red cup", "mug"):
            label.fill(name)  # the space in a name is a space
            label.press("Enter")
            page.keyboard.down("Space")
            page.wait_for_timeout(300)
            page.keyboard.up("Space")
            page.wait_for_timeout(700)
        work()
        assert Import.objects.values("group").distinct().count() == 2
        assert set(Import.objects.values_list("label_name", flat=True)) == {"red cup", "mug"}


def test_taking_back_a_burst_that_has_not_come_in_yet_keeps_it_out(
    with_camera: Browser, live_server: LiveServer, team: Team, work: Callable[[], None]
) -> None:
    dataset = make_dataset(team)
    address = f"/datasets/{dataset.pk}/import/camera/"
    with visit(with_camera, live_server, address, team.people["labeller"]) as page:
        expect(page.get_by_role("button", name="Hold to take pictures")).to_be_enabled()
        page.get_by_label("Label", exact=True).fill("cup")
        page.get_by_label("Label", exact=True).press("Enter")
        page.keyboard.press("Space", delay=200)
        expect(page.locator("[data-counter]")).not_to_contain_text("0 sent")
        page.get_by_role("button", name="Take the last burst back").click()
        expect(page.locator("[data-counter]")).to_contain_text("0 taken")
    work()
    assert Import.objects.get().state == "cancelled"
    assert not Image.objects.filter(trashed_at=None).exists()


def test_without_a_camera_the_page_says_what_to_do(
    without_camera: Browser, live_server: LiveServer, team: Team
) -> None:
    address = f"/datasets/{make_dataset(team).pk}/import/camera/"
    with visit(without_camera, live_server, address, team.people["labeller"]) as page:
        expect(page.get_by_role("alert")).to_contain_text("No camera was found")
        expect(page.get_by_role("button", name="Hold to take pictures")).to_be_disabled()


def test_without_permission_the_page_says_where_to_give_it(live_server: LiveServer, team: Team) -> None:
    address = f"/datasets/{make_dataset(team).pk}/import/camera/"
    for browser in started("--use-fake-device-for-media-stream", "--deny-permission-prompts"):
        with visit(browser, live_server, address, team.people["labeller"]) as page:
            expect(page.get_by_role("alert")).to_contain_text("does not let this page use the camera")


def test_only_the_cameras_own_page_may_use_it(team: Team, page: Callable[[str], Client]) -> None:
    dataset = make_dataset(team)
    person = page("labeller")
    there = person.get(f"/datasets/{dataset.pk}/import/camera/")["Permissions-Policy"]
    elsewhere = person.get(f"/datasets/{dataset.pk}/import/")["Permissions-Policy"]
    assert "camera=(self)" in there and "camera=()" in elsewhere and "microphone=()" in there


def test_a_burst_is_taken_back_by_whoever_took_it_alone(
    team: Team, page: Callable[[str], Client], api: Callable[..., Client], work: Callable[[], None]
) -> None:
    from tests.datasets.makers import colours, upload

    dataset = make_dataset(team)
    body = {"images": [upload("1.png", colours(1)[0])], "label": "cup", "group": "burst-1"}
    assert api("labeller").post(f"/api/v1/datasets/{dataset.pk}/imports", body).status_code == 202
    work()
    address = f"/datasets/{dataset.pk}/import/camera/undo/"
    page("engineer").post(address, {"group": "burst-1"})
    for group in ("", "1", "burst-", "burst-2"):
        page("labeller").post(address, {"group": group})
    assert Image.objects.filter(trashed_at=None).count() == 1
    answer = page("labeller").post(address, {"group": "burst-1"})
    assert answer.status_code == 200 and not Image.objects.filter(trashed_at=None).exists()
    assert page("viewer").post(address, {"group": "burst-1"}).status_code == 403
    assert page("stranger").post(address).status_code == 404
    assert page("labeller").get(address).status_code == 405


def test_a_group_that_is_none_is_refused(team: Team, api: Callable[..., Client]) -> None:
    from tests.datasets.makers import colours, upload

    dataset = make_dataset(team)
    body = {"images": [upload("1.png", colours(1)[0])], "group": "a b"}
    answer = api("labeller").post(f"/api/v1/datasets/{dataset.pk}/imports", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad-group")
