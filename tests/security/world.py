"""Two projects with one object of every kind each: what permission tests point their requests at."""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.utils import timezone

from datasets.models import AlikeGroup, Dataset, Export, Import, ImportState, LabelConflict, Mislabel, Upload
from datasets.snapshots import take_snapshot
from datasets.tagging import tag_images
from jobs.models import Job
from projects.invitations import invite
from projects.models import Membership, Notice, Project, Role
from projects.notices import set_webhook
from projects.tokens import make_token
from serving.models import PredictionRecord, Service, ServiceState
from serving.publication import request_service
from serving.tokens import make_service_token
from tests.factories import Team
from tests.serving.makers import colour_model
from tests.training.makers import finished, model_of, tagged
from training.models import ModelVersion
from web.storage import put_bytes

PARAMETER = re.compile(r"<(?:\w+:)?(\w+)>")
# Nouns that mean something else inside of another.
INSIDE = {("services", "tokens"): "service-tokens", ("datasets", "exports"): "exports of data"}
LABELS = {"red": 6, "green": 6, "blue": 6}


@dataclass
class World:
    """One project's objects, found by the noun that stands before them in an address: `datasets/<int:pk>`."""

    project: Project
    owner: User
    ids: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def make(cls, project: Project, owner: User, engineer: User, labeller: User) -> "World":
        """One object of every kind."""
        world = cls(project, owner)
        world.ids["projects"] = project.pk
        world.ids["members"] = Membership.objects.get(project=project, user=engineer).pk
        world.ids["tokens"] = make_token(project=project, user=engineer, name="camera")[0].pk
        world.ids["invitations"] = invite(project=project, role=Role.VIEWER, by=owner)[0].pk
        hook, _secret = set_webhook(project=project, url="https://example.org/taxon", user=owner)
        message = Notice.objects.create(
            project=project, channel="webhook", webhook=hook, about="test:1", state="given-up"
        )
        world.ids["messages"] = message.pk
        world.ids["jobs"] = Job.objects.create(
            project=project, kind="datasets.import", queue="bulk", created_by=labeller
        ).pk
        dataset = tagged(project, LABELS)
        world.ids |= ids_in(dataset, labeller)
        version = trained(project, dataset, engineer)
        world.ids |= {"models": version.model_id, "versions": version.number, "exports": "onnx"}
        service = published(version, f"discs-{project.pk}", engineer)
        world.ids["services"] = service.slug
        world.ids["predictions"] = str(answered(service, version).pk)
        world.ids["service-tokens"] = make_service_token(service=service, name="till", by=engineer)[0].pk
        return world

    def at(self, route: str, place: int) -> Any:
        """What this world has for the object at this place of an address."""
        return self.ids[nouns(route)[place]]

    def gone(self, route: str, place: int) -> Any:
        """What is no longer there for it."""
        return 999_999_999 if isinstance(self.at(route, place), int) else "long-gone"

    def address(self, route: str, swap: dict[int, Any] | None = None) -> str:
        """A route with this world's ids; `swap` replaces single ones, by their place."""
        values = {place: self.at(route, place) for place in range(places(route))} | (swap or {})
        filled = iter(values[place] for place in sorted(values))
        return "/" + PARAMETER.sub(lambda _: str(next(filled)), route)


def ids_in(dataset: Dataset, user: User) -> dict[str, Any]:
    """A data set's picture, label, import and act."""
    image = dataset.images.order_by("id")[0]
    label = dataset.labels.get(name="blue")
    acted = tag_images(dataset=dataset, user=user, chosen=dataset.images.filter(pk=image.pk), label=label)
    job = Job.objects.create(project=dataset.project, kind="datasets.import", queue="bulk")
    source = Import.objects.create(dataset=dataset, created_by=user, state=ImportState.READY, job=job)
    red = dataset.labels.get(name="red")
    conflict = LabelConflict.objects.create(
        dataset=dataset, image=image, label=red, source=source, name="1.png"
    )
    later = timezone.now() + timedelta(days=1)
    upload = Upload.objects.create(project=dataset.project, created_by=user, length=1, expires_at=later)
    trashed = Dataset.objects.create(project=dataset.project, name="Gone", trashed_at=timezone.now())
    doubted = dataset.images.filter(label=red)[0]
    Mislabel.objects.create(dataset=dataset, image=doubted, given=red, proposed=label, score=0.5)
    alike = AlikeGroup.objects.create(dataset=dataset)
    alike.members.create(image=image)
    alike.members.create(image=doubted)
    return {
        "trashed": trashed.pk,
        "near-duplicates": alike.pk,
        "mislabels": doubted.pk,
        "datasets": dataset.pk,
        "images": image.pk,
        "labels": label.pk,
        "red label": dataset.labels.get(name="red").pk,
        "imports": source.pk,
        "conflicts": conflict.pk,
        "uploads": str(upload.pk),
        "tag-actions": acted.pk,
        "snapshots": take_snapshot(dataset=dataset, user=user, name="First").pk,
        "other data set": Dataset.objects.create(project=dataset.project, name="Other").pk,
        "exports of data": Export.objects.create(dataset=dataset, format="csv", created_by=user).pk,
    }


def trained(project: Project, dataset: Dataset, engineer: User) -> ModelVersion:
    """A version with a report, whose file answers."""
    version = finished(model_of(project), dataset, engineer, np.full((64, 3), 1 / 3, np.float32))
    data = colour_model(tuple(version.labels))
    key, digest = put_bytes("models", data, ".onnx"), hashlib.sha256(data).hexdigest()
    ModelVersion.objects.filter(pk=version.pk).update(file_key=key, file_sha256=digest, file_bytes=len(data))
    version.refresh_from_db()
    return version


def published(version: ModelVersion, slug: str, engineer: User) -> Service:
    """A service that is online."""
    service = request_service(
        project=version.model.project, version=version, name="Discs", slug=slug, by=engineer, threshold=None
    )
    Service.objects.filter(pk=service.pk).update(state=ServiceState.ONLINE)
    service.refresh_from_db()
    return service


def answered(service: Service, version: ModelVersion) -> PredictionRecord:
    """A prediction that feedback can speak of."""
    return PredictionRecord.objects.create(
        service=service, revision=service.revision, version=version, milliseconds=1, answers=[{"scores": []}]
    )


def places(route: str) -> int:
    """How many objects an address names."""
    return len(nouns(route))


def nouns(route: str) -> list[str]:
    """The segments that stand before parameters: `datasets` in `datasets/<int:pk>/`."""
    segments = route.split("/")
    found = [segments[at - 1] for at, segment in enumerate(segments) if PARAMETER.search(segment)]
    if route == "datasets/<int:pk>/restore/":
        return ["trashed"]
    return [INSIDE.get((found[0], noun), noun) for noun in found]


@dataclass
class Worlds:
    """The own project with its people, and another one of a stranger."""

    team: Team
    own: World
    other: World

    @classmethod
    def make(cls) -> "Worlds":
        """The team's project and the stranger's, each with one object of every kind."""
        team = Team.make()
        people = team.people
        people["operator"] = User.objects.create_superuser("operator")
        elsewhere = User.objects.create_user("elsewhere")
        Membership.objects.create(project=team.other, user=elsewhere, role=Role.ENGINEER)
        own = World.make(team.project, people["owner"], people["engineer"], people["labeller"])
        return cls(team, own, World.make(team.other, people["stranger"], elsewhere, elsewhere))


def archive(project: Project) -> None:
    """Close a project."""
    Project.objects.filter(pk=project.pk).update(archived_at=timezone.now())
