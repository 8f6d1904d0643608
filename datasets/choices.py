"""What a person decided about an import before it is taken in; without a decision everything keeps its name."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from datasets.archive_names import shown
from datasets.labels import BadLabel, clean_name
from datasets.models import Import
from datasets.reasons import NotAccepted


class IfHere(models.TextChoices):
    """What becomes of a picture that is here already, under another label than it comes with."""

    LATER = "later", _("Decide picture by picture afterwards")
    KEEP = "keep", _("Keep the label it has here")
    TAKE = "take", _("Take the new label")


def key_of(folder: str) -> str:
    """Under which name a choice speaks of the files of a folder; empty for files without one."""
    if not folder:
        return ""
    try:
        return clean_name(folder)
    except BadLabel:
        return shown(folder, 200)


@dataclass(frozen=True)
class Choices:
    """`labels`: the label for the files of a name, empty for none. What is not named keeps its own."""

    labels: Mapping[str, str] = field(default_factory=dict)
    left_out: frozenset[str] = frozenset()
    conflicts: str = IfHere.LATER

    @classmethod
    def of(cls, found: Import) -> "Choices":
        """As they are kept in the import's row."""
        kept = found.choices or {}
        return cls(
            kept.get("labels", {}), frozenset(kept.get("left_out", [])), kept.get("conflicts", IfHere.LATER)
        )

    def to_json(self) -> dict[str, Any]:
        """For the row; what stays as it is goes without saying."""
        said = {key: name for key, name in self.labels.items() if key != name and key not in self.left_out}
        return {"labels": said, "left_out": sorted(self.left_out), "conflicts": str(self.conflicts)}

    def label_for(self, folder: str) -> str:
        """The name of the label for a folder's files; empty: none."""
        return self.labels.get(key_of(folder), folder)

    def refusal_for(self, folder: str) -> NotAccepted | None:
        """Why a folder's files are not taken, where somebody wanted them left out."""
        if self.left_out and (key := key_of(folder)) in self.left_out:
            return NotAccepted("left-out", folder=shown(key, 80))
        return None
