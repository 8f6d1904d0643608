"""Deals pictures to training, validation and held-back: by content, so the same data gives the same split."""

import hashlib
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from training.grouping import Picture, groups_of

TRAIN, VALIDATION, HELD_BACK = "train", "validation", "held_back"
PARTS = (TRAIN, VALIDATION, HELD_BACK)
VALIDATION_SHARE, HELD_BACK_SHARE = 0.1, 0.2
OWN, WISHES = "own", "wishes"  # whose split: ours, or as the import wished
TEST = "test"  # the wish that means: held back


class Wished(Picture, Protocol):
    """A picture that an import may have wished on one side: train, validation, test, or nothing."""

    @property
    def split(self) -> str: ...


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
    members = _members(pictures)
    wanted = sizes_of(len(pictures))
    taken = {HELD_BACK: 0, VALIDATION: 0}
    parts: dict[int, str] = {}
    for number in _dealt(label, members, pictures):
        parts[number] = _part_with_room(len(members[number]), taken, wanted)
        if parts[number] != TRAIN:
            taken[parts[number]] += len(members[number])
    _fill_empty_parts(parts, members, wanted)
    return _places(parts, members, len(pictures))


def split_as_wished(label: str, pictures: Sequence[Wished]) -> list[Place]:
    """The place of each picture of one label as the import wished; groups stay whole all the same.

    A group with a picture that was wished for testing is held back as a whole: nothing that looks like a held-back
    picture is learned from. One with any other wish than validation alone is learned from, and so is one without a
    wish. Where nothing is left to choose by, some of what is learned from is.
    """
    members = _members(pictures)
    parts = {
        number: _part_wished({pictures[index].split for index in indices})
        for number, indices in members.items()
    }
    if TRAIN not in parts.values():
        parts = {number: TRAIN if part == VALIDATION else part for number, part in parts.items()}
    if VALIDATION not in parts.values():
        _choose_by_some(label, parts, members, pictures)
    return _places(parts, members, len(pictures))


def split_learning(label: str, pictures: Sequence[Picture]) -> list[Place]:
    """The place of each picture of a label that is measured on others: learned from, or to choose by."""
    members = _members(pictures)
    parts = dict.fromkeys(members, TRAIN)
    _choose_by_some(label, parts, members, pictures)
    return _places(parts, members, len(pictures))


def _choose_by_some(
    label: str, parts: dict[int, str], members: dict[int, list[int]], pictures: Sequence[Picture]
) -> None:
    learning = [number for number in _dealt(label, members, pictures) if parts[number] == TRAIN]
    left = round(sum(len(members[number]) for number in learning) * VALIDATION_SHARE) or 1
    for number in learning[:-1]:
        if left > 0:
            parts[number] = VALIDATION
            left -= len(members[number])


def _part_wished(wishes: set[str]) -> str:
    if TEST in wishes:
        return HELD_BACK
    return VALIDATION if wishes == {VALIDATION} else TRAIN


def _members(pictures: Sequence[Picture]) -> dict[int, list[int]]:
    """The groups by their numbers; the same whatever the order of the pictures."""
    order = sorted(range(len(pictures)), key=lambda index: pictures[index].sha256)
    numbers = groups_of([pictures[index] for index in order])
    members: dict[int, list[int]] = defaultdict(list)
    for index, number in zip(order, numbers, strict=True):
        members[number].append(index)
    return members


def _dealt(label: str, members: dict[int, list[int]], pictures: Sequence[Picture]) -> list[int]:
    """The groups in the order in which they are dealt."""
    return sorted(members, key=lambda each: _turn(label, pictures[members[each][0]].sha256))


def _places(parts: dict[int, str], members: dict[int, list[int]], count: int) -> list[Place]:
    places: list[Place] = [Place(TRAIN, 0)] * count
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
