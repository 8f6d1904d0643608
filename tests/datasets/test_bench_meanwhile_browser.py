"""The open bench while the world changes: labels renamed and deleted, the data set gone, keys that are not allowed."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from datasets.creation import restore_dataset, trash_dataset
from datasets.labels import delete_label, rename_label
from datasets.models import Dataset
from datasets.tagging import trash_images
from tests.browser.driver import browser, visit
from tests.datasets.test_bench_browser import COUNT, choose, pets
from tests.factories import Team

__all__ = ["browser", "pets"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
REFUSED = "Failed to load resource"


@pytest.fixture
def cats(browser: Browser, live_server: LiveServer, pets: Dataset, team: Team) -> Iterator[Page]:
    """The bench, showing the label of the first ten pictures."""
    first = list(pets.images.order_by("pk").values_list("pk", flat=True)[:10])
    pets.images.filter(pk__in=first).update(label=pets.labels.get(name="cat"))
    address, person = f"/datasets/{pets.pk}/?label=cat", team.people["engineer"]
    with visit(browser, live_server, address, person, provoked=[REFUSED]) as page:
        yield page


def test_a_label_that_is_renamed_stays_the_one_that_is_shown(cats: Page, pets: Dataset, team: Team) -> None:
    rename_label(label=pets.labels.get(name="cat"), name="tiger", user=team.people["owner"])
    expect(cats.locator(".chip-filter b")).to_have_text("tiger")
    assert cats.url.endswith("?label=tiger")
    choose(cats, 0, 1)
    cats.keyboard.press("Control+a")
    cats.keyboard.press("Control+a")
    expect(cats.locator(".selection-count")).to_have_text("10 selected of 10")
    cats.keyboard.press("2")
    expect(cats.locator(".toast-text")).to_have_text("10 pictures tagged dog")
    assert pets.images.filter(label__name="dog").count() == 10


def test_a_label_that_is_deleted_is_said_to_be_and_acts_on_all_of_it_are_refused(
    cats: Page, pets: Dataset, team: Team
) -> None:
    delete_label(label=pets.labels.get(name="cat"), user=team.people["owner"])
    told = "The label “cat”, whose pictures this page shows, was taken away."
    expect(cats.locator(".toast-text", has_text=told)).to_be_visible()
    choose(cats, 0, 1)
    cats.keyboard.press("Control+a")
    cats.keyboard.press("Control+a")
    cats.keyboard.press("2")
    expect(cats.locator(".toast-text", has_text="This data set has no label “cat”.")).to_be_visible()
    cats.reload()
    expect(cats.locator(".empty h2")).to_have_text("There is no label “cat”")
    expect(cats.locator(".empty")).to_contain_text("lies in the trash")


def test_when_the_data_set_goes_the_page_says_so_and_keeps_what_is_unsaved_until_it_is_back(
    cats: Page, pets: Dataset, team: Team
) -> None:
    owner = team.people["owner"]
    trash_dataset(dataset=pets, user=owner)
    expect(cats.locator("[data-saving-words]")).to_contain_text("Everything is saved.")
    choose(cats, 0, 2)
    cats.keyboard.press("2")
    expect(cats.locator("[data-saving-words]")).to_contain_text("1 not saved yet")
    restore_dataset(dataset=pets, user=owner)
    expect(cats.locator(".toast-text")).to_have_text("3 pictures tagged dog")
    expect(cats.locator("[data-saving]")).to_be_hidden()


def test_what_is_done_to_the_large_picture_is_said_in_front_of_it_with_its_undo(
    cats: Page, pets: Dataset
) -> None:
    cats.keyboard.press("ArrowRight")
    cats.keyboard.press("Space")
    expect(cats.locator("[data-preview] .picture-name")).to_have_text("01.png")
    cats.keyboard.press("Backspace")
    expect(cats.locator("[data-preview] .toast-text")).to_have_text("Label removed from 1 picture")
    assert pets.images.filter(label=None).count() == COUNT - 9
    cats.locator("[data-preview] [data-toast-undo]").click()
    expect(cats.locator("[data-preview] .toast-text")).to_have_text("Undone for 1 picture.")
    assert pets.images.filter(label=None).count() == COUNT - 10
    cats.keyboard.press("Escape")
    expect(cats.locator("body > .toasts, .page > .toasts, main > .toasts")).to_have_count(1)


def test_keys_that_a_labeller_may_not_use_do_nothing_to_the_large_picture(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    with visit(browser, live_server, f"/datasets/{pets.pk}/", team.people["labeller"]) as page:
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Space")
        expect(page.locator("[data-preview] .picture-name")).to_have_text("01.png")
        page.keyboard.press("Delete")
        page.wait_for_timeout(300)
        expect(page.locator("[data-preview] .picture-name")).to_have_text("01.png")
        expect(page.locator(".toast")).to_have_count(0)


def test_hints_do_not_pile_up_and_leave_with_the_next_act(cats: Page) -> None:
    cats.keyboard.press("ArrowRight")
    for key in "789":
        cats.keyboard.press(key)
    expect(cats.locator(".toast-text")).to_have_text("No label has the key 9.")
    cats.keyboard.press("2")
    expect(cats.locator(".toast-text")).to_have_text("1 picture tagged dog")


def test_a_half_typed_name_finds_its_label_and_makes_no_new_one(cats: Page, pets: Dataset) -> None:
    cats.keyboard.press("ArrowRight")
    cats.keyboard.press("/")
    expect(cats.locator("[data-tag-as]")).to_be_focused()
    cats.keyboard.type("DO")
    expect(cats.locator(".find-option")).to_have_text(["dog", "New label “DO”"])
    cats.keyboard.press("Enter")
    expect(cats.locator(".toast-text")).to_have_text("1 picture tagged dog")
    assert pets.labels.count() == 2
    cats.keyboard.press("/")
    cats.keyboard.type("DO")
    cats.keyboard.press("ArrowUp")
    cats.keyboard.press("Enter")
    expect(cats.locator(".toast-text")).to_have_text("1 picture tagged DO")


def test_pictures_that_somebody_deleted_meanwhile_are_said_to_be_in_the_trash(
    cats: Page, pets: Dataset, team: Team
) -> None:
    trash_images(dataset=pets, user=team.people["owner"], chosen=pets.images.all())
    cats.keyboard.press("ArrowRight")
    cats.keyboard.press("2")
    told = "Nothing changed: these pictures are in the trash by now."
    expect(cats.locator(".toast-text", has_text=told)).to_be_visible()
    expect(cats.locator(".thumb")).to_have_count(0)
    cats.reload()
    expect(cats.locator(".empty h2")).to_have_text("All pictures lie in the trash")
    expect(cats.locator(".selection-bar")).to_have_count(0)
