"""The import page under a real browser's hands."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.driver import browser, visit
from tests.datasets.makers import colours, make_dataset, taken
from tests.factories import Team

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


def test_a_folder_of_folders_travels_as_one_zip_and_gives_its_labels(
    browser: Browser, live_server: LiveServer, team: Team, work: Callable[[], None], tmp_path: Path
) -> None:
    dataset = make_dataset(team)
    for name, content in zip(
        ["animals/cat/1.png", "animals/cat/2.png", "animals/狗/3.png"], colours(3), strict=True
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    address = f"/datasets/{dataset.pk}/import/"
    with visit(browser, live_server, address, team.people["labeller"]) as page:
        page.locator("[data-folder]").set_input_files(tmp_path / "animals")
        expect(page.locator("[data-files]")).to_contain_text("3 pictures in 2 folders")
        page.get_by_role("button", name="Import", exact=True).click()
        page.wait_for_url("**/imports/*/")
        work()
        expect(page.locator(".stat-value").first).to_have_text("3")  # the page follows the import to its end
    assert taken(dataset) == {"1.png": "cat", "2.png": "cat", "3.png": "狗"}


def test_loose_pictures_come_in_under_the_label_that_was_typed(
    browser: Browser, live_server: LiveServer, team: Team, work: Callable[[], None]
) -> None:
    dataset = make_dataset(team)
    address = f"/datasets/{dataset.pk}/import/"
    with visit(browser, live_server, address, team.people["labeller"]) as page:
        files = [
            {"name": f"{n}.png", "mimeType": "image/png", "buffer": each} for n, each in enumerate(colours(2))
        ]
        page.locator("input[name=files]").set_input_files(files)  # type: ignore[arg-type]
        page.get_by_label("Label for loose pictures").fill("cat")
        page.get_by_role("button", name="Import", exact=True).click()
        page.wait_for_url("**/imports/*/")
        work()
    assert taken(dataset) == {"0.png": "cat", "1.png": "cat"}
