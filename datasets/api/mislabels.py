"""Likely mislabels in the JSON API."""

from typing import Any

from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from ninja import Router, Schema, Status

from datasets.access import dataset_for
from datasets.mislabels import dismiss, queue_of
from datasets.models import Mislabel
from projects.access import caller
from projects.models import Role
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import page

router = Router()


class MislabelOut(Schema):
    """A picture that may have the wrong label; `score`: by how much the proposed one is more probable."""

    image: int
    file: str
    given: str
    proposed: str
    score: float


def shape(found: Mislabel) -> dict[str, Any]:
    """As clients see it."""
    return {
        "image": found.image_id,
        "file": found.image.name,
        "given": found.given.name,
        "proposed": found.proposed.name,
        "score": found.score,
    }


@router.get("/datasets/{int:pk}/mislabels", response={200: Page[MislabelOut], **PROBLEMS})
def list_mislabels(request: HttpRequest, pk: int, limit: Limit, cursor: Cursor) -> dict[str, Any]:
    """What waits for somebody to look, the most certain first. Tagging the picture settles it."""
    dataset = dataset_for(request.auth, pk)  # type: ignore[attr-defined]
    return page(queue_of(dataset), shape, limit=limit, cursor=cursor, order="-score")


@router.post("/datasets/{int:pk}/mislabels/{int:image_pk}/dismiss", response={204: None, **PROBLEMS})
def dismiss_mislabel(request: HttpRequest, pk: int, image_pk: int) -> Status[None]:
    """The given label is right; the picture does not come back unless its label changes."""
    dataset = dataset_for(request.auth, pk, at_least=Role.LABELLER, scope="label")  # type: ignore[attr-defined]
    found = get_object_or_404(dataset.mislabels, image=image_pk)
    dismiss(mislabel=found, user=caller(request.auth).user)  # type: ignore[attr-defined]
    return Status(204, None)
