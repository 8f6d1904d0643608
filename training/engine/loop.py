"""The Lightning loop that every fit shares: best so far, early stop, time limit, stop file, checkpoints."""

from __future__ import annotations

import hashlib
import json
import math
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from training.engine import ranks
from training.engine.checkpoints import Checkpoints
from training.engine.data import Batches, Part
from training.engine.lightning_import import Callback, EarlyStopping, ModelCheckpoint, SIGTERMException, pl
from training.engine.metrics import scores_of
from training.engine.progress import tell
from training.engine.refusals import Interrupted
from training.engine.spec import FitTask

Ended = Literal["converged", "budget", "stopped"]
ENDINGS: tuple[Ended | None, ...] = (None, "converged", "budget", "stopped")
LEAST_GAIN = 1e-4  # of validation loss, for early stopping


@dataclass
class Best:
    """The best weights so far and what they reached on validation. `logits`: float32 [n, k]."""

    epoch: int
    metric: float
    loss: float
    scores: dict[str, float]
    candidate: int
    weights: dict[str, torch.Tensor]
    logits: torch.Tensor


def _replaces(new: Best, old: Best, highest: float, pictures: int, *, later: bool) -> bool:
    """Whether `new` is the one to keep. The chosen metric decides; where it differs by less than chance does
    (one standard error below the highest seen: Breiman et al. 1984), the lower validation loss does. With
    `later` the end of the schedule does, within two: the highest of many rounds is high by luck, too."""
    slack = (2 if later else 1) * math.sqrt(max(highest * (1 - highest), 0.0) / pictures)
    near = [each.metric >= highest - slack for each in (new, old)]
    if near[0] != near[1]:
        return near[0]
    if later and near[0]:
        return new.epoch >= old.epoch
    return new.loss < old.loss if near[0] else (new.metric, -new.loss) > (old.metric, -old.loss)


