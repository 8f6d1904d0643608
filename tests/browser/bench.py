"""A data set with real pictures and the bench's parts, for tests in a browser."""

from playwright.sync_api import Locator, Page

from datasets.models import Dataset, Image, Label
from tests.datasets.makers import colours, make_dataset
from tests.factories import Team
from web import storage


def make_pets(team: Team, count: int) -> Dataset:
    """Untagged pictures with real files, and the labels cat and dog."""
    dataset = make_dataset(team)
    for position, name in enumerate(["cat", "dog"]):
        Label.objects.create(dataset=dataset, name=name, position=position)
    keys = [storage.put_bytes("images", content, ".png") for content in colours(count)]
    Image.objects.bulk_create(
        Image(
            dataset=dataset, name=f"{n:02d}.png", sha256=f"{n:064d}", key=key, thumbnail_key=key,
            format="PNG", bytes=100, width=64, height=48,
        )
        for n, key in enumerate(keys)
    )  # fmt: skip
    return dataset


def thumb(page: Page, at: int) -> Locator:
    """The picture at this place of the grid."""
    return page.locator(".thumb .thumb-box").nth(at)
