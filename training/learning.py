"""The engine's part of a run: a first model from the features, then, where it pays, one that is fine-tuned."""

import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from training import checkpoints, inputs
from training.candidates import Candidate
from training.clock import Clock
from training.engine.spec import FitTask
from training.engine_process import EngineCrashed, EngineRefused, Event, run_engine, threads
from training.extractors import downloads
from training.fits import Fitted, NoTimeForMore, beats, summary
from training.leftover import spent
from training.manifest import Manifest
from training.models import Extractor, VersionState
from training.networks import weights_text
from training.second_head import second_head
from training.tuning import OVERHEAD, Means, Tuning, shorter_sides, tuning_for
from training.warm import FINE_TUNED, Start
from training.writing import Writer
from web.sentences import Refusal, Sentence

log = logging.getLogger(__name__)
ENGINE_OPTIONS = ("patience", "max_epochs", "class_weights")
FINE_TUNING, OFF = "fine_tuning", "off"
ENOUGH_CRASHES = 2  # of the fine-tuning: the first model is kept then
WARM_RATE = 0.3  # of a fine-tuning that goes on from one: what it has learned is not to be shaken off
TRAINING = Sentence(gettext_noop("Learning from the pictures."))
EXPORTING = Sentence(gettext_noop("Writing the model file."))
IMPROVING = gettext_noop(
    "A first model is ready: %(percent)s %% on the pictures to choose by. Fine-tuning tries to do better."
)


