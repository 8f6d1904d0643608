"""Labels and likely mislabels under a real browser's hands."""

import pytest
from playwright.sync_api import Browser, expect
from pytest_django.live_server_helper import LiveServer

from datasets.label_changes import Wish, change_label
from datasets.labels import create_label
from datasets.mislabels import queue_of
from datasets.models import Dataset, Image, Mislabel
from tests.browser.driver import browser, visit
from tests.datasets.makers import colours, make_dataset
from tests.factories import Team
from tests.queue import RealQueue
from web import storage

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def pets(transactional_db: None, redis_server: RealQueue, team: Team) -> Dataset:
    """Six untagged pictures; cats, dogs and owls, whose key is o."""
    dataset = make_dataset(team)
    for name in ("cat", "dog", "owl"):
        create_label(dataset=dataset, name=name, user=None)
    owl = dataset.labels.get(name="owl")
    change_label(label=owl, user=team.people["owner"], wish=Wish(key="o", description="Flies."))
    keys = [storage.put_bytes("images", content, ".png") for content in colours(6)]
    same = {"format": "PNG", "bytes": 100, "width": 64, "height": 48}
    Image.objects.bulk_create(
        Image(dataset=dataset, name=f"{n}.png", sha256=f"{n:064d}", key=key, thumbnail_key=key, **same)
        for n, key in enumerate(keys)
    )
    return dataset


def order(dataset: Dataset) -> list[str]:
    """The labels as they stand."""
    return list(dataset.labels.values_list("name", flat=True))


def test_a_chosen_key_tags_and_a_label_is_dragged_to_its_place(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    with visit(browser, live_server, f"/datasets/{pets.pk}/", team.people["owner"]) as page:
        page.locator(".thumb").first.click()
        page.keyboard.press("o")
        expect(page.locator(".toast-text")).to_have_text("1 picture tagged owl")
        page.locator('[data-name="owl"]').drag_to(page.locator('[data-name="cat"]'))
        expect(page.locator(".label-column > [data-label]").first).to_have_attribute("data-name", "owl")
        assert order(pets) == ["owl", "cat", "dog"]


def test_the_dialog_changes_moves_and_merges_with_an_undo(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    pets.images.update(label=pets.labels.get(name="dog"))
    with visit(browser, live_server, f"/datasets/{pets.pk}/?state=labelled", team.people["owner"]) as page:
        page.locator('[data-name="dog"]').hover()
        page.locator('[data-name="dog"] [data-label-edit]').click()
        page.get_by_label("Merge: its 6 pictures get the label").select_option("cat")
        page.get_by_role("button", name="Merge").click()
        expect(page.locator(".toast-text")).to_have_text("dog is merged: 6 pictures are cat now.")
        expect(page.locator('[data-name="dog"]')).to_have_count(0)
        page.locator(".toast").get_by_role("button", name="Undo").click()
        expect(page.locator('[data-name="dog"] .label-count')).to_have_text("6")
        page.locator('[data-name="dog"]').hover()
        page.locator('[data-name="dog"] [data-label-edit]').click()
        page.get_by_role("button", name="Move up").click()
        page.wait_for_url("**/labels/*/")
    assert order(pets) == ["dog", "cat", "owl"]
    assert pets.images.filter(label__name="dog").count() == 6


def test_the_queue_of_likely_mislabels_goes_by_keys(
    browser: Browser, live_server: LiveServer, pets: Dataset, team: Team
) -> None:
    cat, dog = pets.labels.get(name="cat"), pets.labels.get(name="dog")
    pets.images.update(label=dog)
    for n, image in enumerate(pets.images.order_by("pk")[:3]):
        Mislabel.objects.create(dataset=pets, image=image, given=dog, proposed=cat, score=0.9 - n / 10)
    first, second, third = (each.image.name for each in queue_of(pets))
    with visit(browser, live_server, f"/datasets/{pets.pk}/mislabels/", team.people["labeller"]) as page:
        shown = page.locator(".mislabel")
        expect(shown).to_have_attribute("aria-label", first)
        page.keyboard.press("Enter")
        expect(shown).to_have_attribute("aria-label", second)
        page.keyboard.press("d")
        expect(shown).to_have_attribute("aria-label", third)
        page.keyboard.press("z")
        expect(shown).to_have_attribute("aria-label", second)
        page.keyboard.press("ArrowRight")
        expect(shown).to_have_attribute("aria-label", third)
    assert pets.images.get(name=first).label == cat
