"""How states, shares and durations look, the same on every page."""

from datetime import datetime, timedelta

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

register = template.Library()

KINDS = {
    "good": {"succeeded", "ready", "online", "approved"},
    "bad": {"failed", "parked", "rejected"},
    "run": {
        "running", "receiving", "reading", "storing", "preparing", "training", "exporting", "evaluating", "warming",
    },
    "warn": {"retrying", "choosing", "requested", "stopped"},
}  # fmt: skip


@register.filter
def chip_kind(state: str) -> str:
    """The colour word of a state: `good`, `bad`, `run`, `warn`, or `quiet` for what just waits or is over."""
    return next((kind for kind, states in KINDS.items() if state in states), "quiet")


@register.filter
def percent(value: float | None, digits: int = 1) -> str:
    """A share of one as percent; a dash where there is none."""
    return "–" if value is None else f"{value * 100:.{digits}f}\N{NO-BREAK SPACE}%"


@register.filter
def duration(value: timedelta | float | None) -> str:
    """Seconds or a time span in the two largest units that matter."""
    if value is None:
        return "–"
    seconds = round(value.total_seconds() if isinstance(value, timedelta) else value)
    minutes, seconds = divmod(max(seconds, 0), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("%(hours)s h %(minutes)s min") % {"hours": hours, "minutes": minutes}
    if minutes:
        return _("%(minutes)s min %(seconds)s s") % {"minutes": minutes, "seconds": seconds}
    return _("%(seconds)s s") % {"seconds": seconds}


@register.simple_tag
def took(start: datetime | None, end: datetime | None) -> str:
    """From start to end, or to now where it still runs; a dash where it has not begun."""
    return "–" if start is None else duration((end or timezone.now()) - start)
