"""Pictures under two labels, in the JSON API."""

from datetime import datetime
from typing import Annotated, Any

from django.http import Http404, HttpRequest
from ninja import Field, Query, Router, Schema

from datasets.access import dataset_for
from datasets.conflicts import open_conflicts, settle
from datasets.models import LabelConflict
from projects.access import caller
from projects.models import Role
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router()


class ConflictOut(Schema):
    """A picture of the data set that came again under another label."""

    id: int
    image: int
    file: str
    label: str = Field(description="The one it has here.")
    other: str = Field(description="The one it came again under.")
    came_as: str
    source_import: int | None
    found: datetime


class Settling(Schema):
    """Which of the two labels is right."""

    take: bool = Field(description="True: the other label; false: the one it has here.")


class Settled(Schema):
    """`action` can be undone like any tagging; null: nothing was changed."""

    action: int | None
    changed: int


def shape(found: LabelConflict) -> dict[str, Any]:
    """As clients see it."""
    return {
        "id": found.pk,
        "image": found.image_id,
        "file": found.image.name,
        "label": found.image.label.name if found.image.label else "",
        "other": found.label.name,
        "came_as": found.name,
        "source_import": found.source_id,
        "found": found.created_at,
    }


@router.get("/datasets/{int:pk}/conflicts", response={200: Page[ConflictOut], **PROBLEMS})
def list_conflicts(
    request: HttpRequest,
    pk: int,
    limit: Limit,
    cursor: Cursor,
    source: Annotated[int | None, Query(alias="import", ge=0, lt=2**63)] = None,
) -> dict[str, Any]:
    """The open ones; `import=` those that one import found."""
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    rows = open_conflicts(dataset).select_related("image__label", "label")
    if source is not None:
        rows = rows.filter(source=source)
    return page(rows, shape, limit=limit, cursor=cursor)


@router.post("/datasets/{int:pk}/conflicts/{int:conflict_pk}/settle", response={200: Settled, **PROBLEMS})
def settle_conflict(request: HttpRequest, pk: int, conflict_pk: int, said: Settling) -> dict[str, Any]:
    """Say which label is right."""
    dataset = dataset_for(request.auth, pk, at_least=Role.LABELLER, scope="label")  # type: ignore[attr-defined]
    found = LabelConflict.objects.filter(pk=conflict_pk, dataset=dataset).first()
    if found is None:
        raise Http404
    action = settle(conflict=found, user=caller(request.auth).user, take=said.take)  # type: ignore[attr-defined]
    return {"action": action.pk if action else None, "changed": action.changed if action else 0}
