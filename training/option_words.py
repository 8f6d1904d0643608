"""A version's settings as people read them: the same words as on the training form."""

from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from training.wishes import balancing_of

NAMES = {
    "patience": _("Give up after so many rounds without getting better"),
    "max_epochs": _("Rounds at most"),
    "class_weights": _("Labels of unequal size"),
    "fine_tuning": _("After the first model"),
    "split": _("What is held back for the report"),
    "warm_start": _("Go on from"),
    "max_latency_ms": _("At most so many milliseconds a picture"),
}
VALUES = {
    ("class_weights", "auto"): _("Make up for it where they differ much"),
    ("class_weights", "weighted"): _("Count pictures of small labels for more"),
    ("class_weights", "balanced"): _("Show as many pictures of each label"),
    ("class_weights", "off"): _("Leave it as it is"),
    ("fine_tuning", "auto"): _("Fine-tune, where it may help"),
    ("fine_tuning", "off"): _("Stop there"),
    ("split", "wishes"): _("As the import wished"),
    ("split", "own"): _("A split of our own"),
}
METHODS = {
    "head": _("first model"),
    "fine-tuned": _("fine-tuned"),
    "scratch": _("from scratch"),
    "own": _("own file"),
}


def options_in_words(options: dict[str, Any]) -> dict[str, str]:
    """Name → value; what an older version may carry besides stands as it is."""
    return {str(NAMES.get(name, name)): value_in_words(name, value) for name, value in options.items()}


def value_in_words(name: str, value: Any) -> str:
    """One setting's value."""
    if name == "warm_start":
        return gettext("version %(number)s") % {"number": value}
    wanted = balancing_of({name: value}) if name == "class_weights" else value
    said = VALUES.get((name, wanted)) if isinstance(wanted, str) else None
    return str(said) if said else f"{value:g}" if isinstance(value, float) else str(value)


def method_in_words(method: str | None) -> str:
    """How it was fitted."""
    return str(METHODS.get(method or "", method or "–"))
