"""The training job: frozen data → inputs → engine → stored file → evaluation → a version with a report."""

import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.models import Snapshot
from jobs.attempts import Attempt, Cancelled
from training import checkpoints, evaluation, inputs, manifest, predictions
from training.clock import Clock
from training.engine.spec import FitTask
from training.engine_process import Event, run_engine, threads
from training.extractors import extractor_for, work_folder
from training.manifest import Manifest
from training.models import EndedBecause, Extractor, ModelVersion, VersionState
from training.profiles import profile_of
from training.splitting import OWN
from training.writing import Writer
from web import storage
from web.sentences import Refusal, Sentence

FOLDER = "models"
STOP_PATIENCE = (
    20.0  # a stop while preparing goes on to a usable model if that is at most so many seconds away
)
SCRATCH = "scratch"
ENGINE_OPTIONS = ("patience", "max_epochs", "class_weights")
PREPARING = Sentence(gettext_noop("Preparing the pictures."))
TRAINING = Sentence(gettext_noop("Learning from the pictures."))
EXPORTING = Sentence(gettext_noop("Writing the model file."))
EVALUATING = Sentence(gettext_noop("Measuring it on pictures it has not seen."))
ENDINGS = {
    EndedBecause.CONVERGED: Sentence(gettext_noop("Done: it stopped improving.")),
    EndedBecause.BUDGET: Sentence(
        gettext_noop("Done: the time limit was reached, and the best so far was kept.")
    ),
    EndedBecause.STOPPED: Sentence(gettext_noop("Stopped; the best so far was kept.")),
}


class DataGone(Refusal):
    """The data set went away before the training began."""

    code = "data-gone"


def refuse_without_a_label(data: Manifest, made: inputs.Inputs) -> None:
    """Released pictures are left out and the training goes on, but not where a label has lost them all."""
    left = set(np.load(made.task["targets"]).tolist())
    gone = [label for at, label in enumerate(data.labels) if at not in left]
    if gone and made.left_out:
        raise DataGone(
            gettext_noop(
                "All pictures of “%(label)s” are gone or cannot be read; %(count)s are missing in all."
            ),
            label=gone[0],
            count=len(made.left_out),
        )


class StoppedEarly(Refusal):
    """Stopped so early that there is nothing to keep."""

    code = "stopped-early"


def run(attempt: Attempt) -> None:
    """One training. Called again after a crash it comes to the same end; a version that ended stays."""
    version = ModelVersion.objects.select_related("model__project").get(pk=attempt.payload["version"])
    if version.ended:
        return
    folder = work_folder() / f"training-{version.pk}"
    try:
        Run(attempt, version, folder).go()
    except StoppedEarly as early:
        Writer(attempt, version).end(VersionState.STOPPED, EndedBecause.STOPPED, early.sentence)
    except (Refusal, Cancelled):
        shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    checkpoints.forget(version.pk)


