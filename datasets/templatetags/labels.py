"""How labels look on pages."""

from django import template

from datasets.models import Label

HUES = 12  # the dots of static/css/components/chip.css

register = template.Library()


@register.filter
def hue(label: Label | None) -> int | str:
    """Which of the twelve dots a label has; its place among the labels says so, so neighbours differ."""
    return label.position % HUES if label else ""


@register.filter
def sure(confidence: float) -> str:
    """A confidence in whole per cent, rounded down: nothing is wholly sure."""
    return f"{int(100 * confidence)}%"