class Learning:
    """The fits of one attempt. `folder` outlives a crash, for the checkpoints; `scratch` does not.

    `start`: the version to go on from. `networks`: those that may be tried where time is left.
    """

    def __init__(
        self,
        writer: Writer,
        clock: Clock,
        folder: Path,
        scratch: Path,
        about: dict[str, Any],
        *,
        start: Start | None = None,
        networks: Sequence[str] = (),
    ) -> None:
        self.writer, self.clock, self.scratch, self.about = writer, clock, scratch, about
        self.version, self.start, self.networks = writer.version, start, networks
        self.checkpoints, self.stop_file = folder / "checkpoints", scratch / "stop"
        self.history: list[Event] = []  # of the fits that are over
        self.now: list[Event] = []  # of the one at work
        self.tried: list[dict[str, Any]] = []
        self.pixels: dict[int, inputs.Inputs] = {}  # by the size of the input

    def best(self, data: Manifest, extractor: Extractor | None, made: inputs.Inputs) -> Fitted:
        """The first model, or a better one if there is time to find it."""
        self.writer.enter(VersionState.TRAINING, TRAINING)
        if self.writer.attempt.number > 1:
            checkpoints.fetch(self.version.pk, self.checkpoints)
        method = "head" if extractor else "scratch"
        first = self.fit("first", made, start_from=self.start.of(method, "") if self.start else None)
        if extractor is None or not self.may_go_on(first):
            return first
        tuning = self.worth_trying(first, data, extractor)
        if tuning is None:
            return second_head(self, first, extractor, data)
        done = Candidate(tuning.backbone, tuning.size, WARM_RATE if self.start_of(tuning.backbone) else 1.0)
        second = self.tuned(done, first, data)
        if second is None:
            return first
        return spent(self, done, second, self.better(second, first), data)

    # ---- one fit
    def fit(self, name: str, made: inputs.Inputs, *, seconds: float | None = None, **fields: Any) -> Fitted:
        """Run the engine within what is left of the time, or less."""
        began = time.monotonic()
        options = {
            each: self.version.options[each] for each in ENGINE_OPTIONS if each in self.version.options
        }
        settled: dict[str, Any] = {
            "optimise_for": self.version.optimise_for,
            "seed": self.version.seed,
            "stop_file": str(self.stop_file),
            "checkpoint_folder": str(self.checkpoints),
            "about": self.about,
            "threads": threads(),
            "die_with_parent": True,
        }
        task = FitTask(
            work_folder=str(self.scratch / name),
            seconds=min(seconds or self.clock.for_the_engine, self.clock.for_the_engine),
            **(settled | options | made.task | fields),
        )
        with checkpoints.Courier(self.version.pk, self.checkpoints, lambda: self.writer.attempt.must_end):
            result = run_engine(task, hear=self.heard, look=self.looked)
        self.history = self.curve(result["history"], str(result["method"]))
        self.now = []
        took = time.monotonic() - began
        self.tried.append(summary(task, result, took))
        best = max(each["validation"][self.version.optimise_for] for each in self.tried)
        live = {"best": best, "epoch": self.history[-1]["epoch"]}
        self.writer.progress(self.clock.share, history=self.history, live=live)
        return Fitted(
            result,
            self.scratch / name,
            made.left_out,
            task.backbone or "",
            warm=self.is_warm(task.start_from),
            seconds=took,
        )

    def is_warm(self, start_from: str | None) -> bool:
        """Whether a fit began with the weights of the version to go on from."""
        return self.start is not None and start_from == str(self.start.path)

    def better(self, new: Fitted, old: Fitted) -> Fitted:
        """By validation."""
        return new if beats(new.result, old.result, self.version.optimise_for) else old

    # ---- the second one
    def may_go_on(self, first: Fitted) -> bool:
        """Whether more than a first model is wanted, and that one came to its end."""
        wanted = self.version.options.get(FINE_TUNING, "auto") != OFF
        return wanted and str(first.result["ended_because"]) == "converged"

    def worth_trying(self, first: Fitted, data: Manifest, extractor: Extractor) -> Tuning | None:
        """The fine-tuning that may beat the first model, where it can be done in time."""
        metric, validation = self.version.optimise_for, first.result["validation"]
        return tuning_for(
            extractor.backbone,
            validation,
            metric,
            self.sides(data),
            self.means(data),
            warm=self.is_tuned_start,
        )

    @property
    def is_tuned_start(self) -> bool:
        """Whether it goes on from a network that was fine-tuned."""
        return self.start is not None and self.start.method == FINE_TUNED

    def sides(self, data: Manifest) -> list[int]:
        """The shorter sides of some of the pictures."""
        return shorter_sides(inputs.learning_entries(data))

    def means(self, data: Manifest) -> Means:
        """What there is to do it with."""
        return Means(len(inputs.learning_entries(data)), self.clock.for_the_engine, threads(), self.scratch)

    def tuned(self, done: Candidate, first: Fitted, data: Manifest) -> Fitted | None:
        """The fine-tuned network; None where it came to nothing, for the first model is not to be lost."""
        percent = round(100 * first.result["validation"][self.version.optimise_for])
        self.writer.say(Sentence(IMPROVING, percent=percent))
        try:
            return self.fit("tuned", self.pixels_of(done, data), **self.source(done))
        except (NoTimeForMore, EngineRefused) as reason:
            log.warning("version %s: no fine-tuning: %s", self.version.pk, reason)
        except EngineCrashed:
            if self.writer.attempt.number < ENOUGH_CRASHES:
                raise
            log.exception(
                "version %s: the fine-tuning crashed again; its first model is kept", self.version.pk
            )
        return None

    def pixels_of(self, candidate: Candidate, data: Manifest) -> inputs.Inputs:
        """The pictures at a candidate's size, read once."""
        if candidate.size not in self.pixels:
            folder = self.scratch / f"pixels-{candidate.size}"
            folder.mkdir()
            side = candidate.tuning.side
            self.pixels[candidate.size] = inputs.pixel_inputs(
                folder, data, candidate.size, side=side, threads=threads(), done=self.prepared
            )
        return self.pixels[candidate.size]

    def source(self, candidate: Candidate) -> dict[str, Any]:
        """Where the engine finds what it fine-tunes, and how it is to do it."""
        folder = str(settings.WEIGHTS_DIR) if settings.WEIGHTS_DIR else None
        return {
            "backbone": candidate.backbone,
            "rate": candidate.rate,
            "start_from": self.start_of(candidate.backbone),
            "weights_folder": folder,
            "download_folder": str(downloads()),
            "about": self.about
            | {"backbone": candidate.backbone, "weights": weights_text(candidate.backbone)},
        }

    def start_of(self, backbone: str) -> str | None:
        """The earlier version's weights, where a fine-tuning of this network can go on from them."""
        return self.start.of(FINE_TUNED, backbone) if self.start else None

    def prepared(self, done: int, total: int) -> None:
        """While pixels are read for the fine-tuning: a stop, or too little time, ends it."""
        self.writer.progress(self.clock.share)
        if self.writer.stop_asked() or self.clock.left < OVERHEAD:
            raise NoTimeForMore

    def attempted(self, candidate: Candidate, data: Manifest, what: str, **fields: Any) -> Fitted | None:
        """A candidate's fit; None where it came to nothing, whatever the reason: there is a model already."""
        if self.writer.stop_asked():
            return None
        try:
            made = self.pixels_of(candidate, data)
            return self.fit(f"{what}-{candidate.name}", made, **(self.source(candidate) | fields))
        except (NoTimeForMore, Refusal, EngineCrashed, OSError) as reason:
            log.warning("version %s: %s came to nothing: %s", self.version.pk, candidate.name, reason)
            self.now = []
            shutil.rmtree(self.scratch / f"{what}-{candidate.name}", ignore_errors=True)
            return None

    @property
    def crashed_enough(self) -> bool:
        """Whether earlier attempts were lost, so that what there is comes first."""
        return self.writer.attempt.number >= ENOUGH_CRASHES

    @property
    def ended_because(self) -> str:
        """Of all fits together: somebody's stop, or how the last whole one ended."""
        if any(each["ended_because"] == "stopped" for each in self.tried):
            return "stopped"
        return str(next(each for each in reversed(self.tried) if not each["slice"])["ended_because"])

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
