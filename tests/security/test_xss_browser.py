"""Names that carry scripts, on every page a person can reach: nothing of them runs."""

import io
import os
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import cycle
from urllib.parse import urlencode

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image as Pillow
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from datasets.imports import begin_import
from datasets.models import Dataset, Image, Import, Label, NotTaken, Suggestion
from jobs.models import Job
from projects.models import AccessToken, Invitation, Membership, Project, Role
from serving.models import Service
from tests.browser.driver import browser, visit
from tests.queue import RealQueue
from tests.security.payloads import PAYLOADS, SHORT
from tests.security.table import ROLES, rows
from tests.security.world import Worlds
from training import predictions
from training.models import ModelVersion, RegisteredModel

__all__ = ["browser"]
pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
# Lists hold all payloads at once; what there is one of (a project's name) takes another one each time.
LONG = os.environ.get("TAXON_FAULTS") == "long"
TRIED = PAYLOADS if LONG else PAYLOADS[:SHORT]
STARTS = range(0, len(TRIED), 14) if LONG else (0, 6)
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
    User.objects.filter(username="viewer").update(
        username=next(turn), first_name=next(turn), email=next(turn)
    )
    said = {"text": "%(name)s", "values": {"name": next(turn)}}
    Job.objects.filter(project=own.project).update(message=said, traceback=next(turn), state="failed")
    NotTaken.objects.create(
        source_id=own.ids["imports"], position=1, name=next(turn), outcome="rejected", code="x", reason=said
    )
    name_lists(worlds, payloads)
    rename_in_report(
        ModelVersion.objects.get(model=own.ids["models"], number=own.ids["versions"]), label, next(turn)
    )


def name_lists(worlds: Worlds, payloads: Sequence[str]) -> None:
    """Every payload in the lists that take any number: pictures, trash, labels, suggestions, people, refused files."""
    dataset, turn = Dataset.objects.get(pk=worlds.own.ids["datasets"]), cycle(payloads)
    live = list(dataset.images.exclude(pk=worlds.own.ids["images"]).order_by("id"))
    for image in live:
        Image.objects.filter(pk=image.pk).update(name=next(turn))
    Image.objects.filter(pk__in=[image.pk for image in live[:6]]).update(trashed_at=timezone.now())
    Image.objects.filter(pk__in=[image.pk for image in live[6:12]]).update(label=None)
    labels = [Label(dataset=dataset, name=f"{text[:60]}{at}") for at, text in enumerate(payloads)]
    Label.objects.bulk_create(labels)
    for image, label in zip(live[6:12], labels, strict=False):
        Suggestion.objects.create(
            dataset=dataset, image=image, label=label, confidence=0.9, source=next(turn)
        )
    for at, text in enumerate(payloads):
        person = User.objects.create(username=f"{text}{at}", first_name=text[:150], email=text)
        Membership.objects.create(project=worlds.own.project, user=person, role=Role.VIEWER)
        NotTaken.objects.create(
            source_id=worlds.own.ids["imports"], position=at + 2, name=text, outcome="rejected", code="x",
            reason={"text": "%(name)s", "values": {"name": text}},
        )  # fmt: skip


def imported(worlds: Worlds, queue: RealQueue, payloads: Sequence[str]) -> Import:
    """A zip as a hostile person packs it: payloads as names of folders and files, and in EXIF."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for at, text in enumerate(payloads):
            plain = text.replace("/", "⁄").replace("\\", "").replace(":", "")
            archive.writestr(f"{plain[:50]}~/{plain}{at}.jpg", photo(text, at))
            archive.writestr(f"{plain[:50]}~/{plain}{at}.gif", text)
            archive.writestr(text, text)
    dataset = Dataset.objects.get(pk=worlds.own.ids["datasets"])
    begun = begin_import(
        dataset=dataset,
        user=worlds.team.people["owner"],
        files=[SimpleUploadedFile(f"{payloads[0]}.zip", packed.getvalue(), "application/zip")],
    )
    queue.run_all()
    begun.refresh_from_db()
    return begun


def photo(text: str, at: int) -> bytes:
    """A small JPEG whose EXIF speaks."""
    exif, out = Pillow.Exif(), io.BytesIO()
    exif[0x010E] = exif[0x013B] = exif[0x8298] = text  # description, artist, copyright
    Pillow.new("RGB", (64, 48), (at * 5 % 256, at * 11 % 256, at * 31 % 256)).save(out, "JPEG", exif=exif)
    return out.getvalue()


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


def views_of(worlds: Worlds, source: Import) -> Iterator[str]:
    """The same pages as their controls lead to: other states of the bench, a choice in a report, a search."""
    bench, ids = f"/datasets/{worlds.own.ids['datasets']}/", worlds.own.ids
    for state in ("all", "unlabelled", "labelled", "suggested"):
        yield f"{bench}?state={state}"
    for label in Label.objects.filter(dataset=ids["datasets"]).order_by("-id")[:3]:
        yield f"{bench}?{urlencode({'label': label.name, 'state': 'all'})}"
    version = ModelVersion.objects.get(model=ids["models"], number=ids["versions"])
    pictures = f"/models/{ids['models']}/versions/{ids['versions']}/pictures/"
    yield f"{pictures}?{urlencode({'true': version.labels[0], 'predicted': version.labels[-1]})}"
    yield f"{pictures}?{urlencode({'true': PAYLOADS[1], 'predicted': PAYLOADS[2]})}"
    yield f"/imports/{source.pk}/"
    for image in Image.objects.filter(source=source).order_by("id")[:3]:
        yield f"/images/{image.pk}/"


def administration() -> Iterator[str]:
    """Its lists of everything, searched too, and the page of one row each."""
    yield reverse("admin:index")
    for model in admin.site._registry:
        if not model._meta.managed or model._meta.app_label == "django_rq":
            continue  # the queue's dashboard is tried by itself
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield reverse(f"{name}_changelist")
        if row := model._default_manager.order_by("-pk").first():
            yield reverse(f"{name}_change", args=[row.pk])
    yield f"{reverse('admin:auth_user_changelist')}?{urlencode({'q': PAYLOADS[2]})}"


@pytest.mark.parametrize("start", STARTS)
def test_nothing_that_people_write_ever_runs(
    browser: Browser, live_server: LiveServer, worlds: Worlds, redis_server: RealQueue, start: int
) -> None:
    redis_server.flush()
    payloads = TRIED[start:] + TRIED[:start]
    source = imported(worlds, redis_server, payloads)
    assert source.imported and source.rejected, source.message
    name_everything(worlds, payloads)
    owner, asked, seen = worlds.team.people["owner"], [], 0
    User.objects.filter(pk=owner.pk).update(is_superuser=True, is_staff=True)  # to see the administration too
    # A script that the policy had to stop is an error in the console, and fails as well.
    with visit(browser, live_server, "/", owner, provoked=[AN_ICON]) as page:
        page.add_init_script(SPY)
        page.on("dialog", lambda dialog: dialog.dismiss())
        page.on("request", lambda sent: asked.append(sent.url))
        for address in [*addresses(worlds), *views_of(worlds, source), *administration()]:
            if address.endswith(("/thumbnail/", "/preview/")):
                continue  # pictures
            answer = page.goto(address)
            assert answer is not None and answer.status < 400, f"{address}: {answer and answer.status}"
            page.mouse.move(600, 300)
            assert not page.evaluate("window.wasStolen"), address
            seen += 1
        assert page.evaluate("stolen() && window.wasStolen"), "the spy sleeps"
    print(f"{len(payloads)} payloads on {seen} pages: 0 ran")
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
