"""Deals pictures to training, validation and held-back: by content, so the same data gives the same split."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

from training.grouping import Picture, groups_of

TRAIN, VALIDATION, HELD_BACK = "train", "validation", "held_back"
PARTS = (TRAIN, VALIDATION, HELD_BACK)
VALIDATION_SHARE, HELD_BACK_SHARE = 0.1, 0.2


class Sizes(NamedTuple):
    """How many pictures of a label go where."""

    train: int
    validation: int
    held_back: int


class Place(NamedTuple):
    """Where one picture went, and with which group."""

    part: str
    group: int


def sizes_of(pictures: int) -> Sizes:
    """About 70/10/20; from five pictures on at least three to learn from, one to choose by, one held back."""
    if pictures < 3:
        return Sizes(pictures - pictures // 2, 0, pictures // 2)
    held_back = max(1, round(pictures * HELD_BACK_SHARE))
    validation = max(1, round(pictures * VALIDATION_SHARE))
    return Sizes(pictures - held_back - validation, validation, held_back)


def split_label(label: str, pictures: Sequence[Picture]) -> list[Place]:
    """The place of each picture of one label, in their order; groups stay whole.

    They are dealt in the order of a hash of their content, so that a picture added later hardly moves others.
    """
    order = sorted(range(len(pictures)), key=lambda index: pictures[index].sha256)
    numbers = groups_of([pictures[index] for index in order])
    members: dict[int, list[int]] = defaultdict(list)
    for index, number in zip(order, numbers, strict=True):
        members[number].append(index)
    wanted = sizes_of(len(pictures))
    taken = {HELD_BACK: 0, VALIDATION: 0}
    parts: dict[int, str] = {}
    for number in sorted(members, key=lambda each: _turn(label, pictures[members[each][0]].sha256)):
        parts[number] = _part_with_room(len(members[number]), taken, wanted)
        if parts[number] != TRAIN:
            taken[parts[number]] += len(members[number])
    _fill_empty_parts(parts, members, wanted)
    places: list[Place] = [Place(TRAIN, 0)] * len(pictures)
    for number, indices in members.items():
        for index in indices:
            places[index] = Place(parts[number], number)
    return places


def _fill_empty_parts(parts: dict[int, str], members: dict[int, list[int]], wanted: Sizes) -> None:
    """Where every burst was too large for a part, it gets the smallest: a label must be measured somewhere."""
    for part, size in ((HELD_BACK, wanted.held_back), (VALIDATION, wanted.validation)):
        learning = [number for number in parts if parts[number] == TRAIN]
        if size and part not in parts.values() and len(learning) > 1:
            parts[min(learning, key=lambda number: len(members[number]))] = part


def _turn(label: str, sha256: str) -> str:
    return hashlib.sha256(f"{label}\n{sha256}".encode()).hexdigest()


def _part_with_room(size: int, taken: dict[str, int], wanted: Sizes) -> str:
    if taken[HELD_BACK] + size <= wanted.held_back:
        return HELD_BACK
    if taken[VALIDATION] + size <= wanted.validation:
        return VALIDATION
    return TRAIN
