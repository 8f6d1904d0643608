"""Pictures in the JSON API."""

from datetime import datetime
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from datasets.access import dataset_for
from datasets.api.filtering import FilterIn
from datasets.api.tagging import Acted, Chosen, Queued, acted, chosen_by, queued
from datasets.bulk_tagging import act_in_background, is_large
from datasets.grid import page_of
from datasets.models import ActionKind, Image
from datasets.tagging import trash_images
from projects.access import caller
from projects.models import Role
from web.api import PROBLEMS, Cursor, Limit, Page

router = Router()


class SuggestionOut(Schema):
    """Which label a picture probably has, and how probably (0..1)."""

    label: str
    confidence: float


class ImageOut(Schema):
    """A picture. Sides are those of the upright picture as it is stored."""

    model_config = ConfigDict(populate_by_name=True)

    id: int
    file: str
    label: str | None
    width: int
    height: int
    bytes: int
    format: str
    sha256: str
    suggestion: SuggestionOut | None = Field(None, description="What is suggested while it has no label.")
    skipped: bool = Field(False, description="Somebody was not sure; it waits without a label.")
    import_id: int | None = Field(None, alias="import")
    created_at: datetime


def suggested(image: Image) -> dict[str, Any] | None:
    """What is suggested for a picture."""
    found = image.open_suggestion
    return {"label": found.label.name, "confidence": found.confidence} if found else None


def shape(image: Image) -> dict[str, Any]:
    """As clients see it."""
    return {
        "id": image.pk,
        "file": image.name,
        "label": image.label.name if image.label else None,
        "width": image.width,
        "height": image.height,
        "bytes": image.bytes,
        "format": image.format,
        "sha256": image.sha256,
        "suggestion": suggested(image),
        "skipped": image.skipped_at is not None and not image.label_id,
        "import": image.source_id,
        "created_at": image.created_at,
    }


@router.get("/datasets/{int:pk}/images", response={200: Page[ImageOut], **PROBLEMS}, by_alias=True)
def list_images(
    request: HttpRequest, pk: int, limit: Limit, cursor: Cursor, filters: Query[FilterIn]
) -> dict[str, Any]:
    """The pictures of a data set, filtered and in order.

    A page that looks for what no index knows (a part of a name, say) may hold fewer pictures than `limit`, or none,
    and yet have a `next`: only `next: null` is the end.
    """
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    found, following = page_of(dataset, filters.to_filter(), limit=limit, cursor=cursor, shown=with_names)
    return {"items": [shape(image) for image in found], "next": following}


def with_names(images: "QuerySet[Image]") -> "QuerySet[Image]":
    """With what `shape` reads of other tables."""
    return images.select_related("label", "suggestion__label")


@router.delete("/datasets/{int:pk}/images", response={200: Acted, 202: Queued, **PROBLEMS})
def remove_images(request: HttpRequest, pk: int, data: Chosen) -> Any:
    """To the trash; undoing the action brings them back. Over 100,000 pictures go on in the background."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.ENGINEER, scope="label")
    chosen, user = chosen_by(dataset, data), caller(who).user
    if is_large(chosen):
        kind = ActionKind.TRASH
        return queued(act_in_background(dataset=dataset, user=user, kind=kind, chosen=chosen))
    return acted(trash_images(dataset=dataset, user=user, chosen=chosen))