class FittedModule(pl.LightningModule):  # type: ignore[misc]
    """What head and scratch share: validation over one or several candidates, and the best kept.

    A subclass gives `candidate_logits(inputs)` -> [c, n, k] and `candidate_weights(c)` -> tensors, sets up
    its optimiser, and calls `count_loss` in its training step.
    """

    later_is_better = False  # where a schedule lets the weights settle towards its end

    def __init__(self, task: FitTask, weights: torch.Tensor | None, started: float) -> None:
        super().__init__()
        self.task, self.started = task, started
        self.register_buffer("class_weights", weights, persistent=False)
        self.best: Best | None = None
        self.highest = 0.0  # of the chosen metric
        self.history: list[dict[str, Any]] = []
        self.train_loss, self.train_count = 0.0, 0
        self.checks: int | None = None  # pictures to validate on, in all processes
        self._seen: list[tuple[torch.Tensor, torch.Tensor]] = []

    @property
    def loss_weights(self) -> torch.Tensor | None:
        """What each label counts in a training step: all the same where the batches are balanced already."""
        return None if self.task.class_weights == "balanced" else self.class_weights

    def candidate_logits(self, inputs: torch.Tensor) -> torch.Tensor:
        raise NotImplementedError

    def candidate_weights(self, candidate: int) -> dict[str, torch.Tensor]:
        raise NotImplementedError

    def chosen(self) -> dict[str, float]:
        """What validation chose beside the weights, for the record."""
        return {}

    def count_loss(self, loss: torch.Tensor, pictures: int) -> None:
        """Remember a batch's mean loss for the curve."""
        self.train_loss += float(loss.detach()) * pictures
        self.train_count += pictures

    def validation_step(self, batch: tuple[torch.Tensor, torch.Tensor], _index: int) -> None:
        inputs, targets = batch
        self._seen.append((self.candidate_logits(inputs).float().cpu(), targets.cpu()))

    def on_validation_epoch_end(self) -> None:
        logits = torch.cat([each for each, _ in self._seen], dim=1)
        targets = torch.cat([each for _, each in self._seen])
        self._seen.clear()
        logits, targets = (
            ranks.gathered(logits, 1)[:, : self.checks],
            ranks.gathered(targets, 0)[: self.checks],
        )
        found = [self._judged(candidate, each, targets) for candidate, each in enumerate(logits)]
        self.highest = max(self.highest, *(each.metric for each in found))
        for each in found:
            if self.best is None or self._prefers(each, self.best, len(targets)):
                self.best = each
        leader = max(found, key=lambda each: (each.metric, -each.loss))
        loss = min(each.loss for each in found)
        self.log("val_loss", loss)
        self._say(loss, leader.metric)

    def _prefers(self, new: Best, old: Best, pictures: int) -> bool:
        return _replaces(new, old, self.highest, pictures, later=self.later_is_better)

    def _judged(self, candidate: int, logits: torch.Tensor, targets: torch.Tensor) -> Best:
        scores = scores_of(logits, targets)
        weights = {
            key: value.detach().cpu().clone() for key, value in self.candidate_weights(candidate).items()
        }
        return Best(
            epoch=self.current_epoch + 1,
            metric=scores[self.task.optimise_for],
            loss=self._loss(logits, targets),
            scores=scores,
            candidate=candidate,
            weights=weights,
            logits=logits.clone(),
        )

    def _loss(self, logits: torch.Tensor, targets: torch.Tensor) -> float:
        weights = None if self.class_weights is None else self.class_weights.cpu()
        return float(torch.nn.functional.cross_entropy(logits, targets, weights))

    def _say(self, loss: float, metric: float) -> None:
        assert self.best is not None
        point = {
            "epoch": self.current_epoch + 1,
            "train_loss": self.train_loss / max(1, self.train_count),
            "val_loss": loss,
            "metric": metric,
            "best": self.best.metric,
            "best_epoch": self.best.epoch,
            "lr": self.trainer.optimizers[0].param_groups[-1]["lr"],  # of the last layer
            "seconds": time.monotonic() - self.started,
        }
        self.train_loss, self.train_count = 0.0, 0
        self.history.append(point)
        tell("epoch", **point)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        best = None if self.best is None else dict(vars(self.best))
        checkpoint["taxon"] = {"best": best, "highest": self.highest, "history": self.history}

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        kept = checkpoint["taxon"]
        self.best = None if kept["best"] is None else Best(**kept["best"])
        self.highest, self.history = kept["highest"], kept["history"]


class Watch(Callback):  # type: ignore[misc]
    """Ends the fit at its deadline or when the stop file appears; both keep the best so far."""

    def __init__(self, task: FitTask, deadline: float) -> None:
        self.stop_file = Path(task.stop_file) if task.stop_file else None
        self.deadline = deadline
        self.because: Ended | None = None
        self.validation_seconds = 0.0  # the last validation took this long; the next must fit in
        self._validation_began = 0.0

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if self.stop_file is not None and self.stop_file.exists():
            self.because = "stopped"
        elif time.monotonic() + self.validation_seconds > self.deadline:
            self.because = self.because or "budget"
        self.because = ENDINGS[int(ranks.agreed(ENDINGS.index(self.because)))]
        if self.because:
            trainer.should_stop = True  # Lightning validates once more, so the last steps count too

    def on_validation_start(self, *_: Any) -> None:
        self._validation_began = time.monotonic()

    def on_validation_end(self, *_: Any) -> None:
        self.validation_seconds = time.monotonic() - self._validation_began


@dataclass(frozen=True)
class Plan:
    """How a module is run: batch size, most epochs, and when (time.monotonic) the fit must be over.

    `patience`: epochs without a gain before the end; None where a schedule leads to it. `half`: half
    precision, where there is a graphics card.
    """

    batch: int
    max_epochs: int
    deadline: float
    patience: int | None
    half: bool = False


