"""A model's pinned test set in the JSON API."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Router, Schema, Status

from projects.access import caller
from projects.models import Role
from training import pinning
from training.access import model_for, snapshot_for, version_for
from training.models import PinnedSet
from web.api import PROBLEMS
from web.sentences import Refusal

router = Router(tags=["training"])


class PinIn(Schema):
    """What to pin: what a version held back, or all pictures of a snapshot."""

    version: int | None = None
    snapshot: int | None = None


class TestSetOut(Schema):
    """The pinned test set; `labels` counts its pictures as they were pinned."""

    id: int
    model: int
    pictures: int
    labels: dict[str, int]
    version: int | None
    snapshot: int | None
    pinned_by: str | None
    pinned_at: datetime


class OneOfTwo(Refusal):
    """Neither or both were named."""

    code = "invalid"
    status = 422


def shape(found: PinnedSet) -> dict[str, Any]:
    """As the API gives it."""
    plain = {name: getattr(found, name) for name in ("pictures", "labels", "pinned_at")}
    return plain | {
        "id": found.pk,
        "model": found.model_id,
        "version": found.source.get("version"),
        "snapshot": found.source.get("snapshot"),
        "pinned_by": found.pinned_by.get_username() if found.pinned_by else None,
    }


@router.get("/models/{int:pk}/test-set", response={200: TestSetOut | None, **PROBLEMS})
def show_test_set(request: HttpRequest, pk: int) -> dict[str, Any] | None:
    """The pictures that all versions are judged on; null where none are pinned."""
    found = pinning.test_set_of(model_for(request.auth, pk))  # type: ignore[attr-defined]
    return shape(found) if found else None


@router.post("/models/{int:pk}/test-set", response={201: TestSetOut, **PROBLEMS})
def pin(request: HttpRequest, pk: int, data: PinIn) -> Status[dict[str, Any]]:
    """Pin a test set: later versions never learn from its pictures, nor from what looks like them."""
    asking = caller(request.auth)  # type: ignore[attr-defined]
    model = model_for(asking, pk, at_least=Role.ENGINEER, scope="train")
    if (data.version is None) == (data.snapshot is None):
        raise OneOfTwo(gettext_noop("Name a version or a snapshot, one of them."))
    if data.version is not None:
        version = version_for(asking, pk, data.version, at_least=Role.ENGINEER, scope="train")
        return Status(201, shape(pinning.pin_version(version=version, user=asking.user)))
    snapshot = snapshot_for(asking, model, data.snapshot or 0)
    return Status(201, shape(pinning.pin_snapshot(model=model, snapshot=snapshot, user=asking.user)))


@router.delete("/models/{int:pk}/test-set", response={204: None, **PROBLEMS})
def unpin(request: HttpRequest, pk: int) -> Status[None]:
    """Later versions hold back pictures of their own again."""
    asking = caller(request.auth)  # type: ignore[attr-defined]
    pinning.unpin(model=model_for(asking, pk, at_least=Role.ENGINEER, scope="train"), user=asking.user)
    return Status(204, None)
