"""Pictures in the JSON API."""

from datetime import datetime
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Query, Router, Schema
from pydantic import ConfigDict, Field

from datasets.access import dataset_for
from datasets.api.tagging import Acted, Chosen, acted, chosen_by
from datasets.models import Image
from datasets.selection import Filter, Order, State, images_matching
from datasets.tagging import trash_images
from projects.access import caller
from projects.models import Role
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

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
        "import": image.source_id,
        "created_at": image.created_at,
    }


@router.get("/datasets/{int:pk}/images", response={200: Page[ImageOut], **PROBLEMS}, by_alias=True)
def list_images(  # noqa: PLR0917  each is a parameter of the route
    request: HttpRequest,
    pk: int,
    limit: Limit,
    cursor: Cursor,
    label: Annotated[str, Query(description="A label's name; of suggestions, the suggested one.")] = "",
    state: Annotated[State, Query(description="`trashed` shows the trash.")] = "",
    source: Annotated[int | None, Query(alias="import", description="An import's number.")] = None,
    order: Annotated[
        Order, Query(description="`-` turns the order round; `confidence` is for suggestions.")
    ] = "id",
) -> dict[str, Any]:
    """The pictures of a data set, filtered."""
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    wanted = Filter(label=label, state=state, source=source, order=order)
    found = images_matching(dataset, wanted).select_related("label", "suggestion__label")
    return page(found, shape, limit=limit, cursor=cursor, order=wanted.field)


@router.delete("/datasets/{int:pk}/images", response={200: Acted, **PROBLEMS})
def remove_images(request: HttpRequest, pk: int, data: Chosen) -> dict[str, Any]:
    """To the trash; undoing the action brings them back."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.ENGINEER, scope="label")
    return acted(trash_images(dataset=dataset, user=caller(who).user, chosen=chosen_by(dataset, data)))
