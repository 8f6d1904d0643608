"""Which function does which kind of job; each room registers its own at start-up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise
from django.utils.translation import gettext_noop

from web.sentences import Refusal

if TYPE_CHECKING:
    from jobs.attempts import Attempt
    from jobs.models import Job
    from projects.models import Role

SILENCE = 600.0
UNKNOWN = gettext_noop(
    "This version of Taxon does not know the work “%(kind)s”; another version asked for it."
)


class UnknownKind(Refusal):
    """A row of another version of the product."""

    code = "unknown-kind"


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    `run(attempt)` does the work; it must be idempotent and may be called again after a crash. `ended(job)`
    is called in the transaction that ends the job any way but well, so that what waits for it can be told:
    a job that was set aside (parked) may be tried again, so what that needs stays until it fails or is cancelled.
    `again(job)` is called in the transaction that puts a parked job back in line; it may refuse.
    `at_least`: the role that whoever asked must still have in the project when an attempt begins.
    `upkeep`: small work that follows each act by itself; people are not shown that it runs or went well.
    `silence`: seconds without progress, check or hold after which the handler counts as hung.
    """

    name: str
    queue: str
    title: "str | Promise"
    run: "Callable[[Attempt], None]"
    ended: "Callable[[Job], None] | None" = None
    again: "Callable[[Job], None] | None" = None
    at_least: "Role | None" = None
    silence: float = SILENCE
    upkeep: bool = False


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Called by each room when it starts."""
    _kinds[kind.name] = kind


def upkeep_kinds() -> list[str]:
    """The names of the kinds that people are not told of."""
    return [kind.name for kind in _kinds.values() if kind.upkeep]


def kind_of(name: str) -> Kind:
    """The kind by name. Raises UnknownKind where no room knows it (a row from before or after an upgrade)."""
    try:
        return _kinds[name]
    except KeyError:
        raise UnknownKind(UNKNOWN, kind=name) from None


def silence_of(name: str) -> float:
    """How long its handler may be silent."""
    return _kinds[name].silence if name in _kinds else SILENCE


def title_of(name: str) -> str:
    """What people call this kind of work."""
    return str(_kinds[name].title) if name in _kinds else name
