"""A model's versions side by side: each with its metric and the change against the one before it."""

from dataclasses import dataclass
from typing import Any

from training.comparing import Paired, paired
from training.models import Metric, ModelVersion, RegisteredModel


@dataclass(frozen=True)
class VersionRow:
    """A version as a row. `before`: the usable version of the same application before it; `paired`: the change
    against that one on the same pictures, None where they were judged on other pictures."""

    version: ModelVersion
    before: ModelVersion | None
    paired: Paired | None
    together: tuple[int, ...] = ()  # the numbers of the versions that the same training makes

    @property
    def accuracy(self) -> dict[str, Any] | None:
        """With its interval; None where there is no model."""
        return self.version.metrics.get("accuracy") if self.version.usable else None

    @property
    def chosen_metric(self) -> float | None:
        """What the training was to be best at, where that is not the accuracy, which stands there anyhow."""
        name = self.version.optimise_for
        return None if name == Metric.TOP1 or not self.version.usable else self.version.metrics.get(name)

    @property
    def change(self) -> float | None:
        """In points."""
        return 100 * self.paired.change if self.paired else None

    @property
    def points(self) -> dict[str, str]:
        """The change and its interval as they are shown."""
        return self.paired.points if self.paired else {}

    @property
    def way(self) -> str:
        """Up, down, or nothing where chance may have done it."""
        if self.paired is None or not self.paired.sure:
            return ""
        return "up" if self.paired.change > 0 else "down"


def rows_of_model(model: RegisteredModel, *, archived: bool = False) -> list[VersionRow]:
    """Newest first; those that were put away, or the others."""
    rows: list[VersionRow] = []
    before: dict[str, ModelVersion] = {}
    versions = list(model.versions.select_related("created_by").defer("report", "history").order_by("number"))
    trainings: dict[int, list[int]] = {}
    for version in versions:
        trainings.setdefault(version.trained_with_id or version.pk, []).append(version.number)
    for version in versions:
        others = [each for each in trainings[version.trained_with_id or version.pk] if each != version.number]
        last = before.get(version.application) if version.usable else None
        if bool(version.archived_at) == archived:
            rows.append(VersionRow(version, last, paired(last, version) if last else None, tuple(others)))
        if version.usable:
            before[version.application] = version
    return rows[::-1]
