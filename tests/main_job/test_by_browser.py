"""The main job through the pages, with Debian's own browser, down to the curl line that the call guide shows."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.driver import browser
from tests.main_job.test_by_api import CHINESE_ZIP, some_left_out
from tests.product import PASSWORD, USER, Product

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["browser"]


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """A window of 1280×800 on the running product; an error in its console fails the test."""
    window = browser.new_context(
        viewport={"width": 1280, "height": 800}, base_url=product.url, locale="en-GB"
    )
    opened, errors = window.new_page(), []
    opened.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    window.close()
    assert not errors


@pytest.fixture
def pictures(tmp_path: Path, shared_data: Path) -> tuple[Path, list[Path]]:
    """A zip with Chinese labels on the disk, and a handful of its dogs as loose files."""
    loose, labelled = some_left_out(shared_data / CHINESE_ZIP, out_of="狗", count=8)
    archive = tmp_path / "动物.zip"
    archive.write_bytes(labelled)
    paths = [tmp_path / name for name, _ in loose]
    for path, (_, content) in zip(paths, loose, strict=True):
        path.write_bytes(content)
    return archive, paths


def test_somebody_new_gets_from_photographs_to_an_answer(
    page: Page, product: Product, pictures: tuple[Path, list[Path]], weights_dir: Path
) -> None:
    archive, loose = pictures
    walk(page, product, archive, loose, name="动物")


def walk(page: Page, product: Product, archive: Path, loose: list[Path], *, name: str) -> None:
    """The whole way; `name` is that of the project, the data set and the service."""
    sign_in(page)
    make_project(page, name)
    make_data_set(page, name)
    upload(page, [archive], imported=388)  # four aeroplanes are longer than three times their height
    expect(page.get_by_text("one side may be at most 3 times the other").first).to_be_visible()
    page.get_by_role("link", name="Import", exact=True).click()
    upload(page, loose, imported=8)
    page.get_by_role("link", name="Tag these pictures").click()
    tag_all(page, "狗", 8)
    page.get_by_role("link", name="Train").click()
    train(page, name)
    page.get_by_role("link", name="Validate").click()
    validate(page, loose[:3])
    page.get_by_role("link", name="Publish").click()
    publish(page, slug=f"animals-{len(name)}")
    predict(page, loose[0])


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_label("Username").fill(USER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()


def make_project(page: Page, name: str) -> None:
    page.goto("/?all")
    page.get_by_role("link", name="New project").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the project").click()


def make_data_set(page: Page, name: str) -> None:
    """From the project home, by the step that is marked as next."""
    page.get_by_role("link", name="Next: Data").click()
    page.get_by_label("Name").fill(name)
    page.get_by_role("button", name="Make the data set").click()


def upload(page: Page, files: list[Path], *, imported: int) -> None:
    """Choose files on the import page and wait for the report."""
    page.get_by_label("Zips and pictures").set_input_files(files)
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Files in all")).to_be_visible(timeout=90_000)
    expect(page.locator(".stat-value").first).to_have_text(str(imported))


def tag_all(page: Page, label: str, count: int) -> None:
    """Everything that the page shows, with the label's key."""
    page.wait_for_load_state("networkidle")  # the scripts are there
    page.keyboard.press("Control+a")
    expect(page.get_by_text(f"{count} selected of")).to_be_visible()
    key = page.locator("[data-quick] button", has_text=label).locator("kbd").inner_text()
    page.keyboard.press(key)
    expect(page.locator(".toast", has_text=label)).to_be_visible()


def train(page: Page, name: str) -> None:
    """With the defaults of the page; then the report, whose headline must stand on pictures and an interval."""
    page.get_by_label("Name of the new model").fill(name)
    page.get_by_role("button", name="Train version 1").click()
    page.wait_for_url("**/report/", timeout=240_000)  # the live page goes there when it is done
    headline = page.locator(".stat").first
    expect(headline).to_contain_text("n =")
    assert float(headline.locator(".stat-value").inner_text().split()[0]) > 90


def validate(page: Page, files: list[Path]) -> None:
    """Three dogs are dogs; a click shows the scores of the one that was clicked."""
    page.get_by_label("Pictures", exact=True).set_input_files(files)
    expect(page.locator(".validate-thumb")).to_have_count(3, timeout=30_000)
    page.locator(".validate-thumb").nth(1).click()
    shown = page.locator(".validate-result:visible")
    expect(shown).to_contain_text(files[1].name)
    expect(shown.locator("h2")).to_have_text("狗")


def publish(page: Page, *, slug: str) -> None:
    """Ask, approve, and wait until it is online."""
    page.get_by_label("Address").fill(slug)
    page.get_by_role("button", name="Publish version 1").click()
    page.get_by_role("button", name="Approve").click()
    expect(page.get_by_role("button", name="Take offline")).to_be_visible()
    expect(page.locator(".header").get_by_text("Online")).to_be_visible(timeout=30_000)


def predict(page: Page, picture: Path) -> None:
    """The guide's own curl line, with the token it made, pasted into a shell beside a photo.jpg."""
    page.get_by_label("Put a token into these lines").fill("a program")
    page.get_by_role("button", name="Make a token").click()
    line = page.locator("#recipe-curl").inner_text()
    assert "tx_" in line
    picture.rename(picture.with_name("photo.jpg"))
    done = subprocess.run(
        ["bash", "-c", line], cwd=picture.parent, capture_output=True, text=True, timeout=30, check=True
    )
    answer = json.loads(done.stdout)
    assert answer["predicted_label"] == "狗"
    assert [len(share) for _, share in answer["scores"]] == [5] * 5
