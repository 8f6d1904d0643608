"""Fine-tuning: a pretrained network goes on learning, all of it, from these pictures.

What is done and what was tried and left out: docs/training-choices.md.
"""

from __future__ import annotations

import math
import time
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.nn import functional

from training.engine import again, kept, ranks
from training.engine.augment import plain, varied
from training.engine.backbones import Normalised, feature_network, must_take
from training.engine.data import Part, class_weights
from training.engine.export import export_network
from training.engine.loop import Ended, FittedModule, Plan, run
from training.engine.memory import ran_out_of_memory
from training.engine.progress import tell
from training.engine.refusals import EngineRefusal
from training.engine.scratch import Scores
from training.engine.spec import FitTask
from training.engine.stages import share_of_rate, stages
from training.engine.weights import find_weights

RATE, HEAD_FASTER, WEIGHT_DECAY, DROPOUT = 1e-3, 5.0, 1e-4, 0.2
WARM_UP = 0.1  # of all steps
BATCHES, MAX_EPOCHS = (32, 16, 8), 20
LEAST_BATCH = 4  # a smaller rest of an epoch tells a batch norm nothing


class Classifier(nn.Module):  # type: ignore[misc]
    """Normalised pictures float32 [n, 3, s, s] -> (logits [n, k], embedding [n, d])."""

    def __init__(self, features: nn.Module, dimensions: int, labels: int) -> None:
        super().__init__()
        self.features, self.dropout = features, nn.Dropout(DROPOUT)
        self.classifier = nn.Linear(dimensions, labels)
        nn.init.zeros_(self.classifier.weight)  # so that the first steps do not shake the features
        nn.init.zeros_(self.classifier.bias)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        embedding = self.features(pictures)
        return self.classifier(self.dropout(embedding)), embedding


class Tuned(FittedModule):
    """Trains the whole network with AdamW, warm up, then a cosine down to nothing over epochs or time,
    whichever is used up sooner."""

    later_is_better = True

    def __init__(
        self,
        task: FitTask,
        weights: torch.Tensor | None,
        started: float,
        network: nn.Module,
        *,
        steps: int,
        deadline: float,
    ) -> None:
        super().__init__(task, weights, started)
        self.network, self.steps = network, max(1, steps)
        self.size = int(task.pixel_spec["size"])
        self.deadline, self.began = deadline, 0.0
        self.random = torch.Generator().manual_seed(task.seed + ranks.here().rank)

    def candidate_logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """uint8 [n, s, s, 3] -> [1, n, k]."""
        parts = [self.network(plain(each, self.size))[0] for each in inputs.split(BATCHES[-1])]
        return torch.cat(parts)[None]

    def candidate_weights(self, candidate: int) -> dict[str, torch.Tensor]:
        return dict(self.network.state_dict())

    def on_train_start(self) -> None:
        self.began = time.monotonic()

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _index: int) -> torch.Tensor | None:
        inputs, targets = batch
        if len(targets) < LEAST_BATCH and self.trainer.num_training_batches > 1:
            return None
        logits, _ = self.network(varied(inputs, self.size, self.random))
        loss = functional.cross_entropy(logits, targets, self.loss_weights)
        self.count_loss(loss, len(targets))
        return loss

    def configure_optimizers(self) -> dict[str, object]:
        optimiser = torch.optim.AdamW(list(_groups(self.network, RATE * self.task.rate)), lr=RATE)
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, self._share_of_rate)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def _share_of_rate(self, step: int) -> float:
        used = step / self.steps
        if self.began:
            span = max(self.deadline - self.began, 1e-3)
            used = max(used, ranks.agreed((time.monotonic() - self.began) / span))
        warm = min(1.0, (step + 1) / max(1.0, WARM_UP * self.steps))
        return max(1e-3, warm * 0.5 * (1 + math.cos(math.pi * min(used, 1.0))))


