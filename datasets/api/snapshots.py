"""Snapshots in the JSON API: take, rename, compare, restore."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Query, Router, Schema, Status
from pydantic import Field

from datasets.access import dataset_for, snapshot_of
from datasets.api.tagging import Acted, Queued, acted
from datasets.bulk_restoring import restore as restore_tags
from datasets.comparing import Change, Difference, Kind, difference
from datasets.models import Dataset, Snapshot
from datasets.restore_plans import outlook
from datasets.snapshots import rename_snapshot, rows_now, rows_of, take_named
from jobs.models import Job
from projects.access import caller
from projects.models import Role
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import BadCursor, decode, encode, page

router = Router()
Name = Annotated[str, Field(min_length=1, max_length=80, pattern=r"\S")]


class SnapshotIn(Schema):
    """A name, and perhaps some labels alone."""

    name: Name
    labels: list[str] | None = None


class SnapshotPatch(Schema):
    """The name is all that can change."""

    name: Name


class SnapshotOut(Schema):
    """Tagged pictures as they were; `hash` stands for which pictures had which labels and wishes."""

    id: int
    name: str
    hash: str
    images: int
    labels: dict[str, int]
    created_at: datetime
    created_by: str | None


class ChangeOut(Schema):
    """One picture; `before` is null where it was added, `after` where it was removed."""

    image: int
    file: str
    sha256: str
    before: str | None
    after: str | None


class CompareOut(Schema):
    """How many pictures differ, and a page of one kind of them."""

    added: int
    removed: int
    relabelled: int
    items: list[ChangeOut]
    next: str | None


class PlanOut(Schema):
    """What a restore would change; `others` are tagged now and not in the snapshot, `gone` cannot come back."""

    changes: int
    relabelled: int
    from_trash: int
    gone: int
    others: int
    new_labels: list[str]


class Comparing(Schema):
    """The job that finds out what a restore would change."""

    job: int


class RestoreIn(Schema):
    """What becomes of pictures that are tagged now and are not in the snapshot."""

    others: Literal["keep", "untag"] = "keep"


def shape(snapshot: Snapshot) -> dict[str, Any]:
    """As clients see it."""
    return {
        "id": snapshot.pk,
        "name": snapshot.name,
        "hash": snapshot.content_hash,
        "images": snapshot.images,
        "labels": snapshot.labels,
        "created_at": snapshot.created_at,
        "created_by": snapshot.created_by.get_username() if snapshot.created_by else None,
    }


@router.get("/datasets/{int:pk}/snapshots", response={200: Page[SnapshotOut], **PROBLEMS})
def list_snapshots(request: HttpRequest, pk: int, limit: Limit, cursor: Cursor) -> dict[str, Any]:
    """The snapshots of a data set, latest first; those that trainings took have no name."""
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    found = dataset.snapshots.select_related("created_by")
    return page(found, shape, limit=limit, cursor=cursor, order="-id")


@router.post("/datasets/{int:pk}/snapshots", response={201: SnapshotOut, **PROBLEMS})
def make_snapshot(request: HttpRequest, pk: int, data: SnapshotIn) -> Status[dict[str, Any]]:
    """Freeze the tagged pictures as they are now."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.ENGINEER, scope="label")
    user = caller(who).user
    made = take_named(dataset=dataset, label_names=data.labels, user=user, name=data.name)
    return Status(201, shape(made))


@router.get("/datasets/{int:pk}/snapshots/{int:snapshot_pk}", response={200: SnapshotOut, **PROBLEMS})
def show_snapshot(request: HttpRequest, pk: int, snapshot_pk: int) -> dict[str, Any]:
    """One snapshot."""
    return shape(snapshot_of(dataset_for(request.auth, pk), snapshot_pk))  # type: ignore[attr-defined]


@router.patch("/datasets/{int:pk}/snapshots/{int:snapshot_pk}", response={200: SnapshotOut, **PROBLEMS})
def name_snapshot(request: HttpRequest, pk: int, snapshot_pk: int, data: SnapshotPatch) -> dict[str, Any]:
    """Another name; the content never changes."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.ENGINEER, scope="label")
    found = snapshot_of(dataset, snapshot_pk)
    return shape(rename_snapshot(snapshot=found, name=data.name, user=caller(who).user))


@router.get("/datasets/{int:pk}/snapshots/{int:snapshot_pk}/compare", response={200: CompareOut, **PROBLEMS})
def compare(  # noqa: PLR0917  each is a parameter of the route
    request: HttpRequest,
    pk: int,
    snapshot_pk: int,
    limit: Limit,
    cursor: Cursor,
    other: Annotated[
        int | None, Query(alias="with", description="The later snapshot; without it: now.")
    ] = None,
    kind: Annotated[Kind, Query()] = "added",
) -> dict[str, Any]:
    """What changed since this snapshot: until another one, or until now."""
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    found = between(dataset, snapshot_of(dataset, snapshot_pk), other)
    changes, start = found.of(kind), place(cursor)
    end = start + limit
    return {
        "added": len(found.added),
        "removed": len(found.removed),
        "relabelled": len(found.relabelled),
        "items": [told(each) for each in changes[start:end]],
        "next": encode([end]) if end < len(changes) else None,
    }


def between(dataset: Dataset, snapshot: Snapshot, other: int | None) -> Difference:
    """From one to another, or to now."""
    after = rows_now(dataset) if other is None else rows_of(snapshot_of(dataset, other))
    return difference(rows_of(snapshot), after)


def told(change: Change) -> dict[str, Any]:
    """As clients see it."""
    return {
        "image": change.image,
        "file": change.name,
        "sha256": change.sha256,
        "before": change.before or None,
        "after": change.after or None,
    }


def place(cursor: str) -> int:
    """Where a page begins."""
    values = decode(cursor) if cursor else [0]
    if len(values) != 1 or not isinstance(values[0], int) or not 0 <= values[0] < 2**31:
        raise BadCursor(gettext_noop("This cursor is not one that the list handed out."))
    return values[0]


@router.get(
    "/datasets/{int:pk}/snapshots/{int:snapshot_pk}/restore",
    response={200: PlanOut, 202: Comparing, **PROBLEMS},
)
def preview_restore(request: HttpRequest, pk: int, snapshot_pk: int) -> Any:
    """What a restore would change. Changes nothing.

    Over 100,000 pictures: 202 and the job that compares them, until it has ended; what it found is kept for ten
    minutes.
    """
    who = request.auth  # type: ignore[attr-defined]
    found = outlook(snapshot=snapshot_of(dataset_for(who, pk), snapshot_pk), user=caller(who).user)
    return Status(202, {"job": found.pk}) if isinstance(found, Job) else asdict(found)


@router.post(
    "/datasets/{int:pk}/snapshots/{int:snapshot_pk}/restore", response={200: Acted, 202: Queued, **PROBLEMS}
)
def restore(request: HttpRequest, pk: int, snapshot_pk: int, data: RestoreIn) -> Any:
    """Set the tags back to the snapshot, as one action that can be undone. Over 5,000 pictures: in the background."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.ENGINEER, scope="label")
    action, job = restore_tags(
        snapshot=snapshot_of(dataset, snapshot_pk),
        user=caller(who).user,
        untag_others=data.others == "untag",
    )
    return Status(202, {"action": action.pk, "job": job.pk}) if job else acted(action)
