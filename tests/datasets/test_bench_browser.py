"""The tagging bench under a real browser's hands."""

from collections.abc import Iterator

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from datasets.models import Dataset, Label
from tests.browser.driver import OFFLINE, browser, visit
from tests.datasets.makers import colours, make_dataset
from tests.factories import Team
from web import storage

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COUNT = 60


@pytest.fixture
def pets(transactional_db: None, team: Team) -> Dataset:
    """Sixty untagged pictures with real files, and two labels."""
    from datasets.models import Image

    dataset = make_dataset(team)
    for position, name in enumerate(["cat", "dog"]):
        Label.objects.create(dataset=dataset, name=name, position=position)
    keys = [storage.put_bytes("images", content, ".png") for content in colours(COUNT)]
    Image.objects.bulk_create(
        Image(
            dataset=dataset, name=f"{n:02d}.png", sha256=f"{n:064d}", key=key, thumbnail_key=key,
            format="PNG", bytes=100, width=64, height=48,
        )
        for n, key in enumerate(keys)
    )  # fmt: skip
    return dataset


@pytest.fixture
def bench(browser: Browser, live_server: LiveServer, pets: Dataset, team: Team) -> Iterator[Page]:
    """The bench, opened by an engineer."""
    person, provoked = team.people["engineer"], (OFFLINE, "403 (Forbidden)")
    with visit(browser, live_server, f"/datasets/{pets.pk}/", person, provoked=provoked) as page:
        yield page


def count_of(page: Page, name: str) -> str:
    """The number beside a label."""
    return page.locator(f'[data-label][data-name="{name}"] .label-count').inner_text()


def thumb(page: Page, at: int):  # type: ignore[no-untyped-def]
    """The picture at this place of the grid."""
    return page.locator(".thumb .thumb-box").nth(at)


def choose(page: Page, first: int, last: int) -> None:
    """A click, and another with shift."""
    thumb(page, first).click()
    thumb(page, last).click(modifiers=["Shift"])


def test_shift_click_and_a_key_tag_and_ctrl_z_takes_it_back(bench: Page, pets: Dataset) -> None:
    choose(bench, 2, 6)
    expect(bench.locator(".selection-count")).to_have_text("5 selected of 60")
    bench.keyboard.press("1")
    expect(bench.locator(".toast-text")).to_have_text("5 pictures tagged cat")
    assert (count_of(bench, "cat"), bench.locator(".thumb").count()) == ("5", 55)
    assert pets.images.filter(label__name="cat").count() == 5
    bench.keyboard.press("Control+z")
    expect(bench.locator(".toast-text")).to_have_text("Undone for 5 pictures.")
    expect(bench.locator(".thumb")).to_have_count(COUNT)
    assert count_of(bench, "cat") == "0"
    assert not pets.images.exclude(label=None).exists()


def test_redo_tags_the_same_pictures_again(bench: Page, pets: Dataset) -> None:
    choose(bench, 0, 1)
    bench.keyboard.press("2")
    expect(bench.locator(".toast-text")).to_have_text("2 pictures tagged dog")
    tagged = set(pets.images.filter(label__name="dog").values_list("pk", flat=True))
    bench.keyboard.press("Control+z")
    expect(bench.locator(".toast-text")).to_have_text("Undone for 2 pictures.")
    bench.keyboard.press("Control+Shift+z")
    expect(bench.locator(".toast-text")).to_have_text("2 pictures tagged dog")
    assert set(pets.images.filter(label__name="dog").values_list("pk", flat=True)) == tagged


def test_all_that_match_are_tagged_by_the_filter_and_a_reload_keeps_it(bench: Page, pets: Dataset) -> None:
    bodies: list[str] = []
    bench.on("request", lambda sent: bodies.append(sent.post_data or "") if sent.method == "POST" else None)
    thumb(bench, 0).click()
    bench.keyboard.press("Control+a")
    bench.keyboard.press("Control+a")
    expect(bench.locator(".selection-count")).to_have_text("60 selected of 60")
    bench.keyboard.press("2")
    expect(bench.locator(".toast-text")).to_have_text("60 pictures tagged dog")
    assert '"filter":"state=unlabelled"' in bodies[0] and "images" not in bodies[0]
    bench.reload()
    assert count_of(bench, "dog") == "60"
    assert pets.images.filter(label__name="dog").count() == COUNT
    bench.keyboard.press("Control+z")  # the undo outlives the reload
    expect(bench.locator(".toast-text")).to_have_text("Undone for 60 pictures.")
    assert not pets.images.exclude(label=None).exists()


