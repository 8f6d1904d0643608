"""Bulk tagging and its undo in the JSON API."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, model_validator

from datasets import bulk_tagging, bulk_undoing
from datasets.access import action_to_undo, dataset_for
from datasets.api.filtering import FilterIn
from datasets.labels import find_or_create, label_named
from datasets.models import ActionKind, Dataset, Image, Label, TagAction
from datasets.selection import Selection
from datasets.skipping import skip_images, unskip_images
from datasets.suggestions import accept
from datasets.tagging import tag_images
from jobs.models import Job
from projects.access import caller, check
from projects.models import Role
from web.api import PROBLEMS

router = Router()


class Chosen(Schema):
    """Pictures by their ids, or by a filter; one of the two."""

    images: list[int] | None = None
    filter: FilterIn | None = None

    @model_validator(mode="after")
    def one_of_two(self) -> "Chosen":
        """Neither would mean nothing, both would be unclear."""
        if (self.images is None) == (self.filter is None):
            raise ValueError("give either images or filter")
        return self


class TagIn(Chosen):
    """Which pictures get which label; null takes it away."""

    label: str | None
    create: bool = False


class AcceptIn(Chosen):
    """Whose suggestions are accepted, and how sure they must be."""

    at_least: float = Field(0.0, ge=0, le=1)


class SkipIn(Chosen):
    """Which pictures somebody is not sure of; false takes the mark away."""

    skipped: bool = True


class Acted(Schema):
    """A bulk change: undo it by its number."""

    action: int
    changed: int


class Queued(Schema):
    """A bulk change that goes on in the background."""

    action: int
    job: int


class UndoneOut(Schema):
    """What an undo did.

    `lost`, where there are some: {label: pictures}, those of the skipped that had a label which was purged since.
    """

    changed: int
    skipped: int
    lost: dict[str, int] | None = None


def acted(action: TagAction) -> dict[str, Any]:
    """As clients see it."""
    return {"action": action.pk, "changed": action.changed}


def queued(made: tuple[TagAction, Job]) -> Status[dict[str, Any]]:
    """Over 100,000 pictures go on in the background."""
    action, job = made
    return Status(202, {"action": action.pk, "job": job.pk})


def chosen_by(dataset: Dataset, data: Chosen) -> "QuerySet[Image]":
    """The pictures that a request names."""
    if data.filter is None:
        return Selection.of(dataset, images=data.images)
    return Selection.of(dataset, filter=data.filter.to_filter())


def label_for(request: HttpRequest, dataset: Dataset, data: TagIn) -> Label | None:
    """The label that a request names, made where it asks for that and the caller may."""
    who = request.auth  # type: ignore[attr-defined]
    if data.label is None:
        return None
    if not data.create:
        return label_named(dataset, data.label)
    check(who, dataset.project, at_least=Role.ENGINEER, scope="label")
    return find_or_create(dataset=dataset, name=data.label, user=caller(who).user)


@router.post("/datasets/{int:pk}/tag", response={200: Acted, 202: Queued, **PROBLEMS})
def tag(request: HttpRequest, pk: int, data: TagIn) -> Any:
    """Give pictures a label, or none. Over 100,000 pictures go on in the background."""
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.LABELLER, scope="label")
    chosen = chosen_by(dataset, data)
    label = label_for(request, dataset, data)
    user = caller(who).user
    if bulk_tagging.is_large(chosen):
        return queued(bulk_tagging.tag_in_background(dataset=dataset, user=user, chosen=chosen, label=label))
    return acted(tag_images(dataset=dataset, user=user, chosen=chosen, label=label))


@router.post("/datasets/{int:pk}/skip", response={200: Acted, 202: Queued, **PROBLEMS})
def skip(request: HttpRequest, pk: int, data: SkipIn) -> Any:
    """Mark pictures without a label as not sure, for everybody, or take the mark away. A label clears it too.

    Over 100,000 pictures go on in the background.
    """
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.LABELLER, scope="label")
    chosen, user = chosen_by(dataset, data), caller(who).user
    if bulk_tagging.is_large(chosen):
        kind = ActionKind.SKIP if data.skipped else ActionKind.UNSKIP
        return queued(bulk_tagging.act_in_background(dataset=dataset, user=user, kind=kind, chosen=chosen))
    act = skip_images if data.skipped else unskip_images
    return acted(act(dataset=dataset, user=user, chosen=chosen))


@router.post("/datasets/{int:pk}/accept-suggestions", response={200: Acted, 202: Queued, **PROBLEMS})
def accept_suggestions(request: HttpRequest, pk: int, data: AcceptIn) -> Any:
    """Give each of the pictures the label that is suggested for it; one action, undone as a whole.

    Over 100,000 pictures go on in the background.
    """
    who = request.auth  # type: ignore[attr-defined]
    dataset = dataset_for(who, pk, at_least=Role.LABELLER, scope="label")
    chosen, user, sure = chosen_by(dataset, data), caller(who).user, data.at_least
    if bulk_tagging.is_large(chosen):
        return queued(
            bulk_tagging.accept_in_background(dataset=dataset, user=user, chosen=chosen, at_least=sure)
        )
    return acted(accept(dataset=dataset, user=user, chosen=chosen, at_least=sure))


@router.post(
    "/datasets/{int:pk}/tag-actions/{int:action_pk}/undo",
    response={200: UndoneOut, 202: Queued, **PROBLEMS},
    exclude_none=True,
)
def undo_action(request: HttpRequest, pk: int, action_pk: int) -> Any:
    """Give the pictures back what they were, but for those that somebody changed since.

    An action of over 100,000 pictures is taken back in the background.
    """
    who = request.auth  # type: ignore[attr-defined]
    action = action_to_undo(who, pk, action_pk)
    done = bulk_undoing.undo(action=action, user=caller(who).user)
    if isinstance(done, Job):
        return queued((action, done))
    return {"changed": done.changed, "skipped": done.skipped, "lost": done.lost or None}
