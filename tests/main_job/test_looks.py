"""Every page of a worked-through project fits its window; the README's picture is made on the way.

`TAXON_SCREENSHOTS=1` writes the picture into docs/images, where the README shows it.
"""

import os
import random
from collections.abc import Iterator
from pathlib import Path

import axe_playwright_python
import pytest
import requests
from playwright.sync_api import Browser, Page

from config import drawing
from config.demo import Api, Story
from tests.browser.driver import browser
from tests.product import PASSWORD, ROOT, USER, Product

pytestmark = [pytest.mark.browser, pytest.mark.slow]
__all__ = ["browser"]
SIZES = {"desk": (1280, 800), "phone": (390, 844)}


class Pages:
    """What the demo's story made, as addresses of pages."""

    def __init__(self, product: Product) -> None:
        api = Api(product.url, product.manage("token", USER))
        story = Story(api, lambda line: None, seed=11)
        self.dataset = story.collect()
        loose = [(f"{n}.jpg", drawing.draw("star", random.Random(n))) for n in range(40)]
        api.send(f"/datasets/{self.dataset}/imports", "images", loose)
        self.model, self.number = story.train(self.dataset)
        story.validate(self.model, self.number)
        self.slug = story.free_name("/services", "looks", key="slug")
        service = {"name": "Looks", "slug": self.slug, "model": self.model, "version": self.number}
        api.post("/services", service)
        version = f"/models/{self.model}/versions/{self.number}"
        self.addresses = [
            "/?all", "/projects/1/", "/projects/1/datasets/", f"/datasets/{self.dataset}/",
            f"/datasets/{self.dataset}/import/", f"/datasets/{self.dataset}/settings/", "/projects/1/train/",
            *(f"/datasets/{self.dataset}/{each}/" for each in ("snapshots", "exports", "copy", "move")),
            "/projects/1/models/", f"/models/{self.model}/", f"{version}/", f"{version}/report/",
            f"{version}/validate/", f"{version}/publish/", "/projects/1/services/", f"/services/{self.slug}/",
            "/projects/1/members/", "/projects/1/tokens/", "/projects/1/settings/", "/projects/1/jobs/",
        ]  # fmt: skip


@pytest.fixture(scope="module")
def made(product: Product) -> Pages:
    """A project in which everything was done once."""
    return Pages(product)


@pytest.fixture(params=[("en-GB", "light"), ("zh-CN", "dark")], ids=["english", "chinese"])
def window(request: pytest.FixtureRequest, browser: Browser, product: Product) -> Iterator[Page]:
    """A signed-in window in one language and one scheme."""
    language, scheme = request.param
    context = browser.new_context(base_url=product.url, locale=language, color_scheme=scheme)
    page = context.new_page()
    sign_in(page)
    yield page
    context.close()


def test_no_page_overflows_or_complains(window: Page, made: Pages) -> None:
    errors: list[str] = []
    window.on("pageerror", lambda error: errors.append(f"{window.url}: {error}"))
    window.on(
        "console", lambda said: errors.append(f"{window.url}: {said.text}") if said.type == "error" else None
    )
    wide = []
    for address in made.addresses:
        answer = window.goto(address)
        assert answer and answer.status == 200, address
        for name, (width, height) in SIZES.items():
            window.set_viewport_size({"width": width, "height": height})
            if window.evaluate("document.documentElement.scrollWidth") > width:
                wide.append(f"{address} on a {name}")
    assert not wide and not errors


def test_nobody_is_shut_out(browser: Browser, product: Product, made: Pages) -> None:
    """axe, with its rules for WCAG 2.1 AA and good practice, on every page in both schemes."""
    script = Path(axe_playwright_python.__file__).with_name("axe.min.js").read_text()
    found: list[str] = []
    rules = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    for scheme in ("light", "dark"):
        context = browser.new_context(
            base_url=product.url, color_scheme=scheme, locale="en-GB", bypass_csp=True
        )
        page = context.new_page()
        sign_in(page)
        for address in made.addresses:
            page.goto(address)
            page.evaluate(script)
            said = page.evaluate("rules => axe.run(document, rules)", rules)["violations"]
            found += [f"{address} ({scheme}): {each['id']} {each['nodes'][0]['html'][:120]}" for each in said]
        context.close()
    assert not found


def sign_in(page: Page) -> None:
    page.goto("/accounts/login/")
    page.locator("[name=username]").fill(USER)
    page.locator("[name=password]").fill(PASSWORD)
    page.locator("form.plain-sheet button").click()
    page.wait_for_url(
        lambda url: "/accounts/" not in url
    )  # to the project, or where there are several, to their list


def test_the_bench_shows_untagged_pictures_ready_to_tag(
    browser: Browser, product: Product, made: Pages, tmp_path: Path
) -> None:
    folder = ROOT / "docs" / "images" if os.environ.get("TAXON_SCREENSHOTS") else tmp_path
    context = browser.new_context(
        base_url=product.url, viewport={"width": 1280, "height": 800}, locale="en-GB"
    )
    page = context.new_page()
    sign_in(page)
    page.goto(f"/datasets/{made.dataset}/")
    page.wait_for_load_state("networkidle")
    boxes = page.locator(".thumb .thumb-box")
    boxes.nth(1).click()
    boxes.nth(7).click(modifiers=["Shift"])
    assert "7 selected" in page.locator(".selection-count").inner_text()
    page.screenshot(path=folder / "bench.png")
    assert (folder / "bench.png").stat().st_size > 20_000
    context.close()


def test_a_stranger_to_the_site_sees_the_sign_in_alone(product: Product, made: Pages) -> None:
    for address in made.addresses:
        answer = requests.get(product.url + address, allow_redirects=False, timeout=10)
        assert answer.status_code == 302 and "/accounts/login/" in answer.headers["Location"], address
