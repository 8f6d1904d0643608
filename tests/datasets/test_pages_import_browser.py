"""The import page under a real browser's hands."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.driver import browser, visit
from tests.datasets.makers import colours, make_dataset, taken, zip_of
from tests.factories import Team

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
MB = 1024**2


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


def large_zip(folder: Path) -> Path:
    """Two pictures and enough beside them for three pieces."""
    [one, two] = colours(2)
    path = folder / "pets.zip"
    path.write_bytes(zip_of({"cat/1.png": one, "dog/2.png": two, "notes.bin": os.urandom(17 * MB)}))
    return path


def cutting(page: Page, cut: Callable[[int], bool]) -> list[int]:
    """Cut the line under those pieces for which `cut(how many went before)`. Returns where each piece began."""
    begun: list[int] = []

    def pass_or_cut(route: Route) -> None:
        if route.request.method != "PATCH":
            return route.continue_()
        begun.append(int(route.request.headers["upload-offset"]))
        return route.abort("connectionreset") if cut(len(begun) - 1) else route.continue_()

    page.route("**/api/v1/uploads/*", pass_or_cut)
    return begun


def test_a_large_zip_goes_on_by_itself_after_a_dropped_line(
    browser: Browser, live_server: LiveServer, team: Team, work: Callable[[], None], tmp_path: Path
) -> None:
    dataset = make_dataset(team)
    address, labeller = f"/datasets/{dataset.pk}/import/", team.people["labeller"]
    with visit(browser, live_server, address, labeller, provoked=("net::ERR",)) as page:
        begun = cutting(page, lambda before: before == 1)
        page.locator("input[name=files]").set_input_files(large_zip(tmp_path))
        page.get_by_role("button", name="Import", exact=True).click()
        page.wait_for_url("**/imports/*/")
        work()
    assert begun == [0, 8 * MB, 8 * MB, 16 * MB]
    assert taken(dataset) == {"1.png": "cat", "2.png": "dog"}


def test_a_large_zip_goes_on_after_a_pause_and_a_reload(
    browser: Browser, live_server: LiveServer, team: Team, tmp_path: Path
) -> None:
    address, path = f"/datasets/{make_dataset(team).pk}/import/", large_zip(tmp_path)
    labeller = team.people["labeller"]
    with visit(browser, live_server, address, labeller, provoked=("net::ERR",)) as page:
        begun = cutting(page, lambda before: before >= 1)
        page.locator("input[name=files]").set_input_files(path)
        page.get_by_role("button", name="Import", exact=True).click()
        expect(page.locator(".progress-title")).to_have_text("The connection was lost. Trying again…")
        page.get_by_role("button", name="Pause").click()
        expect(page.locator(".progress-title")).to_have_text("Paused. What was sent is kept.")
        page.reload()
        expect(page.locator("[data-stopped-place]")).to_contain_text("The upload of pets.zip stopped at 47%")
        page.unroute_all()
        again = cutting(page, lambda before: False)
        page.locator("input[name=files]").set_input_files(path)
        page.get_by_role("button", name="Import", exact=True).click()
        page.wait_for_url("**/imports/*/")
    assert set(begun) == {0, 8 * MB}
    assert again == [8 * MB, 16 * MB]