class Run:
    """What the stages of one attempt share. `folder` outlives a crash, for the engine's checkpoints alone."""

    def __init__(self, attempt: Attempt, version: ModelVersion, folder: Path) -> None:
        self.version, self.writer, self.folder = version, Writer(attempt, version), folder
        self.scratch = folder / f"attempt-{attempt.number}"
        self.stop_file = self.scratch / "stop"
        self.checkpoints = folder / "checkpoints"
        self.clock = Clock(version.max_minutes)
        self.history: list[Event] = []
        self.left_out: list[str] = []

    def go(self) -> None:
        """The stages, one after another."""
        for old in self.folder.glob("attempt-*"):
            shutil.rmtree(old, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        data, extractor, task = self.prepare()
        result = self.train(data, extractor, task)
        self.export(result)
        self.evaluate(data, extractor, result)

    # ---- preparing
    def prepare(self) -> tuple[Manifest, Extractor | None, dict[str, Any]]:
        """The manifest, the extractor (None: from scratch), and the engine's inputs."""
        started = self.version.started_at or timezone.now()
        self.writer.enter(VersionState.PREPARING, PREPARING, started_at=started, history=[], live={})
        data = self.frozen()
        self.clock.held_back = len(data.part("held_back"))
        profile = profile_of(self.version.application)
        extractor = extractor_for(profile.backbones, profile.size, build=True, look=self.writer.attempt.check)
        self.writer.write(
            backbone=extractor.backbone if extractor else SCRATCH,
            weights=extractor.weights if extractor else "",
        )
        if extractor:
            made = inputs.feature_inputs(self.scratch, data, extractor, threads=threads(), done=self.prepared)
        else:
            made = inputs.pixel_inputs(self.scratch, data, threads=threads(), done=self.prepared)
        self.left_out = made.left_out
        refuse_without_a_label(data, made)
        return data, extractor, made.task

    def frozen(self) -> Manifest:
        """The one of an earlier attempt, or a new one, written once."""
        if self.version.manifest_key:
            return manifest.load(self.version.manifest_key)
        kept = {snapshot.pk: snapshot for snapshot in Snapshot.objects.filter(pk__in=self.version.snapshots)}
        if len(kept) < len(set(self.version.snapshots)):
            raise DataGone(gettext_noop("A data set of this training was deleted before it began."))
        split = self.version.options.get("split", OWN)
        snapshots = [kept[pk] for pk in self.version.snapshots]
        data = manifest.build(snapshots, self.version.labels, split=split)
        self.writer.write(
            manifest_key=manifest.save(data),
            snapshot_hash=data.content_hash,
            split_counts=data.counts(),
            seed=data.seed(),
        )
        return data

    def prepared(self, done: int, total: int) -> None:
        """Called while features or pixels are made: progress, the time limit, and a stop."""
        self.writer.progress(done / max(total, 1))
        left = self.clock.used / done * (total - done) if done else 0.0
        if self.writer.stop_asked() and left > STOP_PATIENCE:
            raise StoppedEarly(gettext_noop("Stopped before there was anything to keep."))
        if self.clock.for_preparing < 0 and done:
            raise inputs.OutOfTime

    # ---- training
    def train(self, data: Manifest, extractor: Extractor | None, fields: dict[str, Any]) -> Event:
        """Run the engine within what is left of the time."""
        self.writer.enter(VersionState.TRAINING, TRAINING)
        if self.writer.attempt.number > 1:
            checkpoints.fetch(self.version.pk, self.checkpoints)
        seconds = self.clock.for_the_engine
        task = FitTask(
            work_folder=str(self.scratch / "engine"),
            optimise_for=self.version.optimise_for,  # type: ignore[arg-type]
            seed=data.seed(),
            seconds=seconds,
            stop_file=str(self.stop_file),
            checkpoint_folder=str(self.checkpoints),
            about=self.about(data, extractor),
            threads=threads(),
            die_with_parent=True,
            **{name: self.version.options[name] for name in ENGINE_OPTIONS if name in self.version.options},
            **fields,
        )
        self.engine_began, self.engine_seconds = time.monotonic(), seconds
        with checkpoints.Courier(self.version.pk, self.checkpoints, lambda: self.writer.attempt.must_end):
            return run_engine(task, hear=self.heard, look=self.looked)

    def about(self, data: Manifest, extractor: Extractor | None) -> dict[str, Any]:
        """Where the file comes from, for its metadata."""
        return {
            "model": self.version.model.name,
            "version": self.version.number,
            "application": self.version.application,
            "backbone": extractor.backbone if extractor else SCRATCH,
            "weights": extractor.weights if extractor else None,
            "extractor": extractor.name if extractor else None,
            "data": data.content_hash,
        }

    def heard(self, event: Event) -> None:
        """A line from the engine."""
        if event["event"] == "epoch":
            self.history.append({name: value for name, value in event.items() if name != "event"})
            self.writer.attempt.got_further(int(event.get("epoch") or 0))
            live = {
                "best": event.get("best"),
                "best_epoch": event.get("best_epoch"),
                "epoch": event.get("epoch"),
            }
            if len(self.history) < 3 or time.monotonic() - self.writer._wrote >= 1:
                self.writer.progress(self.engine_share, history=self.history, live=live)
        elif event["event"] == "stage":
            if event["stage"] == "exporting":
                self.writer.enter(VersionState.EXPORTING, EXPORTING, history=self.history)
            else:
                self.writer.progress(self.engine_share, stage=event["stage"])

    def looked(self) -> None:
        """Twice a second: still ours, still wanted, and whether to stop."""
        if self.version.state == VersionState.TRAINING:
            self.writer.progress(self.engine_share)
        self.writer.attempt.check()
        if self.writer.stop_asked():
            self.stop_file.touch()

    @property
    def engine_share(self) -> float:
        """How much of its time the engine has used."""
        return (time.monotonic() - self.engine_began) / self.engine_seconds

    # ---- the end
    def export(self, result: Event) -> None:
        """Keep the file under its hash."""
        if self.version.state != VersionState.EXPORTING:
            self.writer.enter(VersionState.EXPORTING, EXPORTING)
        path = self.scratch / "engine" / result["file"]
        self.writer.write(
            file_key=storage.put_file(FOLDER, path, ".onnx"),
            file_sha256=result["sha256"],
            file_bytes=path.stat().st_size,
            history=result["history"],
            made_with=result["versions"],
        )

    def evaluate(self, data: Manifest, extractor: Extractor | None, result: Event) -> None:
        """Measure the stored file, write the report, and end well."""
        self.writer.enter(VersionState.EVALUATING, EVALUATING)
        measured = evaluation.measure(
            self.version.file_key,
            data,
            threads=1,
            done=lambda so_far, of: self.writer.progress(so_far / of),
        )
        facts = self.facts(extractor, result) | ({"wishes": data.wishes} if data.wishes else {})
        report = evaluation.report(measured, data, facts)
        because = EndedBecause(result["ended_because"])
        self.writer.end(
            VersionState.STOPPED if because == EndedBecause.STOPPED else VersionState.SUCCEEDED,
            because,
            ENDINGS[because],
            usable=True,
            report=report,
            metrics=report["overall"],
            predictions_key=predictions.save(evaluation.predictions_of(measured, data.labels)),
            live={"seconds": round(self.clock.used, 1)},
        )

    def facts(self, extractor: Extractor | None, result: Event) -> dict[str, Any]:
        """What the report says about the making."""
        return {
            "backbone": self.version.backbone,
            "weights": self.version.weights,
            "pretrained": extractor is not None,
            "method": result["method"],
            "epochs": result["epochs"],
            "best_epoch": result["best_epoch"],
            "temperature": result["temperature"],
            "validation": result["validation"],
            "ended_because": result["ended_because"],
            "left_out": self.left_out,
            "file_bytes": self.version.file_bytes,
            "file_sha256": self.version.file_sha256,
            "seconds": round(self.clock.used, 1),
        }
