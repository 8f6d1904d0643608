"""Choosing labels and settling conflicts under a real browser's hands."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from tests.browser.driver import browser, visit
from tests.datasets.makers import begin, colours, make_dataset, taken, zip_of
from tests.datasets.test_import_choosing import asked
from tests.factories import Team, picture

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Work = Callable[[], None]


def test_an_unclear_upload_shows_its_labels_and_takes_them_as_they_are_typed(
    browser: Browser, live_server: LiveServer, team: Team, work: Work
) -> None:
    dataset = make_dataset(team)
    dataset.labels.create(name="cat")
    content = dict(zip(["Cat/1.png", "dog/2.png", "junk/3.png"], colours(3), strict=True))
    address = f"/datasets/{dataset.pk}/import/"
    with visit(browser, live_server, address, team.people["labeller"]) as page:
        sent = {"name": "pets.zip", "mimeType": "application/zip", "buffer": zip_of(content)}
        page.locator("input[name=files]").set_input_files(sent)  # type: ignore[arg-type]
        page.get_by_role("button", name="Import", exact=True).click()
        page.wait_for_url("**/imports/*/")
        work()
        expect(
            page.get_by_role("heading", name="What the import will do")
        ).to_be_visible()  # the page follows
        dog = page.get_by_label("Label for dog")
        row = page.locator("tr", has=dog)
        expect(row.locator("[data-fate]")).to_have_text("new")
        dog.fill("cat")
        expect(row.locator("[data-fate]")).to_have_text("0 here")
        dog.fill("猫")
        page.get_by_label("Leave junk out").check()
        expect(page.get_by_label("Label for junk")).to_be_disabled()
        page.get_by_role("button", name="Import 3 files").first.click()
        page.wait_for_url("**/imports/*/")
        work()
        expect(page.locator(".stat-value").first).to_have_text("2")
    assert taken(dataset) == {"1.png": "cat", "2.png": "猫"}


def test_names_for_numbers_are_pasted_as_a_list(
    browser: Browser, live_server: LiveServer, team: Team, work: Work
) -> None:
    names = [f"{n}/{n}.png" for n in (0, 1, 2, 10)]
    found = asked(
        work, team, make_dataset(team), ("a.zip", zip_of(dict(zip(names, colours(4), strict=True))))
    )
    with visit(browser, live_server, f"/imports/{found.pk}/", team.people["labeller"]) as page:
        page.get_by_label("Paste the names").fill("plane\ncar\n10, truck")
        for number, name in {"0": "plane", "1": "car", "2": "2", "10": "truck"}.items():
            expect(page.get_by_label(f"Label for {number}", exact=True)).to_have_value(name)


def test_conflicts_are_settled_and_taken_back_by_one_key_each(
    browser: Browser, live_server: LiveServer, team: Team, work: Work
) -> None:
    dataset = make_dataset(team)
    one, two = picture("red"), picture("blue")
    begin(team, dataset, ("1.png", one), ("2.png", two), label_name="cat")
    begin(team, dataset, ("a.zip", zip_of({"dog/1.png": one, "dog/2.png": two})))
    work()
    with visit(browser, live_server, f"/datasets/{dataset.pk}/conflicts/", team.people["labeller"]) as page:
        expect(page.get_by_text("2 left")).to_be_visible()
        page.keyboard.press("2")
        expect(page.get_by_text("1.png is dog now.")).to_be_visible()
        page.keyboard.press("u")
        expect(page.get_by_text("2 left")).to_be_visible()
        page.keyboard.press("1")
        expect(page.get_by_text("1.png keeps its label.")).to_be_visible()
        page.keyboard.press("2")
        expect(page.get_by_text("No picture has two labels")).to_be_visible()
    assert taken(dataset) == {"1.png": "cat", "2.png": "dog"}
