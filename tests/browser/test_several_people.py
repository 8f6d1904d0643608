"""Two people on the same bench: each sees what the other does within two seconds, and nothing moves by itself."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from datasets import live
from datasets.label_changes import Wish, change_label
from datasets.label_looks import PALETTE
from datasets.labels import create_label
from datasets.models import Dataset, Label
from datasets.tagging import tag_images, trash_images, undo
from tests.browser.bench import make_pets, thumb
from tests.browser.driver import browser, visit
from tests.factories import Team

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
COUNT = 24
SOON = 2_000  # what the product promises, in milliseconds


@pytest.fixture
def pets(transactional_db: None, team: Team) -> Dataset:
    return make_pets(team, COUNT)


@contextmanager
def bench(
    browser: Browser, server: LiveServer, pets: Dataset, team: Team, who: str, query: str = ""
) -> Iterator[Page]:
    with visit(browser, server, f"/datasets/{pets.pk}/{query}", team.people[who]) as page:
        page.wait_for_load_state("networkidle")
        yield page


def ids(pets: Dataset, *places: int) -> list[int]:
    every = list(pets.images.order_by("pk").values_list("pk", flat=True))
    return [every[place] for place in places]


def tag(pets: Dataset, team: Team, *places: int, by: str = "labeller", label: str = "cat"):  # type: ignore[no-untyped-def]
    return tag_images(
        dataset=pets,
        user=team.people[by],
        chosen=pets.images.filter(pk__in=ids(pets, *places)),
        label=Label.objects.get(name=label),
    )


def test_one_tags_and_the_other_sees_it_in_two_seconds_where_it_lies(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    with bench(browser, live_server, pets, team, "engineer") as mine:
        with bench(browser, live_server, pets, team, "labeller") as others:
            before = mine.locator(".thumb").nth(5).bounding_box()
            others.bring_to_front()
            thumb(others, 3).click()
            others.keyboard.press("1")
            mine.bring_to_front()
            grey = mine.locator(".thumb").nth(3)
            expect(grey).to_have_class("thumb is-elsewhere", timeout=SOON)
            expect(grey.locator(".thumb-label")).to_have_text("cat")
            expect(grey.locator(".thumb-who")).to_have_text("LA")
            assert mine.locator(".thumb").nth(5).bounding_box() == before
            expect(mine.locator('[data-name="cat"] .label-count')).to_have_text("1")
            expect(mine.locator('[data-count="unlabelled"]').first).to_have_text(str(COUNT - 1))
        mine.reload()
        expect(mine.locator(".thumb")).to_have_count(COUNT - 1)


def test_an_undo_gives_the_picture_its_colour_back(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    with bench(browser, live_server, pets, team, "engineer") as page:
        action = tag(pets, team, 0, 1)
        expect(page.locator(".is-elsewhere")).to_have_count(2, timeout=SOON)
        undo(action=action, user=team.people["labeller"])
        expect(page.locator(".is-elsewhere")).to_have_count(0, timeout=SOON)


def test_pictures_that_still_belong_there_change_their_label_alone(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    tag(pets, team, 0)
    with bench(browser, live_server, pets, team, "engineer", "?state=all") as page:
        tag(pets, team, 0, label="dog")
        expect(page.locator(".thumb").first.locator(".thumb-label")).to_have_text("dog", timeout=SOON)
        expect(page.locator(".is-elsewhere")).to_have_count(0)


def test_what_is_selected_stays_selected_and_the_page_says_what_happened_to_it(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    with bench(browser, live_server, pets, team, "engineer") as page:
        for place in (0, 1, 2):
            thumb(page, place).click()
        tag(pets, team, 1, 2)
        said = page.locator("[data-live] .live-pill")
        expect(said).to_contain_text(
            "Just changed by labeller: 2 of the selected pictures. They stay selected.", timeout=SOON
        )
        expect(page.locator(".thumb-tick:checked")).to_have_count(3)
        said.get_by_text("Leave them out").click()
        expect(page.locator(".thumb-tick:checked")).to_have_count(1)
        expect(said).to_have_count(0)


def test_trashed_pictures_new_labels_and_people_appear(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    with bench(browser, live_server, pets, team, "engineer") as page:
        page.mouse.move(900, 500)  # off the label column, which waits while one is in it
        owner = team.people["owner"]
        trash_images(dataset=pets, user=owner, chosen=pets.images.filter(pk__in=ids(pets, 0)))
        create_label(dataset=pets, name="bird", user=owner)
        expect(page.locator(".is-elsewhere .thumb-label")).to_have_text("In the trash", timeout=SOON)
        expect(page.locator('[data-label][data-name="bird"]')).to_be_visible(timeout=SOON)
        expect(page.locator("[data-here] .person")).to_have_text(["OW"])


def test_anothers_changes_of_a_label_appear_in_the_column_and_on_the_pictures(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    tag(pets, team, 0)
    owner, cat = team.people["owner"], Label.objects.get(name="cat")
    with bench(browser, live_server, pets, team, "engineer", "?state=all") as page:
        page.mouse.move(900, 500)  # off the label column
        row, strip = page.locator(f'[data-label="{cat.pk}"]'), page.locator(".thumb-strip").first
        change_label(label=cat, user=owner, wish=Wish(colour=PALETTE[9]))
        expect(row).to_have_attribute("data-hue", "9", timeout=SOON)
        expect(strip.locator(".dot")).to_have_attribute("data-hue", "9")
        change_label(label=cat, user=owner, wish=Wish(name="tiger", key="q", position=1))
        expect(row).to_have_attribute("data-key", "q", timeout=SOON)
        expect(page.locator(".label-column [data-label]").nth(1)).to_have_attribute("data-name", "tiger")
        expect(strip.locator(".thumb-label")).to_have_text("tiger")
        change_label(label=cat, user=owner, wish=Wish(archived=True))
        expect(row).to_have_count(0, timeout=SOON)


def test_a_large_act_is_told_with_its_number_and_loaded_when_one_wants(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_IMAGES", 5)
    with bench(browser, live_server, pets, team, "engineer") as page:
        tag(pets, team, *range(10))
        said = page.locator("[data-live] .live-pill")
        expect(said).to_contain_text("labeller: 10 pictures tagged cat", timeout=SOON)
        expect(page.locator(".thumb")).to_have_count(COUNT)
        said.get_by_text("Show").click()
        expect(page.locator(".thumb")).to_have_count(COUNT - 10)
        expect(said).to_have_count(0)


def test_ones_own_tags_are_no_news(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    with bench(browser, live_server, pets, team, "engineer", "?state=all") as page:
        thumb(page, 0).click()
        page.keyboard.press("1")
        expect(page.locator(".toast-text")).to_have_text("1 picture tagged cat")
        page.wait_for_timeout(2 * SOON)
        assert page.locator(".thumb-who, [data-live] .live-pill, .is-elsewhere").count() == 0
        assert page.locator("[data-here]").is_hidden()


def test_a_hidden_tab_asks_nothing(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    with bench(browser, live_server, pets, team, "engineer") as page:
        page.evaluate("Object.defineProperty(document, 'hidden', {get: () => true, configurable: true})")
        page.wait_for_timeout(SOON)
        asked: list[str] = []
        page.on("request", lambda sent: asked.append(sent.url) if "/live/" in sent.url else None)
        page.wait_for_timeout(2 * SOON)
        assert asked == []
        tag(pets, team, 0)
        page.evaluate("Object.defineProperty(document, 'hidden', {get: () => false, configurable: true})")
        page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        expect(page.locator(".is-elsewhere")).to_have_count(1, timeout=SOON)
