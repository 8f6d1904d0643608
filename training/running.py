"""The training job: frozen data → inputs → engine → stored file → evaluation → a version with a report."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.models import Snapshot
from jobs.attempts import Attempt, Cancelled
from training import checkpoints, evaluation, inputs, manifest, pinned, predictions
from training.clock import Clock
from training.engine_process import threads
from training.extractors import work_folder
from training.fits import Fitted
from training.leaks import without_leaks
from training.learning import EXPORTING, Learning
from training.manifest import Manifest
from training.models import EndedBecause, Extractor, ModelVersion, VersionState
from training.networks import OPTION, AllTooSlow, Choice, chosen_for, further_networks, weights_text
from training.profiles import SCRATCH_SIZE, profile_of
from training.splitting import OWN, WISHES
from training.together import alone, followers_of
from training.warm import fair, fetched, must_fit, source_of
from training.writing import Writer
from web import storage
from web.sentences import Refusal, Sentence

FOLDER, WEIGHTS = "models", "weights"
STOP_PATIENCE = (
    20.0  # a stop while preparing goes on to a usable model if that is at most so many seconds away
)
SCRATCH = "scratch"
PREPARING = Sentence(gettext_noop("Preparing the pictures."))
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
    except (Refusal, Cancelled, OSError) as end:
        if not isinstance(end, OSError) or end.errno in storage.FULL:  # a full disk ends it, too
            shutil.rmtree(folder, ignore_errors=True)
        raise
    shutil.rmtree(folder, ignore_errors=True)
    checkpoints.forget(version.pk)


class Run:
    """What the stages of one attempt share. `folder` outlives a crash, for the engine's checkpoints alone."""

    def __init__(self, attempt: Attempt, version: ModelVersion, folder: Path) -> None:
        self.version, self.writer, self.folder = version, Writer(attempt, version), folder
        self.scratch = folder / f"attempt-{attempt.number}"
        self.clock = Clock(version.max_minutes)
        self.source: ModelVersion | None = None  # the version that it goes on from

    def go(self) -> None:
        """The stages, one after another."""
        for old in self.folder.glob("attempt-*"):
            shutil.rmtree(old, ignore_errors=True)
        self.scratch.mkdir(parents=True)
        data, extractor, made = self.prepare()
        about = self.about(data, extractor)
        self.learning = Learning(
            self.writer,
            self.clock,
            self.folder,
            self.scratch,
            about,
            start=fetched(self.source, self.scratch),
            networks=self.networks(),
        )
        fitted = self.learning.best(data, extractor, made)
        self.export(fitted)
        self.evaluate(data, extractor, fitted)

    # ---- preparing
    def prepare(self) -> tuple[Manifest, Extractor | None, inputs.Inputs]:
        """The manifest, the extractor (None: from scratch), and the engine's inputs."""
        started = self.version.started_at or timezone.now()
        self.writer.enter(VersionState.PREPARING, PREPARING, started_at=started, history=[], live={})
        self.source = source_of(self.version.model, self.version.options)
        extractor = self.network()
        data = self.frozen(extractor)
        self.clock.held_back = len(data.part("held_back"))
        if extractor:
            made = inputs.feature_inputs(self.scratch, data, extractor, threads=threads(), done=self.prepared)
        else:
            made = inputs.pixel_inputs(
                self.scratch, data, SCRATCH_SIZE, threads=threads(), done=self.prepared
            )
        refuse_without_a_label(data, made)
        return data, extractor, made

    def network(self) -> Extractor | None:
        """The one that is taken, noted on the version; a follower that takes another is trained by itself."""
        choice = self.choice_for(self.version)
        for follower in followers_of(self.version, self.writer.attempt.job):
            if not self.takes(follower, choice):
                with transaction.atomic():
                    self.writer.attempt.hold()
                    alone([follower])
        extractor = choice.extractor
        must_fit(self.source, extractor.backbone if extractor else "")
        self.writer.write(
            backbone=extractor.backbone if extractor else SCRATCH,
            weights=extractor.weights if extractor else "",
            choice={"passed_over": choice.passed_over} if choice.passed_over else {},
        )
        return extractor

    def networks(self) -> list[str]:
        """What may be tried where time is left."""
        versions = [self.version, *followers_of(self.version, self.writer.attempt.job)]
        profiles = [profile_of(version.application) for version in versions]
        return further_networks(profiles, self.version.options.get(OPTION))

    def takes(self, follower: ModelVersion, choice: Choice) -> bool:
        """Whether it would choose the same by itself."""
        try:
            return self.choice_for(follower).extractor == choice.extractor
        except AllTooSlow:  # it will say so in its own name
            return False

    def choice_for(self, version: ModelVersion) -> Choice:
        """What a version would take by itself."""
        at_most = version.options.get(OPTION)
        return chosen_for(profile_of(version.application), at_most, self.writer.attempt.check)

    def frozen(self, extractor: Extractor | None) -> Manifest:
        """The one of an earlier attempt, or a new one, written once."""
        if self.version.manifest_key:
            return manifest.load(self.version.manifest_key)
        kept = {snapshot.pk: snapshot for snapshot in Snapshot.objects.filter(pk__in=self.version.snapshots)}
        if len(kept) < len(set(self.version.snapshots)):
            raise DataGone(gettext_noop("A data set of this training was deleted before it began."))
        split = self.version.options.get("split", OWN)
        snapshots = [kept[pk] for pk in self.version.snapshots]
        test_set = pinned.of_version(self.version)
        data = manifest.build(snapshots, self.version.labels, split=split, pinned=test_set)
        fixed = set(test_set.contents) if test_set else set()
        if split == WISHES:  # a side that was wished is kept to
            fixed |= {entry.sha256 for entry in data.part("held_back")}
        data = without_leaks(data, fixed=fixed, goes_by=extractor, threads=threads(), done=self.prepared)
        # The last that moves pictures: after it nothing is held back that the source learned from.
        return self.settled(fair(data, self.source))

    def settled(self, data: Manifest) -> Manifest:
        """Write it down, once."""
        self.writer.write(
            manifest_key=manifest.save(data),
            snapshot_hash=data.content_hash,
            split_counts=data.counts(),
            split_facts=self.version.split_facts | data.facts,
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
    def about(self, data: Manifest, extractor: Extractor | None) -> dict[str, Any]:
        """Where the file comes from, for its metadata. `also`: the versions that have the very same file."""
        followers = followers_of(self.version, self.writer.attempt.job)
        return {
            "model": self.version.model.name,
            "version": self.version.number,
            "application": self.version.application,
            "also": [{"version": each.number, "application": each.application} for each in followers],
            "backbone": extractor.backbone if extractor else SCRATCH,
            "weights": extractor.weights if extractor else None,
            "extractor": extractor.name if extractor else None,
            "data": data.content_hash,
        }

    # ---- the end
    def export(self, fitted: Fitted) -> None:
        """Keep the file under its hash."""
        self.writer.enter(VersionState.EXPORTING, EXPORTING, history=self.learning.history)
        other = fitted.backbone not in ("", self.version.backbone)
        self.writer.write(
            backbone=fitted.backbone if other else self.version.backbone,
            weights=weights_text(fitted.backbone) if other else self.version.weights,
            weights_key=storage.put_file(WEIGHTS, fitted.weights, ".pth"),
            file_key=storage.put_file(FOLDER, fitted.path, ".onnx"),
            file_sha256=fitted.result["sha256"],
            file_bytes=fitted.path.stat().st_size,
            made_with=fitted.result["versions"],
        )

    def evaluate(self, data: Manifest, extractor: Extractor | None, fitted: Fitted) -> None:
        """Measure the stored file, write the report, and end well."""
        self.writer.enter(VersionState.EVALUATING, EVALUATING)
        measured = evaluation.measure(
            self.version.file_key,
            data,
            threads=1,
            done=lambda so_far, of: self.writer.progress(so_far / of),
        )
        facts = self.facts(extractor, fitted) | ({"wishes": data.wishes} if data.wishes else {})
        facts |= self.version.split_facts
        report = evaluation.report(measured, data, facts)
        because = EndedBecause(self.learning.ended_because)
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

    def facts(self, extractor: Extractor | None, fitted: Fitted) -> dict[str, Any]:
        """What the report says about the making."""
        result = fitted.result
        return {
            "backbone": self.version.backbone,
            "weights": self.version.weights,
            "passed_over": self.version.choice.get("passed_over", []),
            "pretrained": extractor is not None,
            "method": result["method"],
            "epochs": result["epochs"],
            "best_epoch": result["best_epoch"],
            "temperature": result["temperature"],
            "validation": result["validation"],
            "ended_because": result["ended_because"],
            "left_out": fitted.left_out,
            "tried": self.learning.tried,
            "went_on_from": self.source.number if self.source and fitted.warm else None,
            "file_bytes": self.version.file_bytes,
            "file_sha256": self.version.file_sha256,
            "seconds": round(self.clock.used, 1),
        }
