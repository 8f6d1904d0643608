"""Imports that wait for a choice of labels, in the JSON API."""

from datetime import datetime
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Field, Router, Schema, Status

from datasets.api.imports import ImportOut, import_in, shape
from datasets.choosing import NOT_WAITING, NotChoosing, choices_from, choose, read_again
from datasets.models import Import, ImportState
from datasets.planning import Plan
from projects.access import caller
from projects.models import Role
from web.api import PROBLEMS

router = Router()


class NameOut(Schema):
    """The files of one folder (or label of a list), and what is proposed for them."""

    name: str = Field(description="Empty: files without a folder.")
    files: int
    proposed: str = Field(description="The label they would get; empty: none.")
    why: str = Field(
        description="Where that is another name: lookalike, fer (FER-2013's numbers) or bad (no label)."
    )
    here: dict[str, int] = Field(description="In the data set already, by their label there.")
    twice: dict[str, int] = Field(description="In this upload before, by the name they came under.")
    refused: dict[str, int] = Field(description="Cannot be taken, by code.")


class PlanOut(Schema):
    """What an import would do."""

    total: int
    names: list[NameOut]
    more_names: int = Field(description="Beyond those listed; they keep their own names.")
    encoding: str = Field(description="In which names without a mark were read; empty: all had one.")
    sure: bool
    readings: dict[str, list[str]] = Field(description="Some of those names in each encoding that fits.")
    conflicts: int = Field(description="Pictures that would have two labels.")
    choose_until: datetime | None


class ChoiceIn(Schema):
    """What to make of it. A name that is not mentioned keeps its own."""

    labels: dict[str, str | None] = Field({}, description="Name in the upload: label; null: no label.")
    left_out: list[str] = Field([], description="Names whose files are not taken.")
    conflicts: Literal["later", "keep", "take"] = Field(
        "later",
        description="Pictures that are here under another label: later (a person decides), keep, take.",
    )
    encoding: str = Field("", description="Alone: read the names otherwise, and ask again.")


def waiting(request: HttpRequest, pk: int, import_pk: int, **door: Any) -> Import:
    """An import that waits. Raises NotChoosing."""
    found = import_in(request, pk, import_pk, **door)
    if found.state != ImportState.CHOOSING:
        raise NotChoosing(NOT_WAITING)
    return found


@router.get("/datasets/{int:pk}/imports/{int:import_pk}/plan", response={200: PlanOut, **PROBLEMS})
def show_plan(request: HttpRequest, pk: int, import_pk: int) -> dict[str, Any]:
    """What an import that waits in the state `choosing` would do, name by name."""
    found = waiting(request, pk, import_pk)
    plan = Plan.from_json(found.plan)
    kept = plan.to_json() | {"conflicts": plan.conflicts, "choose_until": found.choose_until}
    kept["names"] = [row | {"proposed": row["to"]} for row in kept.pop("rows")]
    return kept


@router.post("/datasets/{int:pk}/imports/{int:import_pk}/choices", response={202: ImportOut, **PROBLEMS})
def make_choice(request: HttpRequest, pk: int, import_pk: int, said: ChoiceIn) -> Status[dict[str, Any]]:
    """Say what the labels are to be; the import goes on."""
    found = waiting(request, pk, import_pk, at_least=Role.LABELLER, scope="upload")
    user = caller(request.auth).user  # type: ignore[attr-defined]
    if said.encoding:
        read_again(found=found, user=user, encoding=said.encoding)
    else:
        labels = {key: name or "" for key, name in said.labels.items()}
        choose(found=found, user=user, choices=choices_from(found, labels, said.left_out, said.conflicts))
    return Status(202, shape(found))
