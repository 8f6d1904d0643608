"""A real browser for tests: `from tests.browser.driver import browser, visit`, and mark the test `browser`.

Playwright's synchronous interface runs an event loop in this thread, which Django takes for asynchronous
code; importing this module tells Django that tests know what they do.
"""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django.live_server_helper import LiveServer

os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
OFFLINE = "net::ERR_INTERNET_DISCONNECTED"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for the module's tests."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on this machine: install the package chromium")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield chromium
        chromium.close()


@contextmanager
def visit(
    browser: Browser,
    server: LiveServer,
    path: str,
    user: User,
    *,
    provoked: Sequence[str] = (),
    **context: Any,
) -> Iterator[Page]:
    """A page of the site as this person sees it; `context` goes to the browser (`color_scheme`, …).

    Errors in its console fail the test when it leaves, but for those that hold one of the `provoked` words.
    """
    client = Client()
    client.force_login(user)
    options = {"viewport": {"width": 1280, "height": 800}, "locale": "en-GB"} | context
    opened = browser.new_context(base_url=server.url, **options)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    opened.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": server.url}])
    page = opened.new_page()
    errors: list[str] = []
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: errors.append(str(error)))
    try:
        page.goto(path)
        yield page
        assert [each for each in errors if not any(word in each for word in provoked)] == []
    finally:
        opened.close()