def test_a_key_tags_the_picture_in_focus_and_moves_on(bench: Page, pets: Dataset) -> None:
    first, second = pets.images.order_by("pk")[:2]
    bench.keyboard.press("ArrowRight")
    bench.keyboard.press("ArrowLeft")
    bench.keyboard.press("1")
    expect(bench.locator(".toast-text")).to_have_text("1 picture tagged cat")
    bench.keyboard.press("2")
    expect(bench.locator(".toast-text")).to_have_text("1 picture tagged dog")
    first.refresh_from_db()
    second.refresh_from_db()
    assert (str(first.label), str(second.label)) == ("cat", "dog")


def test_a_typed_name_makes_a_new_label(bench: Page, pets: Dataset) -> None:
    choose(bench, 0, 3)
    bench.locator("[data-tag-as]").fill("直升机")
    bench.keyboard.press("Enter")
    expect(bench.locator(".toast-text")).to_have_text("4 pictures tagged 直升机")
    expect(bench.locator('[data-label][data-name="直升机"] .label-count')).to_have_text("4")
    assert pets.images.filter(label__name="直升机").count() == 4


def test_what_was_tagged_without_a_connection_is_saved_when_it_returns(bench: Page, pets: Dataset) -> None:
    bench.context.set_offline(True)
    choose(bench, 0, 2)
    bench.keyboard.press("1")
    expect(bench.locator("[data-saving-words]")).to_have_text("1 not saved yet. Trying again…")
    assert not pets.images.exclude(label=None).exists()
    bench.context.set_offline(False)
    expect(bench.locator(".toast-text")).to_have_text("3 pictures tagged cat")
    expect(bench.locator("[data-saving]")).to_be_hidden()
    assert pets.images.filter(label__name="cat").count() == 3


def test_space_shows_the_picture_large_and_arrows_move_on(bench: Page, pets: Dataset) -> None:
    bench.keyboard.press("ArrowRight")
    bench.keyboard.press("Space")
    expect(bench.locator("[data-preview] .picture-name")).to_have_text("01.png")
    bench.keyboard.press("ArrowRight")
    expect(bench.locator("[data-preview] .picture-name")).to_have_text("02.png")
    bench.keyboard.press("1")
    expect(bench.locator("[data-preview] .picture-name")).to_have_text("03.png")
    bench.keyboard.press("Escape")
    expect(bench.locator("[data-preview]")).to_be_hidden()
    assert [image.name for image in pets.images.exclude(label=None)] == ["02.png"]


def test_delete_moves_to_the_trash_and_its_toast_brings_it_back(bench: Page, pets: Dataset) -> None:
    choose(bench, 0, 9)
    bench.keyboard.press("Delete")
    expect(bench.locator(".toast-text")).to_have_text("10 pictures in the trash now")
    assert pets.images.live().count() == COUNT - 10
    bench.locator("[data-toast-undo]").click()
    expect(bench.locator(".thumb")).to_have_count(COUNT)
    assert pets.images.live().count() == COUNT


def test_a_label_is_deleted_from_its_menu_and_that_is_undone(bench: Page, pets: Dataset) -> None:
    choose(bench, 0, 4)
    bench.keyboard.press("1")
    expect(bench.locator(".toast-text")).to_have_text("5 pictures tagged cat")
    bench.locator('[data-name="cat"]').hover()
    bench.locator('[data-name="cat"] [data-label-edit]').click()
    bench.locator("#label-heir").select_option(label="get the label dog")
    bench.locator("[data-label-dialog] .button-danger").click()
    expect(bench.locator(".toast-text")).to_have_text("cat is merged: 5 pictures are dog now.")
    expect(bench.locator('[data-name="cat"]')).to_have_count(0)
    assert pets.images.filter(label__name="dog").count() == 5
    bench.keyboard.press("Control+z")
    expect(bench.locator('[data-name="cat"] .label-count')).to_have_text("5")


def test_a_viewer_looks_but_cannot_choose(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    viewer: User = team.people["viewer"]
    with visit(browser, live_server, f"/datasets/{pets.pk}/", viewer) as page:
        assert page.locator(".thumb").count() == COUNT
        assert page.locator("input[type=checkbox], .selection-bar").count() == 0
        page.keyboard.press("ArrowRight")
        page.keyboard.press("1")
        page.keyboard.press("Space")
        expect(page.locator("[data-preview] .picture-name")).to_have_text("01.png")


def test_the_form_tags_without_scripts(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    person = team.people["engineer"]
    with visit(browser, live_server, f"/datasets/{pets.pk}/", person, java_script_enabled=False) as page:
        page.locator(".thumb-box").first.click()
        page.locator('.selection-bar button[value="dog"]').click()
        expect(page.locator(".toast-text")).to_have_text("1 picture tagged dog")
    assert pets.images.filter(label__name="dog").count() == 1
