"""Looks at every component and says in a sentence what is wrong and how to mend it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext as _


class Level(StrEnum):
    """How bad it is: FAIL stops the product, WARN costs something, OK is as it should be."""

    OK = "OK"
    WARN = "WARN"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Finding:
    """What one look found."""

    level: Level
    component: str
    says: str
    mend: str = ""


Look = Callable[[], Iterator[Finding]]


def ok(component: str, says: str) -> Finding:
    """As it should be."""
    return Finding(Level.OK, component, says)


def warn(component: str, says: str, mend: str) -> Finding:
    """Works, at a price."""
    return Finding(Level.WARN, component, says, mend)


def fail(component: str, says: str, mend: str) -> Finding:
    """Does not work."""
    return Finding(Level.FAIL, component, says, mend)


def examine() -> Iterator[Finding]:
    """Every finding, in the order in which a person would mend them."""
    from config import doctor_machine, doctor_queue, doctor_store, doctor_weights

    looks: tuple[Look, ...] = (
        *doctor_machine.LOOKS,
        *doctor_weights.LOOKS,
        *doctor_store.LOOKS,
        *doctor_queue.LOOKS,
    )
    for look in looks:
        yield from look()


def verdict(findings: list[Finding]) -> str:
    """The closing sentence."""
    bad = sum(finding.level == Level.FAIL for finding in findings)
    weak = sum(finding.level == Level.WARN for finding in findings)
    if bad:
        return _("%(bad)d must be mended, %(weak)d could be better.") % {"bad": bad, "weak": weak}
    return _("Everything needed works; %(weak)d could be better.") % {"weak": weak}
