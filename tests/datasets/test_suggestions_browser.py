"""The tab “To confirm” under a real browser's hands."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect
from pytest_django.live_server_helper import LiveServer

from datasets.models import Dataset, Image, Label
from datasets.suggestions import Proposal, store
from tests.browser.driver import browser, visit
from tests.datasets.makers import colours, make_dataset
from tests.factories import Team
from tests.queue import RealQueue
from web import storage

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COUNT = 12
NARROW: ViewportSize = {"width": 420, "height": 640}  # shows some of them


@pytest.fixture
def pets(transactional_db: None, redis_server: RealQueue, team: Team) -> Dataset:
    """Twelve untagged pictures; the first are the surest to be cats."""
    dataset = make_dataset(team)
    for position, name in enumerate(["cat", "dog"]):
        Label.objects.create(dataset=dataset, name=name, position=position)
    keys = [storage.put_bytes("images", content, ".png") for content in colours(COUNT)]
    same = {"format": "PNG", "bytes": 100, "width": 64, "height": 48}
    Image.objects.bulk_create(
        Image(dataset=dataset, name=f"{n:02d}.png", sha256=f"{n:064d}", key=key, thumbnail_key=key, **same)
        for n, key in enumerate(keys)
    )
    ids = dataset.images.order_by("pk").values_list("pk", flat=True)
    found = [Proposal(pk, "cat", 0.99 - n * 0.03) for n, pk in enumerate(ids)]
    store(dataset=dataset, source="embeddings", rows=found)
    return dataset


@pytest.fixture
def tab(browser: Browser, live_server: LiveServer, pets: Dataset, team: Team) -> Iterator[Page]:
    """The tab, opened by a labeller."""
    address = f"/datasets/{pets.pk}/?state=suggested"
    with visit(browser, live_server, address, team.people["labeller"]) as page:
        yield page


def told(page: Page, sentence: str) -> None:
    """The toast."""
    expect(page.locator(".toast-text")).to_have_text(sentence)


def test_enter_accepts_and_moves_on_a_key_overrides_and_undo_brings_it_back(tab: Page, pets: Dataset) -> None:
    first, second = pets.images.order_by("pk")[:2]
    tab.keyboard.press("Enter")
    told(tab, "1 suggestion accepted")
    first.refresh_from_db()
    assert first.label and first.label.name == "cat"
    tab.keyboard.press("2")
    told(tab, "1 picture tagged dog")
    second.refresh_from_db()
    assert second.label and second.label.name == "dog"
    expect(tab.locator(".thumb")).to_have_count(COUNT - 2)
    expect(tab.locator("[data-suggestions]")).to_contain_text("So far 50% of 2 suggestions were right.")
    tab.keyboard.press("Control+z")
    told(tab, "Undone for 1 picture.")
    expect(tab.locator(".thumb")).to_have_count(COUNT - 1)
    expect(tab.locator('.tab [data-count="suggested"]')).to_have_text(str(COUNT - 1))


def test_the_sure_ones_go_at_once_and_come_back_together(tab: Page, pets: Dataset) -> None:
    tab.get_by_label("How sure").select_option("0.90")
    tab.get_by_role("button", name="Accept these").click()
    told(tab, "4 suggestions accepted")
    expect(tab.locator(".thumb")).to_have_count(COUNT - 4)
    assert pets.images.filter(label__name="cat").count() == 4
    tab.keyboard.press("Control+z")
    told(tab, "Undone for 4 pictures.")
    tab.keyboard.press("Control+Shift+z")
    told(tab, "4 suggestions accepted")
    assert pets.images.filter(label__name="cat").count() == 4


def test_in_the_large_picture_enter_accepts_and_shows_the_next(tab: Page, pets: Dataset) -> None:
    tab.keyboard.press("ArrowRight")
    tab.keyboard.press("Space")
    expect(tab.locator("[data-preview] .picture-facts")).to_contain_text("96%")
    tab.keyboard.press("Enter")
    expect(tab.locator("[data-preview] .picture-facts")).to_contain_text("93%")
    told(tab, "1 suggestion accepted")


def test_newer_suggestions_wait_until_they_are_asked_for(tab: Page, pets: Dataset) -> None:
    last = pets.images.order_by("-pk")[0]
    store(dataset=pets, source="embeddings", rows=[Proposal(last.pk, "dog", 0.8)])
    tab.keyboard.press("2")
    newer = tab.get_by_role("button", name="Show the new suggestions")
    expect(newer).to_be_visible()
    assert tab.locator(".thumb").count() == COUNT - 1
    newer.click()
    expect(tab.locator(".thumb")).to_have_count(1)
    expect(newer).to_be_hidden()


def test_shift_enter_accepts_what_stands_whole_on_the_screen_and_begins_the_next_with_what_that_taught(
    tab: Page, pets: Dataset, redis_server: RealQueue
) -> None:
    tab.keyboard.press("2")
    told(tab, "1 picture tagged dog")
    tab.set_viewport_size(NARROW)
    whole = tab.evaluate(
        """() => [...document.querySelectorAll(".thumb")].filter((thumb) => {
            const { top, bottom } = thumb.getBoundingClientRect();
            return top >= 0 && bottom <= innerHeight;
        }).map((thumb) => Number(thumb.dataset.image))"""
    )
    assert 0 < len(whole) < COUNT - 1, "the window must show some of them"
    last = pets.images.order_by("-pk")[0]
    tab.keyboard.press("Shift+Enter")
    told(tab, f"{len(whole)} suggestions accepted")
    assert set(pets.images.filter(label__name="cat").values_list("pk", flat=True)) == set(whole)
    store(dataset=pets, source="embeddings", rows=[Proposal(last.pk, "dog", 0.8)])
    expect(tab.locator(".thumb")).to_have_count(1)
    expect(tab.locator(".thumb")).to_contain_text("dog")
    tab.keyboard.press("Control+z")
    told(tab, f"Undone for {len(whole)} pictures.")


def test_while_somebody_is_at_work_the_new_suggestions_wait(tab: Page, pets: Dataset) -> None:
    tab.set_viewport_size(NARROW)
    tab.get_by_role("button", name="Accept what is on the screen").click()
    expect(tab.locator(".toast-text")).to_contain_text("accepted")
    left = tab.locator(".thumb").count()
    tab.locator(".thumb-tick").first.check()
    last = pets.images.order_by("-pk")[0]
    store(dataset=pets, source="embeddings", rows=[Proposal(last.pk, "dog", 0.8)])
    expect(tab.get_by_role("button", name="Show the new suggestions")).to_be_visible()
    assert tab.locator(".thumb").count() == left
