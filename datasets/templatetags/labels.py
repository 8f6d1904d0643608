"""How labels look on pages."""

from django import template

from datasets.label_looks import place_of
from datasets.models import Label

register = template.Library()


@register.filter
def hue(label: Label | None) -> int | str:
    """Which of the dots of static/css/components/chip.css a label has."""
    return place_of(label) if label else ""


@register.filter
def sure(confidence: float) -> str:
    """A confidence in whole per cent, rounded down: nothing is wholly sure."""
    return f"{int(100 * confidence)}%"


@register.filter
def points(score: float) -> int:
    """A difference of two probabilities in whole percentage points."""
    return int(100 * score)
