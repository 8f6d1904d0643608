"""Which function does which kind of job; each room registers its own at start-up."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.functional import Promise

if TYPE_CHECKING:
    from jobs.attempts import Attempt
    from jobs.models import Job


@dataclass(frozen=True)
class Kind:
    """A kind of job.

    `run(attempt)` does the work; it must be idempotent and may be called again after a crash. `ended(job)`
    is called in the transaction that ends the job any way but well, so that what waits for it can be told.
    """

    name: str
    queue: str
    title: "str | Promise"
    run: "Callable[[Attempt], None]"
    ended: "Callable[[Job], None] | None" = None


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Called by each room when it starts."""
    _kinds[kind.name] = kind


def kind_of(name: str) -> Kind:
    """The kind by name; KeyError where no room knows it (an old payload after an upgrade)."""
    return _kinds[name]


def title_of(name: str) -> str:
    """What people call this kind of work."""
    return str(_kinds[name].title) if name in _kinds else name
