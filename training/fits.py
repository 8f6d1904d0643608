"""One fit of a run: what came of it, whether it beats another, and how the report tells it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from training.engine.spec import FitTask
from training.engine_process import Event


class NoTimeForMore(Exception):
    """Reading the pixels for the fine-tuning took what was left, or a person has seen enough."""


@dataclass(frozen=True)
class Fitted:
    """One fit: the engine's result, the folder with its file, and what could not be read for it.

    `backbone`: the network that was fine-tuned; empty for a head and from scratch. `warm`: it went on from an earlier
    version.
    """

    result: Event
    folder: Path
    left_out: list[str]
    backbone: str = ""
    warm: bool = False
    seconds: float = 0.0

    @property
    def path(self) -> Path:
        """The model file."""
        return self.folder / str(self.result["file"])

    @property
    def weights(self) -> Path:
        """What a later fit may go on from."""
        return self.folder / str(self.result["weights"])


def beats(new: Event, old: Event, metric: str) -> bool:
    """Whether the second fit is better on validation; where the metric is equal, by its calibrated loss."""
    ours, theirs = new["validation"], old["validation"]
    return (ours[metric], -ours["calibrated_loss"]) > (theirs[metric], -theirs["calibrated_loss"])


def summary(task: FitTask, result: Event, seconds: float) -> dict[str, Any]:
    """A fit in a line, for the report."""
    return {
        "method": result["method"],
        "backbone": task.backbone,
        "size": task.pixel_spec["size"],
        "rate": task.rate,
        "slice": Path(task.work_folder).name.startswith("slice-"),
        "went_on": task.start_from is not None,
        "validation": result["validation"],
        "epochs": result["epochs"],
        "ended_because": result["ended_because"],
        "seconds": round(seconds, 1),
    }
