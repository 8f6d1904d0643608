"""A model's versions side by side: each with its metric and the change against the version before."""

from dataclasses import dataclass
from typing import Any

from training.models import ModelVersion, RegisteredModel


@dataclass(frozen=True)
class VersionRow:
    """A version as a row. `change`: accuracy against the usable version before it, in points; `sure`: their
    intervals do not overlap."""

    version: ModelVersion
    accuracy: dict[str, Any] | None
    change: float | None
    sure: bool

    @property
    def way(self) -> str:
        """Up, down, or nothing where it is within the intervals."""
        if self.change is None or not self.sure:
            return ""
        return "up" if self.change > 0 else "down"


def rows_of_model(model: RegisteredModel) -> list[VersionRow]:
    """Newest first."""
    rows: list[VersionRow] = []
    before: dict[str, Any] | None = None
    for version in model.versions.select_related("created_by").order_by("number"):
        accuracy = version.metrics.get("accuracy") if version.usable else None
        change = None if accuracy is None or before is None else 100 * (accuracy["value"] - before["value"])
        rows.append(
            VersionRow(version, accuracy, change, bool(accuracy and before and apart(accuracy, before)))
        )
        before = accuracy or before
    return rows[::-1]


def apart(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Two intervals that do not overlap."""
    return bool(one["low"] > other["high"] or other["low"] > one["high"])
