"""The colour and the key of each label: given by themselves, or as a person chose."""

from collections import Counter
from collections.abc import Iterable

from django.utils.translation import gettext_noop

from datasets.models import Dataset, Label
from web.sentences import Refusal

# As static/css/variables.css has them on light ground (--dot-0 …), where each has its twin for dark ground:
# twelve hues of like weight, then six deep ones. A row keeps the colour; pages say its place in this list.
PALETTE = (
    "#3b7ddd", "#d9822b", "#3a9d5d", "#c94f6d", "#7f63c8", "#8d7448",
    "#21959b", "#b3a125", "#c557ad", "#6c8a2f", "#5a6bb8", "#b4553b",
    "#6c1d58", "#154f27", "#2123af", "#764516", "#8e06c9", "#48516f",
)  # fmt: skip
RESERVED = "s"  # what static/js/bench-keys.js does with bare letters: not sure
KEYS = "".join(key for key in "1234567890abcdefghijklmnopqrstuvwxyz" if key not in RESERVED)


class BadColour(Refusal):
    """Not a colour of the palette."""

    code = "bad-colour"
    status = 422


class BadKey(Refusal):
    """Not a key that a label can have."""

    code = "bad-key"
    status = 422


def clean_colour(text: str) -> str:
    """A colour of the palette; others could not be told apart on dark and light ground. Raises BadColour."""
    colour = text.strip().lower()
    if colour not in PALETTE:
        raise BadColour(
            gettext_noop("A label's colour is one of these: %(colours)s."), colours=", ".join(PALETTE)
        )
    return colour


def clean_key(text: str) -> str:
    """A digit or letter that the bench does not use itself; empty: by the label's place. Raises BadKey."""
    key = text.strip().lower()
    if key and key in RESERVED:
        raise BadKey(gettext_noop("The key “%(key)s” does something else on the bench."), key=key)
    if len(key) > 1 or (key and key not in KEYS):
        raise BadKey(gettext_noop("A label's key is one digit or one letter from a to z."))
    return key


def place_of(label: Label) -> int:
    """Which of the palette's colours a label shows."""
    return PALETTE.index(label.colour) if label.colour in PALETTE else label.position % len(PALETTE)


def colour_of(label: Label) -> str:
    """The colour that a label shows."""
    return PALETTE[place_of(label)]


def next_colour(dataset: Dataset) -> str:
    """The colour that the fewest labels of the data set have."""
    used = Counter(place_of(label) for label in dataset.labels.only("colour", "position"))
    return PALETTE[min(range(len(PALETTE)), key=lambda place: (used[place], place))]


def keys_of(labels: Iterable[Label]) -> dict[int, str]:
    """The key of each label that has one: as chosen; the others in their order take what is left."""
    in_use = [label for label in labels if label.in_use]
    chosen = {label.pk: label.chosen_key for label in in_use if label.chosen_key}
    left = (key for key in KEYS if key not in chosen.values())
    return chosen | dict(zip((label.pk for label in in_use if not label.chosen_key), left, strict=False))


def hold_keys(*, going: Label) -> None:
    """The other labels keep the keys that people's hands know, now that this one goes: its own alone becomes free."""
    labels = list(Label.objects.filter(dataset=going.dataset_id))
    now, then = keys_of(labels), keys_of(label for label in labels if label.pk != going.pk)
    for label in labels:
        key = now.get(label.pk)
        if label.pk != going.pk and key and then.get(label.pk) != key:
            Label.objects.filter(pk=label.pk).update(chosen_key=key)


def with_keys(labels: list[Label]) -> list[Label]:
    """The labels in their order, with `key` (empty where there are more labels than keys) and `place`."""
    keys = keys_of(labels)
    for place, label in enumerate(labels):
        label.key, label.place = keys.get(label.pk, ""), place  # type: ignore[attr-defined]
    return labels
