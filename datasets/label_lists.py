"""A data set's labels as a paper beside its pictures: exports write it, imports read it.

So labels without pictures come back, and all of them with their order, colours, keys, descriptions and archive, and the
one for pictures that are none of these as such.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Max
from django.utils import timezone

from datasets.archive_names import parts_of
from datasets.archives import Offered
from datasets.choices import Choices
from datasets.label_changes import LONGEST_DESCRIPTION
from datasets.label_looks import BadColour, BadKey, clean_colour, clean_key
from datasets.labels import BadLabel, clean_name
from datasets.live import note_labels
from datasets.models import Dataset, Label
from datasets.models.sets import LabelRole
from datasets.reasons import NotAccepted

PAPER, MARK = "taxon-labels.json", "labels"


@dataclass(frozen=True)
class Kept:
    """What is kept of one label."""

    name: str
    colour: str = ""
    key: str = ""
    description: str = ""
    archived: bool = False
    role: str = ""


def paper_of(dataset: Dataset, names: Collection[str] | None = None) -> bytes:
    """The labels of these names (None: all) in their order, as they are now."""
    found = dataset.labels.all()
    kept = [
        Kept(
            label.name,
            label.colour,
            label.chosen_key,
            label.description,
            label.archived_at is not None,
            label.role,
        )
        for label in found
        if names is None or label.name in names
    ]
    told = {"taxon": MARK, "version": 1, "labels": [asdict(each) for each in kept]}
    return (json.dumps(told, ensure_ascii=False, indent=1) + "\n").encode()


def taken_out(files: Sequence[Offered]) -> tuple[list[Offered], list[Kept]]:
    """The files without such papers, and what these say."""
    rest: list[Offered] = []
    kept: list[Kept] = []
    for each in files:
        said = read(each) if parts_of(each.name)[-1:] == [PAPER] else None
        if said is None:
            rest.append(each)
        else:
            kept += said
    return rest, kept


def read(offered: Offered) -> list[Kept] | None:
    """What a paper says; None where it is something else. Labels that cannot be are left out."""
    try:
        told = json.loads(offered.load())
    except (NotAccepted, ValueError, RecursionError):
        return None
    if not isinstance(told, dict) or told.get("taxon") != MARK or not isinstance(told.get("labels"), list):
        return None
    return [kept for each in told["labels"] if (kept := cleaned(each))]


def cleaned(said: Any) -> Kept | None:
    """A label as a stranger's file says it; what is no colour or key counts as not said."""
    if not isinstance(said, dict):
        return None
    text = {word: value for word, value in said.items() if isinstance(value, str)}
    try:
        name = clean_name(text.get("name", ""))
    except BadLabel:
        return None
    try:
        colour = clean_colour(text.get("colour", ""))
    except BadColour:
        colour = ""
    try:
        key = clean_key(text.get("key", ""))
    except BadKey:
        key = ""
    description = text.get("description", "").replace("\0", "").strip()[:LONGEST_DESCRIPTION]
    role = text.get("role", "")
    role = role if role in LabelRole.values else ""
    return Kept(name, colour, key, description, said.get("archived") is True, role)


def make_missing(*, dataset: Dataset, user: User | None, kept: Sequence[Kept], choices: Choices) -> int:
    """Make those that the data set lacks, behind its own, which stay as they are. How many had no room.

    In a transaction.
    """
    here = {label.name: label for label in dataset.labels.all()}
    keys = {label.chosen_key for label in here.values()}
    roles = {label.role for label in here.values()}  # one label each
    last = dataset.labels.aggregate(last=Max("position"))["last"]
    place = -1 if last is None else last
    made: dict[str, Label] = {}
    for each in kept:
        name = "" if choices.refusal_for(each.name) else choices.label_for(each.name)
        if not name or name in here or name in made:
            continue
        place += 1
        archived_at = timezone.now() if each.archived else None
        key = "" if each.key in keys else each.key
        role = "" if each.role in roles else each.role
        keys.add(key)
        roles.add(role)
        made[name] = Label(
            dataset=dataset, name=name, position=place, colour=each.colour, chosen_key=key,
            description=each.description, archived_at=archived_at, role=role,
        )  # fmt: skip
    room = max(0, settings.MAX_LABELS - len(here))
    if made:
        Label.objects.bulk_create(list(made.values())[:room], ignore_conflicts=True)
        note_labels(dataset, user)
    return max(0, len(made) - room)
