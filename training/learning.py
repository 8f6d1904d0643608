"""The engine's part of a run: a first model from the features, then, where it pays, one that is fine-tuned."""

import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from training import checkpoints, inputs
from training.clock import Clock
from training.engine.spec import FitTask
from training.engine_process import EngineCrashed, EngineRefused, Event, run_engine, threads
from training.extractors import downloads
from training.manifest import Manifest
from training.models import Extractor, VersionState
from training.tuning import OVERHEAD, Means, Tuning, shorter_sides, tuning_for
from training.writing import Writer
from web.sentences import Sentence

log = logging.getLogger(__name__)
ENGINE_OPTIONS = ("patience", "max_epochs", "class_weights")
FINE_TUNING, OFF = "fine_tuning", "off"
ENOUGH_CRASHES = 2  # of the fine-tuning: the first model is kept then
TRAINING = Sentence(gettext_noop("Learning from the pictures."))
EXPORTING = Sentence(gettext_noop("Writing the model file."))
IMPROVING = gettext_noop(
    "A first model is ready: %(percent)s %% on the pictures to choose by. Fine-tuning tries to do better."
)


class NoTimeForMore(Exception):
    """Reading the pixels for the fine-tuning took what was left, or a person has seen enough."""


@dataclass(frozen=True)
class Fitted:
    """One fit: the engine's result, the folder with its file, and what could not be read for it."""

    result: Event
    folder: Path
    left_out: list[str]

    @property
    def path(self) -> Path:
        """The model file."""
        return self.folder / str(self.result["file"])


