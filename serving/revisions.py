"""What a service serves: its revisions, a new one for each switch and roll back, none ever changed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from django.db import transaction
from django.db.models import Max
from django.http import Http404
from django.utils.translation import gettext_noop

from projects import audit
from projects.access import Who, caller
from serving.models import Revision, Service, ServiceState
from serving.sessions import predictor_for
from training.models import ModelVersion, RegisteredModel
from web.sentences import Conflict, Refusal

MOST_VERSIONS = 10


class Served(TypedDict):
    """One entry of `Revision.versions`: it names the very file that answers."""

    version: int
    number: int
    share: int
    file_key: str
    file_sha256: str


@dataclass(frozen=True)
class Share:
    """A version's number and its part of the requests in per cent."""

    number: int
    share: int = 100


class VersionUnusable(Conflict):
    """A version without a model file."""

    code = "version-unusable"


class VersionArchived(Conflict):
    """A version that was put away."""

    code = "version-archived"


class BadShares(Refusal):
    """Shares that do not make a whole."""

    code = "bad-shares"
    status = 422


class FileNotBuilt(Conflict):
    """A form of the model that this version does not have."""

    code = "file-not-built"


class NothingEarlier(Conflict):
    """The service served nothing before."""

    code = "nothing-earlier"


class NotDecided(Conflict):
    """A request that nobody approved cannot be switched."""

    code = "wrong-state"


KEEP_THRESHOLD = -1.0


def switch(
    *,
    service: Service,
    shares: Sequence[Share],
    by: Who,
    file: str = "onnx",
    threshold: float | None = KEEP_THRESHOLD,
) -> Revision:
    """Serve other versions. The old revision answers until the new files are verified, loaded and tried."""
    if file != "onnx":
        raise FileNotBuilt(gettext_noop("There is no “%(file)s” file of this version."), file=file)
    versions = entries(service, shares)
    kept = service.revision.threshold if service.revision else None
    return go_to(
        service, versions, threshold=kept if threshold == KEEP_THRESHOLD else threshold, by=by, act="switch"
    )


def roll_back(*, service: Service, by: Who, to: int | None = None) -> Revision:
    """Serve what was served before (or revision number `to`) again, as a new revision."""
    earlier = service.revisions.filter(number=to).first() if to else earlier_than(service.revision)
    if to and earlier is None:
        raise Http404
    if earlier is None:
        raise NothingEarlier(gettext_noop("This service has not served anything else before."))
    origin = earlier.repeats or earlier
    return go_to(service, origin.versions, threshold=origin.threshold, by=by, act="rollback", repeats=origin)


def earlier_than(revision: Revision | None) -> Revision | None:
    """The revision before this one; after roll backs, before the one that they brought back."""
    if revision is None:
        return None
    origin = revision.repeats or revision
    return origin.service.revisions.filter(number__lt=origin.number, repeats=None).order_by("-number").first()


def go_to(
    service: Service,
    versions: list[Served],
    *,
    threshold: float | None,
    by: Who,
    act: str,
    repeats: Revision | None = None,
) -> Revision:
    """Load and try the files here first, then make the revision the live one in one step."""
    if service.state not in (ServiceState.ONLINE, ServiceState.OFFLINE, ServiceState.WARMING):
        raise NotDecided(gettext_noop("The service has not been approved yet."))
    for entry in versions:
        predictor_for(entry["file_key"], entry["file_sha256"])
    with transaction.atomic():
        if repeats is None:  # what was served before is kept from deletion, and may be archived since
            held(service.model_id, [entry["version"] for entry in versions])
        locked = Service.objects.select_for_update().get(pk=service.pk)
        if locked.released_at:
            raise Http404
        revision = add_revision(service, versions, threshold=threshold, by=by, repeats=repeats)
        detail = [f"{entry['number']}: {entry['share']} %" for entry in versions]
        audit.note(by, f"service.{act}", project=service.project, target=service.slug, versions=detail)
    return revision


def add_revision(
    service: Service,
    versions: list[Served],
    *,
    by: Who,
    threshold: float | None = None,
    repeats: Revision | None = None,
) -> Revision:
    """The next revision, live at once."""
    last = service.revisions.aggregate(last=Max("number"))["last"] or 0
    revision = Revision.objects.create(
        service=service,
        number=last + 1,
        versions=versions,
        threshold=threshold,
        repeats=repeats,
        created_by=caller(by).user,
    )
    service.revision = revision
    service.save(update_fields=["revision"])
    return revision


def entries(service: Service, shares: Sequence[Share]) -> list[Served]:
    """Shares as a revision keeps them; raises BadShares, VersionUnusable, Http404 for an unknown version."""
    numbers = {share.number for share in shares}
    whole_numbers = all(share.share > 0 for share in shares)
    if sum(share.share for share in shares) != 100 or not whole_numbers or len(numbers) != len(shares):
        raise BadShares(gettext_noop("Name each version once, with shares above 0 that make 100 together."))
    if len(shares) > MOST_VERSIONS:
        raise BadShares(gettext_noop("At most %(n)s versions can share a service."), n=MOST_VERSIONS)
    found = {version.number: version for version in service.model.versions.filter(number__in=numbers)}
    if len(found) < len(numbers):
        raise Http404
    for version in found.values():
        refuse_archived(version)
    return [whole(found[share.number], share.share) for share in shares]


def held(model: int, versions: Sequence[int]) -> list[ModelVersion]:
    """The rows of these versions, locked after their model's, as `training.removing` locks them: none is deleted or
    put away before the caller's transaction ends. Raises Http404 where one is gone, VersionArchived."""
    RegisteredModel.objects.select_for_update().filter(pk=model).first()
    rows = ModelVersion.objects.select_for_update().filter(model=model, pk__in=versions).order_by("pk")
    found = list(rows)
    if len(found) < len(set(versions)):
        raise Http404
    for version in found:
        refuse_archived(version)
    return found


def refuse_archived(version: ModelVersion) -> None:
    """Raises VersionArchived."""
    if version.archived_at:
        raise VersionArchived(
            gettext_noop("Version %(number)s is archived; bring it back before it is published."),
            number=version.number,
        )


def whole(version: ModelVersion, share: int = 100) -> Served:
    """A version's entry, by default alone; raises VersionUnusable."""
    if not (version.usable and version.file_key):
        raise VersionUnusable(
            gettext_noop("Version %(number)s has no usable model and cannot be served."),
            number=version.number,
        )
    return Served(
        version=version.pk,
        number=version.number,
        share=share,
        file_key=version.file_key,
        file_sha256=version.file_sha256,
    )


def pick(revision: Revision) -> Served:
    """The version that answers one request, drawn by the shares."""
    versions: list[Served] = revision.versions
    if len(versions) == 1:
        return versions[0]
    return random.choices(versions, [entry["share"] for entry in versions])[0]  # noqa: S311  (no secret)
