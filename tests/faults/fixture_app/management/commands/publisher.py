"""`manage.py publisher`: the clerk who publishes, in a child process that dies at a chosen line or moment."""

import hashlib
import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

from django.db import connection

from jobs.models import Job
from jobs.running import perform
from projects.models import AccessToken, AuditEntry
from serving import publication, revisions
from serving.models import Service, ServiceState
from serving.tokens import make_service_token
from tests.faults.fixture_app.management.commands import house_clerk
from tests.serving.makers import make_version
from web import storage

# Every line of these that an act runs is a step at which it is killed.
STEPS = (
    "serving/revisions.py",
    "serving/publication.py",
    "serving/warming.py",
    "serving/sessions.py",
    "projects/audit.py",
    "jobs/running.py",
    "jobs/ends.py",
    "jobs/queue.py",  # the wake-up, after the commit
    "django/db/transaction.py",  # before the commit and behind it
)
ACTS_THAT_CHANGE = ("service.request", "service.switch", "service.rollback")


class Command(house_clerk.Command):
    """One project, one model with two versions that give different scores."""

    def open_shop(self) -> str:
        """The versions, the service `shop` over the first of them, online, and the secret that calls it."""
        self.prepare()
        self.owner = self.team.people["owner"]
        self.team.project.requests_approve_themselves = True
        self.team.project.save()
        self.versions = [make_version(self.team.project, sharpness=sharpness) for sharpness in (4.0, 8.0)]
        self.publish("shop")
        perform(Service.objects.get(slug="shop").project.jobs.get().pk)
        return make_service_token(service=self.service("shop"), name="caller", by=self.owner)[1]

    def owner_secret(self) -> str:
        """A token that may switch."""
        from projects.tokens import make_token

        return make_token(project=self.team.project, user=self.owner, name="owner", scopes=["publish"])[1]

    def service(self, slug: str) -> Service:
        """As the database has it now."""
        return Service.objects.get(slug=slug)

    # ---- the acts
    def switch(self, slug: str, to: int) -> None:
        """To a version's number."""
        revisions.switch(service=self.service(slug), shares=[revisions.Share(to)], by=self.owner)

    def roll_back(self, slug: str, to: int | None = None) -> None:
        """To a revision's number, or to what was before."""
        revisions.roll_back(service=self.service(slug), by=self.owner, to=to)

    def publish(self, slug: str) -> None:
        """Request and, as the project waives approval, begin to warm."""
        publication.request_service(
            project=self.team.project, version=self.versions[0], name="Shop", slug=slug, by=self.owner
        )

    def request(self, slug: str) -> None:
        """As `publish`, where somebody has to approve."""
        project = self.team.project
        project.requests_approve_themselves = False  # not saved: for this request alone
        try:
            self.publish(slug)
        finally:
            project.requests_approve_themselves = True

    def approve(self, slug: str) -> None:
        """Say yes."""
        publication.approve(service=self.service(slug), by=self.owner)

    def reject(self, slug: str) -> None:
        """Say no."""
        publication.reject(service=self.service(slug), by=self.owner)

    def take_offline(self, slug: str) -> None:
        """It answers nobody."""
        publication.take_offline(service=self.service(slug), by=self.owner)

    def bring_online(self, slug: str) -> None:
        """It warms up again."""
        publication.bring_online(service=self.service(slug), by=self.owner)

    def release(self, slug: str) -> None:
        """For good."""
        publication.release(service=self.service(slug), by=self.owner)

    def warm(self, job: int) -> None:
        """What a woken worker does."""
        perform(job)

    def killed(self, act: str, line: int = 0, after: float = 0.0, **what: Any) -> dict[str, Any]:
        """Do it in a child that is killed at its n-th line or after so many seconds; whether it was in time."""
        connection.close()
        sys.stdout.flush()
        began = time.monotonic()
        child = os.fork()
        if not child:
            live_and_die(lambda: getattr(self, act)(**what), line)
        if after:
            time.sleep(after)
            os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        return {"status": status, "seconds": time.monotonic() - began}

    # ---- what became of it
    def token(self, slug: str) -> str:
        """A secret that calls it."""
        return make_service_token(service=self.service(slug), name="caller", by=self.owner)[1]

    def standing(self, slug: str) -> dict[str, Any]:
        """Where a service stands, and what was noted, queued and revoked for it."""
        service = self.service(slug)
        notes = AuditEntry.objects.filter(target=slug).values_list("action", flat=True)
        waiting = Job.objects.active().filter(kind="serving.warm", payload__service=service.pk)
        return {
            "state": service.state,
            "released": service.released_at is not None,
            "decided": service.decided_at is not None,
            "notes": list(notes),
            "jobs": list(waiting.values_list("pk", flat=True)),
            "tokens": AccessToken.objects.live().filter(resource=service.resource).count(),
        }

    def facts(self, slug: str) -> dict[str, Any]:
        """What the rows say, and whether they agree with one another and with the files."""
        service = Service.objects.filter(slug=slug).select_related("revision").first()
        noted = AuditEntry.objects.filter(target=slug, action__in=ACTS_THAT_CHANGE).count()
        jobs = list(Job.objects.filter(kind="serving.warm").order_by("pk").values("pk", "state", "payload"))
        if service is None:
            return {"exists": False, "noted": noted, "jobs": jobs}
        mine = list(service.revisions.order_by("number"))
        return {
            "exists": True,
            "state": service.state,
            "live": service.revision.number if service.revision else 0,
            "served": {each.number: each.versions[0]["number"] for each in mine},
            "noted": noted,
            "warmed": AuditEntry.objects.filter(target=slug, action="service.warmed").count(),
            "whole": all(whole(entry) for each in mine for entry in each.versions),
            "jobs": [job["pk"] for job in jobs if job["payload"]["service"] == service.pk],
            "online": service.state == ServiceState.ONLINE,
        }


def whole(entry: dict[str, Any]) -> bool:
    """Its file is there and is the one that was trained."""
    return hashlib.sha256(storage.read(entry["file_key"])).hexdigest() == entry["file_sha256"]


def live_and_die(act: Callable[[], object], line: int, steps: tuple[str, ...] = STEPS) -> None:
    """The child's whole life: the act, killed without a word just before its n-th line (0: never)."""
    seen = 0

    def step(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal seen
        if not frame.f_code.co_filename.endswith(steps):
            return None
        if event == "line":
            seen += 1
            if seen == line:
                os.kill(os.getpid(), signal.SIGKILL)
        return step

    try:
        sys.settrace(step if line else None)
        act()
    except BaseException:  # noqa: BLE001  a child must never come back into its parent's code
        traceback.print_exc()
        os._exit(1)
    os._exit(0)