class Learning:
    """The fits of one attempt. `folder` outlives a crash, for the checkpoints; `scratch` does not."""

    def __init__(
        self, writer: Writer, clock: Clock, folder: Path, scratch: Path, about: dict[str, Any]
    ) -> None:
        self.writer, self.clock, self.scratch, self.about = writer, clock, scratch, about
        self.version = writer.version
        self.checkpoints, self.stop_file = folder / "checkpoints", scratch / "stop"
        self.history: list[Event] = []  # of the fits that are over
        self.now: list[Event] = []  # of the one at work
        self.tried: list[dict[str, Any]] = []

    def best(self, data: Manifest, extractor: Extractor | None, made: inputs.Inputs) -> Fitted:
        """The first model, or a better one if there is time to find it."""
        self.writer.enter(VersionState.TRAINING, TRAINING)
        if self.writer.attempt.number > 1:
            checkpoints.fetch(self.version.pk, self.checkpoints)
        first = self.fit("first", data, made)
        tuning = self.worth_trying(first, data, extractor)
        if tuning is None:
            return first
        second = self.tuned(tuning, first, data)
        return second if second and beats(second.result, first.result, self.version.optimise_for) else first

    # ---- one fit
    def fit(self, name: str, data: Manifest, made: inputs.Inputs, **fields: Any) -> Fitted:
        """Run the engine within what is left of the time."""
        began = time.monotonic()
        task = FitTask(
            work_folder=str(self.scratch / name),
            optimise_for=self.version.optimise_for,  # type: ignore[arg-type]
            seed=data.seed(),
            seconds=self.clock.for_the_engine,
            stop_file=str(self.stop_file),
            checkpoint_folder=str(self.checkpoints),
            about=self.about,
            threads=threads(),
            die_with_parent=True,
            **{each: self.version.options[each] for each in ENGINE_OPTIONS if each in self.version.options},
            **made.task,
            **fields,
        )
        with checkpoints.Courier(self.version.pk, self.checkpoints, lambda: self.writer.attempt.must_end):
            result = run_engine(task, hear=self.heard, look=self.looked)
        self.history = self.curve(result["history"], str(result["method"]))
        self.now = []
        self.tried.append(summary(result, made.task["pixel_spec"]["size"], time.monotonic() - began))
        best = max(each["validation"][self.version.optimise_for] for each in self.tried)
        live = {"best": best, "epoch": self.history[-1]["epoch"]}
        self.writer.progress(self.clock.share, history=self.history, live=live)
        return Fitted(result, self.scratch / name, made.left_out)

    # ---- the second one
    def worth_trying(self, first: Fitted, data: Manifest, extractor: Extractor | None) -> Tuning | None:
        """The fine-tuning that may beat the first model, where it is wanted and can be done in time."""
        wanted = self.version.options.get(FINE_TUNING, "auto") != OFF
        if extractor is None or not wanted or first.result["ended_because"] != "converged":
            return None
        entries = inputs.learning_entries(data)
        means = Means(len(entries), self.clock.for_the_engine, threads(), self.scratch)
        metric = self.version.optimise_for
        return tuning_for(
            extractor.backbone, first.result["validation"], metric, shorter_sides(entries), means
        )

    def tuned(self, tuning: Tuning, first: Fitted, data: Manifest) -> Fitted | None:
        """The fine-tuned network; None where it came to nothing, for the first model is not to be lost."""
        percent = round(100 * first.result["validation"][self.version.optimise_for])
        self.writer.say(Sentence(IMPROVING, percent=percent))
        try:
            made = inputs.pixel_inputs(
                self.scratch, data, tuning.size, side=tuning.side, threads=threads(), done=self.prepared
            )
            return self.fit("tuned", data, made, **self.source(tuning))
        except (NoTimeForMore, EngineRefused) as reason:
            log.warning("version %s: no fine-tuning: %s", self.version.pk, reason)
        except EngineCrashed:
            if self.writer.attempt.number < ENOUGH_CRASHES:
                raise
            log.exception(
                "version %s: the fine-tuning crashed again; its first model is kept", self.version.pk
            )
        return None

    def source(self, tuning: Tuning) -> dict[str, Any]:
        """Where the engine finds what it fine-tunes."""
        folder = str(settings.WEIGHTS_DIR) if settings.WEIGHTS_DIR else None
        return {"backbone": tuning.backbone, "weights_folder": folder, "download_folder": str(downloads())}

    def prepared(self, done: int, total: int) -> None:
        """While pixels are read for the fine-tuning: a stop, or too little time, ends it."""
        self.writer.progress(self.clock.share)
        if self.writer.stop_asked() or self.clock.left < OVERHEAD:
            raise NoTimeForMore

    # ---- what the engine says
    def heard(self, event: Event) -> None:
        """A line from the engine."""
        if event["event"] == "epoch":
            self.now.append({name: value for name, value in event.items() if name != "event"})
            points = self.curve(self.now, "")
            self.writer.attempt.got_further(points[-1]["epoch"])
            live = {"best": max(point["metric"] for point in points), "epoch": points[-1]["epoch"]}
            if len(points) < 3 or time.monotonic() - self.writer._wrote >= 1:
                self.writer.progress(self.clock.share, history=points, live=live)
        elif event["event"] == "stage" and event["stage"] != "exporting":
            self.writer.progress(self.clock.share, stage=event["stage"])

    def curve(self, points: list[Event], method: str) -> list[Event]:
        """The points of all fits as one curve: rounds are counted on, and each names its method."""
        before = self.history[-1]["epoch"] if self.history else 0
        return self.history + [
            {**point, "epoch": point["epoch"] + before, "method": method} for point in points
        ]

    def looked(self) -> None:
        """Twice a second: still ours, still wanted, and whether to stop."""
        self.writer.progress(self.clock.share)
        self.writer.attempt.check()
        if self.writer.stop_asked():
            self.stop_file.touch()


def beats(new: Event, old: Event, metric: str) -> bool:
    """Whether the second fit is better on validation; where the metric is equal, by its calibrated loss."""
    ours, theirs = new["validation"], old["validation"]
    return (ours[metric], -ours["calibrated_loss"]) > (theirs[metric], -theirs["calibrated_loss"])


def summary(result: Event, size: int, seconds: float) -> dict[str, Any]:
    """A fit in a line, for the report."""
    return {
        "method": result["method"],
        "size": size,
        "validation": result["validation"],
        "epochs": result["epochs"],
        "ended_because": result["ended_because"],
        "seconds": round(seconds, 1),
    }