def run(module: FittedModule, train: Part, validation: Part, plan: Plan) -> Ended:
    """Fit until nothing improves, the time is up, or somebody stops it; `module.best` holds what to keep."""
    task = module.task
    watch = Watch(task, plan.deadline)
    callbacks: list[Callback] = [watch]
    if plan.patience:
        callbacks.append(EarlyStopping("val_loss", min_delta=LEAST_GAIN, patience=plan.patience))
    checkpoints = resume = None
    if task.checkpoint_folder:
        folder = Path(task.checkpoint_folder)
        folder.mkdir(parents=True, exist_ok=True)
        checkpoints = Checkpoints(folder, f"last-{_fingerprint(task, train, validation)}")
        callbacks.append(_each_epoch(folder))
        resume = _resumed(checkpoints)
    tell("stage", stage="training", resumed=resume is not None)
    _fitted(module, callbacks, plan, train, validation=validation, checkpoints=checkpoints, resume=resume)
    return watch.because or "converged"


def _resumed(checkpoints: Checkpoints) -> Path | None:
    """Where all processes go on from: nowhere, unless each can read it."""
    found = checkpoints.newest() if ranks.here().rank == 0 else None
    path = Path(ranks.agreed_text(str(found or "")))
    return path if ranks.all_can(path.is_file()) else None


def run_again(module: FittedModule, everything: Part, plan: Plan) -> bool:
    """Fit for exactly `plan.max_epochs`, without validation; False when it was stopped on the way."""
    watch = Watch(module.task, plan.deadline)
    tell("stage", stage="refitting")
    _fitted(module, [watch], plan, everything)
    return watch.because is None


def _fitted(
    module: FittedModule,
    callbacks: list[Callback],
    plan: Plan,
    train: Part,
    *,
    validation: Part | None = None,
    checkpoints: Checkpoints | None = None,
    resume: Path | None = None,
) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # Lightning's advice on data loaders and loggers is not for our readers
        trainer = pl.Trainer(
            max_epochs=plan.max_epochs,
            callbacks=callbacks + ranks.callbacks(),
            plugins=[checkpoints] if checkpoints else None,
            logger=False,
            enable_checkpointing=checkpoints is not None,
            enable_progress_bar=False,
            enable_model_summary=False,
            num_sanity_val_steps=0,
            limit_val_batches=None if validation else 0,
            deterministic="warn",
            accelerator="auto",
            precision="16-mixed" if plan.half and torch.cuda.is_available() else "32-true",
            **ranks.trainer_fields(),
        )
        balanced = module.task.class_weights == "balanced"
        kind = Batches if ranks.here().world == 1 else ranks.SharedBatches
        batches = kind(train, plan.batch, seed=module.task.seed, balanced=balanced)
        checks = Batches(ranks.share_to_validate(validation), 1024) if validation else None
        module.checks = len(validation) if validation else None
        try:
            trainer.fit(module, batches, checks, ckpt_path=resume, weights_only=True)
        except SIGTERMException as error:
            raise Interrupted from error


def _each_epoch(folder: Path) -> ModelCheckpoint:
    """Asks for the latest epoch, whatever it scored (save_last would only ask for epochs that improved)."""
    return ModelCheckpoint(
        dirpath=folder, filename="last", monitor=None, save_top_k=1, enable_version_counter=False
    )


def _fingerprint(task: FitTask, train: Part, validation: Part) -> str:
    """Names a checkpoint after the fit it belongs to, so that it is never resumed for another."""
    digest = hashlib.sha256(
        json.dumps(
            [
                task.labels,
                task.optimise_for,
                task.seed,
                task.pixel_spec,
                task.backbone,
                task.rate,
                task.max_epochs,
            ]
        ).encode()
    )
    if task.start_from:
        digest.update(hashlib.sha256(Path(task.start_from).read_bytes()).digest())
    for part in (train, validation):
        digest.update(str(part.inputs.shape).encode() + part.rows.tobytes() + part.targets.numpy().tobytes())
    return digest.hexdigest()[:16]
