"""Names that carry scripts, on every page a person can reach: nothing of them runs."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle

import pytest
from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from datasets.models import Dataset, Image, Label, NotTaken
from jobs.models import Job
from projects.models import AccessToken, Invitation, Project
from serving.models import Service
from tests.browser.driver import browser, visit
from tests.queue import RealQueue
from tests.security.table import ROLES, rows
from tests.security.world import Worlds
from training import predictions
from training.models import ModelVersion, RegisteredModel

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Each would call window.stolen() or ask a host that does not exist, from another place of a page.
PAYLOADS = (
    "<script>stolen()</script>",
    "<img src=x onerror=stolen()>",
    "\"><svg onload=stolen()>",
    "' onmouseover=stolen() autofocus onfocus=stolen() x='",
    "</script><script>stolen()</script>",
    "{{constructor.constructor('stolen()')()}}",
    "${stolen()}`+stolen()+`",
    "javascript:stolen()",
    "<a href=javascript:stolen()>x</a>",
    "</textarea><iframe srcdoc='<script>parent.stolen()</script>'>",
    "<math><mi xlink:href=javascript:stolen()>",
    "%3Cscript%3Estolen()%3C/script%3E",
)
SPY = "window.stolen = () => window.wasStolen = true"
AN_ICON = "404 (Not Found)"  # browsers ask for one by themselves


@pytest.fixture
def worlds(transactional_db: None) -> Worlds:
    return Worlds.make()


def name_everything(worlds: Worlds, payloads: Sequence[str]) -> None:
    """Put a payload into every name and sentence that people or files bring along, each time the next one."""
    own, turn = worlds.own, cycle(payloads)
    Project.objects.filter(pk=own.project.pk).update(name=next(turn)[:80], description=next(turn))
    Dataset.objects.filter(pk=own.ids["datasets"]).update(name=next(turn)[:80], description=next(turn))
    Image.objects.filter(dataset=own.ids["datasets"]).update(name=next(turn))
    label = next(turn)[:64]
    Label.objects.filter(pk=own.ids["labels"]).update(name=label)
    models = RegisteredModel.objects.filter(project=own.project)
    models.update(name=next(turn)[:80], description=next(turn), contact=next(turn))
    Service.objects.filter(project=own.project).update(name=next(turn)[:80], description=next(turn))
    AccessToken.objects.filter(project=own.project).update(name=next(turn)[:80])
    Invitation.objects.filter(project=own.project).update(name=next(turn)[:80])
    User.objects.filter(username="viewer").update(username=next(turn), first_name=next(turn), email=next(turn))
    said = {"text": "%(name)s", "values": {"name": next(turn)}}
    Job.objects.filter(project=own.project).update(message=said, traceback=next(turn), state="failed")
    NotTaken.objects.create(
        source_id=own.ids["imports"], position=1, name=next(turn), outcome="rejected", code="x", reason=said
    )
    rename_in_report(ModelVersion.objects.get(model=own.ids["models"], number=own.ids["versions"]), label, next(turn))


def rename_in_report(version: ModelVersion, label: str, file: str) -> None:
    """The version, its report and its predictions, as if it had been trained on this label and these files."""
    version.labels = [label if each == "blue" else each for each in version.labels]
    version.weights = file
    version.report = renamed(version.report, "blue", label)
    rows = [
        replace(
            row,
            file=file,
            true=label if row.true == "blue" else row.true,
            predicted=label if row.predicted == "blue" else row.predicted,
        )
        for row in predictions.load(version.predictions_key)
    ]
    version.predictions_key = predictions.save(rows)
    version.save()


def renamed(report: object, old: str, new: str) -> object:
    """The report with one label called otherwise, wherever it is named."""
    if isinstance(report, dict):
        return {new if key == old else key: renamed(value, old, new) for key, value in report.items()}
    if isinstance(report, list):
        return [renamed(each, old, new) for each in report]
    return new if report == old else report


def addresses(worlds: Worlds) -> Iterator[str]:
    """Every page that the table knows."""
    for row in rows():
        if row.method == "GET" and row.is_page and row.at_least in ("person", *ROLES):
            yield worlds.own.address(row.route)


ADMIN = ["datasets/image", "datasets/label", "jobs/job", "projects/project", "serving/service", "auth/user"]


@pytest.mark.parametrize("start", [0, 4, 8])
def test_nothing_that_people_write_ever_runs(
    browser: Browser, live_server: LiveServer, worlds: Worlds, redis_server: RealQueue, start: int
) -> None:
    name_everything(worlds, PAYLOADS[start:] + PAYLOADS[:start])
    owner, asked = worlds.team.people["owner"], []
    User.objects.filter(pk=owner.pk).update(is_superuser=True, is_staff=True)  # to see the administration too
    # A script that the policy had to stop is an error in the console, and fails as well.
    with visit(browser, live_server, "/", owner, provoked=[AN_ICON]) as page:
        page.add_init_script(SPY)
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.on("request", lambda sent: asked.append(sent.url))
        for address in [*addresses(worlds), *(f"/admin/{model}/" for model in ADMIN)]:
            if address.endswith(("/thumbnail/", "/preview/")):
                continue  # pictures
            answer = page.goto(address)
            assert answer is not None and answer.status < 400, f"{address}: {answer and answer.status}"
            page.mouse.move(600, 300)
            assert not page.evaluate("window.wasStolen"), address
        assert page.evaluate("stolen() && window.wasStolen"), "the spy sleeps"
    assert [url for url in asked if not url.startswith((live_server.url, "data:", "blob:"))] == []


def test_the_payloads_do_reach_the_pages(worlds: Worlds) -> None:
    payload = PAYLOADS[0]
    name_everything(worlds, [payload])
    client, escaped = Client(), "&lt;script&gt;stolen()"
    client.force_login(worlds.team.people["owner"])
    pages = {address: client.get(address).content.decode(errors="replace") for address in addresses(worlds)}
    reached = [address for address, content in pages.items() if escaped in content]
    assert len(reached) > 20, reached
    assert [address for address, content in pages.items() if payload in content] == []