def _groups(network: nn.Module, rate: float = RATE):  # type: ignore[no-untyped-def]
    """Weight decay for matrices and kernels alone; the later a stage, the faster it learns, the new layer fastest."""
    every = stages(network.inside.features)
    shares = [share_of_rate(place, len(every)) for place in range(len(every))]
    last = list(network.inside.classifier.parameters())
    for numbers, share in zip([*every, last], [*shares, HEAD_FASTER], strict=True):
        for kernels, decay in ((True, WEIGHT_DECAY), (False, 0.0)):
            chosen = [each for each in numbers if (each.ndim > 1) == kernels]
            if chosen:
                yield {"params": chosen, "lr": rate * share, "weight_decay": decay}


def new_network(task: FitTask, train: Part, started: float, *, deadline: float, batch: int) -> Tuned:
    """The pretrained network of `task.backbone` with a new last layer for these labels, or an earlier fit's."""
    found = find_weights(
        task.backbone or "",
        folder=Path(task.weights_folder) if task.weights_folder else None,
        download=False,
        download_folder=Path(task.download_folder) if task.download_folder else None,
    )
    if found is None:
        raise EngineRefusal("no-weights", f"There are no weights for {task.backbone} to go on from.")
    size = int(task.pixel_spec["size"])
    must_take(task.backbone or "", size)
    features = feature_network(task.backbone or "", found)
    with torch.inference_mode():
        dimensions = features(torch.zeros(1, size, size, 3, dtype=torch.uint8)).shape[1]
    inside = Classifier(features.inside, dimensions, len(task.labels))
    whole = Normalised(inside)
    if task.start_from:
        kept.put_into(whole, kept.read(Path(task.start_from)), task.labels)
    network = whole.train().to(memory_format=torch.channels_last)  # batch norms learn, too
    epochs, batches = task.max_epochs or MAX_EPOCHS, math.ceil(len(train) / batch)
    weights = class_weights(task, train.targets)
    return Tuned(task, weights, started, network, steps=epochs * batches, deadline=deadline)


def fitted(
    task: FitTask, train: Part, validation: Part, started: float, deadline: float
) -> tuple[Tuned, Ended]:
    """Fine-tune within the time; with half the batch, and again half, where memory does not suffice.

    Several processes start anew for that, as some wait in the midst of a step (again.py): raises StartAgain.
    """
    batch, world = first_batch(task), ranks.here().world
    while True:
        share = ranks.share_of(batch)
        module = new_network(task, train, started, deadline=deadline, batch=share * world)
        try:
            return module, run(module, train, validation, plan(task, deadline, share))
        except (MemoryError, RuntimeError) as error:
            smaller = ranks.next_batch(batch, BATCHES) if ran_out_of_memory(error) else None
            if smaller is None or (world > 1 and not again.will_start_again()):
                raise
            if world > 1:
                left = again.Start(smaller, batch, time.time() - (time.monotonic() - started))
                again.leave_word(Path(task.work_folder), left)
                raise again.StartAgain(str(error)) from error
        del module
        say_smaller(batch, smaller)
        batch = smaller


def first_batch(task: FitTask) -> int:
    """The largest; where memory did not suffice for it in an earlier start of several processes, a smaller one."""
    word = again.told(Path(task.work_folder)) if ranks.here().world > 1 else None
    batch = int(ranks.agreed(word.batch if word else BATCHES[0]))
    if word and batch < BATCHES[0]:
        say_smaller(word.before, batch)
    return batch


def say_smaller(batch: int, smaller: int) -> None:
    """For the log."""
    tell(
        "note",
        code="smaller-batches",
        batch=smaller,
        message=f"There was not enough memory for {batch} pictures at a time; it goes on with {smaller}.",
    )


def plan(task: FitTask, deadline: float, batch: int) -> Plan:
    """A fixed small batch: with a few hundred pictures it is steps that are short."""
    return Plan(batch, task.max_epochs or MAX_EPOCHS, deadline, patience=None, half=True)


def exported(module: Tuned, best: dict[str, torch.Tensor], temperature: float) -> onnx.ModelProto:
    """The network at its best, as ONNX with `scores` and `embedding`."""
    network = module.network.cpu()
    network.load_state_dict(best)
    network = network.to(memory_format=torch.contiguous_format)
    example = torch.zeros(2, module.size, module.size, 3, dtype=torch.uint8)
    return export_network(Scores(network, temperature), example, outputs=["scores", "embedding"])
