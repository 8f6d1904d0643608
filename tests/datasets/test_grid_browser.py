"""The grid under a real browser's hands: not sure, filters, the size, look-alikes, undo and redo over a session."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from datasets.models import Dataset, Image, Label
from tests.browser.driver import browser, visit
from tests.datasets.makers import colours, make_dataset
from tests.factories import Team
from web import storage

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COUNT = 40


@pytest.fixture
def pets(transactional_db: None, team: Team) -> Dataset:
    """Untagged pictures with real files and hashes, every other one wide, and a label."""
    dataset = make_dataset(team)
    Label.objects.create(dataset=dataset, name="cat")
    keys = [storage.put_bytes("images", content, ".png") for content in colours(COUNT)]
    Image.objects.bulk_create(
        Image(
            dataset=dataset, name=f"{n:02d}.png", sha256=f"{n:064d}", key=key, thumbnail_key=key,
            format="PNG", bytes=100 + n, width=64 * (1 + n % 2), height=48, difference_hash=n,
        )
        for n, key in enumerate(keys)
    )  # fmt: skip
    return dataset


@pytest.fixture
def bench(browser: Browser, live_server: LiveServer, pets: Dataset, team: Team) -> Iterator[Page]:
    """The bench, opened by a labeller."""
    with visit(browser, live_server, f"/datasets/{pets.pk}/", team.people["labeller"]) as page:
        yield page


def skipped(pets: Dataset) -> list[str]:
    """The names of what is marked."""
    return list(pets.images.exclude(skipped_at=None).order_by("name").values_list("name", flat=True))


def test_s_marks_as_not_sure_and_undo_and_redo_follow(bench: Page, pets: Dataset) -> None:
    tab = bench.locator(".tab", has_text="Not sure")
    expect(tab).to_be_hidden()
    bench.locator(".thumb-box").nth(0).click()
    bench.locator(".thumb-box").nth(2).click()
    bench.keyboard.press("s")
    expect(bench.locator(".toast-text")).to_have_text("2 pictures marked as not sure")
    expect(tab).to_contain_text("2")
    expect(bench.locator(".thumb")).to_have_count(COUNT - 2)
    assert skipped(pets) == ["00.png", "02.png"]
    bench.keyboard.press("Control+z")
    expect(bench.locator(".toast-text")).to_have_text("Undone for 2 pictures.")
    expect(bench.locator(".thumb")).to_have_count(COUNT)
    assert skipped(pets) == []
    bench.keyboard.press("Control+Shift+z")
    expect(bench.locator(".toast-text")).to_have_text("2 pictures marked as not sure")
    assert skipped(pets) == ["00.png", "02.png"]
    bench.goto(f"/datasets/{pets.pk}/?state=skipped")
    bench.locator(".thumb-box").nth(0).click()
    bench.keyboard.press("s")
    expect(bench.locator(".toast-text")).to_have_text("1 picture waits again")
    assert skipped(pets) == ["02.png"]


def test_many_acts_are_undone_and_done_again_one_by_one(bench: Page, pets: Dataset) -> None:
    for _ in range(3):
        bench.locator(".thumb-box").nth(0).click()
        bench.keyboard.press("1")
        expect(bench.locator(".toast-text")).to_have_text("1 picture tagged cat")
        bench.wait_for_timeout(100)
    bench.locator(".thumb-box").nth(0).click()
    bench.keyboard.press("s")
    expect(bench.locator(".toast-text")).to_have_text("1 picture marked as not sure")
    for left in (3, 2, 1, 0):
        bench.keyboard.press("Control+z")
        expect(bench.locator("[data-name=cat] .label-count")).to_have_text(str(left))
        expect(bench.locator(".toast-text")).to_have_text("Undone for 1 picture.")
    assert skipped(pets) == []
    for done in (1, 2, 3):
        bench.keyboard.press("Control+Shift+z")
        expect(bench.locator("[data-name=cat] .label-count")).to_have_text(str(done))
    bench.keyboard.press("Control+Shift+z")
    expect(bench.locator(".toast-text")).to_have_text("1 picture marked as not sure")
    assert (skipped(pets), pets.images.exclude(label=None).count()) == (["03.png"], 3)


def test_filters_are_set_in_a_menu_stand_in_the_address_and_are_taken_away(
    bench: Page, pets: Dataset
) -> None:
    bench.get_by_text("Add filter").click()
    bench.get_by_label("Name contains").fill("1")
    bench.get_by_label("Width at least").fill("100")
    bench.get_by_text("Show these").click()
    expect(bench.locator(".thumb")).to_have_count(8)
    assert bench.url.endswith("?state=unlabelled&name=1&min_width=100")
    expect(bench.locator(".chip-filter")).to_have_count(2)
    bench.keyboard.press("Control+a")
    bench.keyboard.press("Control+a")
    bench.keyboard.press("1")
    expect(bench.locator(".toast-text")).to_have_text("8 pictures tagged cat")
    assert set(pets.images.exclude(label=None).values_list("width", flat=True)) == {128}
    bench.locator(".chip-remove").first.click()
    expect(bench.locator(".thumb")).to_have_count(12)
    assert bench.url.endswith("?state=unlabelled&min_width=100")


def test_the_size_is_chosen_by_keyboard_and_remembered(bench: Page) -> None:
    slider = bench.get_by_label("Size of the pictures")
    before = bench.locator(".thumb").first.bounding_box()
    slider.focus()
    for _ in range(10):
        bench.keyboard.press("ArrowRight")
    after = bench.locator(".thumb").first.bounding_box()
    assert before and after and after["width"] > before["width"] + 40
    bench.reload()
    expect(slider).to_have_value("240")
    again = bench.locator(".thumb").first.bounding_box()
    assert again and again["width"] == after["width"]


def test_a_change_of_size_leaves_in_place_what_one_looks_at(bench: Page) -> None:
    bench.set_viewport_size({"width": 1280, "height": 400})
    bench.evaluate("window.scrollTo(0, 700)")
    first = "() => [...document.querySelectorAll('.thumb')].find((t) => t.getBoundingClientRect().bottom > 0)"
    seen = bench.evaluate(f"({first})().dataset.image")
    top = bench.evaluate(f"({first})().getBoundingClientRect().top")
    bench.evaluate(
        "() => { const s = document.querySelector('[data-size][type=range]'); s.value = '200';"
        " s.dispatchEvent(new Event('input', { bubbles: true })); }"
    )
    now = bench.evaluate(f"document.querySelector('[data-image=\"{seen}\"]').getBoundingClientRect().top")
    assert abs(now - top) < 2


def test_a_look_alike_opens_in_place_is_tagged_and_shown_with_all_others(bench: Page, pets: Dataset) -> None:
    bench.locator(".thumb-box").nth(0).click()
    bench.keyboard.press("Escape")
    bench.keyboard.press("Space")
    alike = bench.locator("[data-alike-image]")
    expect(alike).to_have_count(12)
    alike.first.click()
    expect(bench.locator(".picture-name")).to_have_text("32.png")  # one bit apart, the latest first
    bench.keyboard.press("1")
    expect(bench.locator(".toast-text")).to_have_text("1 picture tagged cat")
    assert list(pets.images.exclude(label=None).values_list("name", flat=True)) == ["32.png"]
    bench.get_by_text("Show all look-alikes").click()
    expect(bench.locator(".chip-filter")).to_contain_text("Looks like")
    expect(bench.locator(".thumb")).to_have_count(COUNT - 1)
