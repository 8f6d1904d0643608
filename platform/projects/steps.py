"""The path a newcomer walks; each room registers its steps here at start-up and the project home shows them."""

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise

from projects.models import Project


@dataclass(frozen=True)
class StepState:
    """Where a project stands with one step: done or not, a short word on it, and where to go."""

    done: bool
    summary: str
    url: str


@dataclass(frozen=True)
class Step:
    """One of Data → Tag → Train → Report → Validate → Publish."""

    order: int
    key: str
    name: "str | Promise"
    state: Callable[[Project], StepState]


_steps: dict[str, Step] = {}


def register(step: Step) -> None:
    """Called by each room when it starts."""
    _steps[step.key] = step


def all_steps() -> list[Step]:
    """The path in its order."""
    return sorted(_steps.values(), key=lambda step: step.order)
