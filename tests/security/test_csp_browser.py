"""The strict policy, and the pages of libraries under it, in a real browser."""

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from tests.browser.driver import browser, visit
from tests.factories import Team
from tests.queue import RealQueue

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
ADMIN = [
    "/admin/",
    "/admin/auth/user/",
    "/admin/auth/user/add/",
    "/admin/jobs/job/",
    "/admin/projects/accesstoken/",
]
DASHBOARD = [f"/admin/django_rq/dashboard/{path}" for path in ("", "queues/0/", "workers/0/")]


@pytest.fixture
def operator(transactional_db: None) -> User:
    return User.objects.create_superuser("operator")


@pytest.mark.parametrize("path", ADMIN)
def test_the_administration_works_without_anything_inline(
    browser: Browser, live_server: LiveServer, operator: User, path: str
) -> None:
    # It fails on any error in the console, but for the icon that browsers ask for by themselves.
    with visit(browser, live_server, path, operator, provoked=["404 (Not Found)"]) as page:
        assert page.locator("#content").is_visible()


@pytest.mark.parametrize("path", DASHBOARD)
def test_the_queues_dashboard_works(
    browser: Browser, live_server: LiveServer, operator: User, redis_server: RealQueue, path: str
) -> None:
    # The library's one inline script calls what Django no longer has; the links beside it work.
    with visit(browser, live_server, path, operator, provoked=["404 (Not Found)", "inline script"]) as page:
        assert page.locator("#content-main").is_visible()


def test_the_apis_documentation_works_and_can_call_the_api(
    browser: Browser, live_server: LiveServer, team: Team
) -> None:
    with visit(browser, live_server, "/api/v1/docs", team.people["owner"]) as page:
        listing = page.locator(".opblock", has_text="/api/v1/projects").first
        listing.wait_for()
        assert page.locator(".opblock").count() > 10
        listing.locator(".opblock-summary").click()
        listing.get_by_role("button", name="Try it out").click()
        listing.get_by_role("button", name="Execute").click()
        listing.locator(".live-responses-table", has_text="Animals").wait_for()
