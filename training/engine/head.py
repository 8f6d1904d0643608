"""A linear head on cached features: multinomial logistic regression, several strengths of it at once."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from training.engine import kept
from training.engine.data import Part, class_weights
from training.engine.loop import FittedModule, Plan, run_again
from training.engine.refusals import EngineRefusal
from training.engine.spec import FitTask

# Strength of the L2 penalty on the mean loss, in standardised features. All are fitted side by side (one
# batched product) and validation chooses. scikit-learn's C is 1 / (strength * pictures).
STRENGTHS = (0.003, 0.01, 0.03, 0.1, 0.3)
# Adam's first steps then move each logit by about a half, whatever the number of features: 5e-4 for 1,280.
LOGIT_STEP, FASTEST = 0.64, 0.05
MAX_EPOCHS = 200


class Head(FittedModule):
    """Logits of [c] candidates: standardised features [n, d] times weight [c, d, k] plus bias [c, k].

    The problem is convex and starts at zero, so every candidate ends at one well-defined place.
    """

    def __init__(
        self,
        task: FitTask,
        weights: torch.Tensor | None,
        started: float,
        mean: np.ndarray,
        std: np.ndarray,
        *,
        strengths: tuple[float, ...] = STRENGTHS,
        validated: bool = True,
    ) -> None:
        super().__init__(task, weights, started)
        count, self.validated = len(strengths), validated
        self.register_buffer("mean", torch.from_numpy(mean.astype(np.float32)))
        self.register_buffer("std", torch.from_numpy(std.astype(np.float32)))
        self.register_buffer("strengths", torch.tensor(strengths), persistent=False)
        self.weight = nn.Parameter(torch.zeros(count, len(mean), len(task.labels)))
        self.bias = nn.Parameter(torch.zeros(count, 1, len(task.labels)))

    def candidate_logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """Features as stored [n, d] -> [c, n, k]."""
        standardised = (inputs.float() - self.mean) / self.std
        return torch.matmul(standardised, self.weight) + self.bias

    def candidate_weights(self, candidate: int) -> dict[str, torch.Tensor]:
        return {"weight": self.weight[candidate], "bias": self.bias[candidate, 0]}

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _index: int) -> torch.Tensor:
        inputs, targets = batch
        logits = self.candidate_logits(inputs)
        every = nn.functional.cross_entropy(
            logits.flatten(0, 1), targets.repeat(len(logits)), self.loss_weights, reduction="none"
        )
        losses = every.view(len(logits), -1).mean(1)
        penalties = 0.5 * self.strengths * self.weight.square().sum((1, 2))
        self.count_loss(losses.min(), len(targets))
        return (losses + penalties).sum()  # the candidates share nothing, so the sum fits each by itself

    def chosen(self) -> dict[str, float]:
        assert self.best is not None
        return {"strength": round(float(self.strengths[self.best.candidate]), 6)}

    def configure_optimizers(self) -> object:
        rate = min(FASTEST, LOGIT_STEP / len(self.mean))
        optimiser = torch.optim.Adam(self.parameters(), lr=rate)
        if not self.validated:
            return optimiser
        slower = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.3, patience=1, threshold=1e-3)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": slower, "monitor": "val_loss"}}


def new_head(task: FitTask, train: Part, weights: torch.Tensor | None, started: float) -> Head:
    """A head at zero, or where an earlier one stood, with the training features' mean and deviation."""
    mean, std = moments(train)
    return begun(Head(task, weights, started, mean, std))


def begun(head: Head) -> Head:
    """Moved to where the task says that it starts: every candidate, in its own standardisation."""
    if head.task.start_from:
        weight, bias = kept.rows(kept.read(Path(head.task.start_from)), head.task.labels)
        if weight.shape[1] != len(head.mean):
            raise kept.differs()
        with torch.no_grad():
            head.weight.copy_((weight.T * head.std[:, None]).expand_as(head.weight))
            head.bias.copy_((bias + weight @ head.mean).expand_as(head.bias))
    return head


def refitted(head: Head, train: Part, validation: Part, deadline: float) -> Head | None:
    """The same head on training and validation pictures together, with the strength and the number of
    epochs that validation chose; None when the time did not suffice. A sixth more pictures made it one point
    better on average (docs/training-choices.md)."""
    assert head.best is not None
    everything = train.joined(validation)
    weights = class_weights(head.task, everything.targets)
    strength = (head.chosen()["strength"],)
    again = begun(
        Head(head.task, weights, head.started, *moments(everything), strengths=strength, validated=False)
    )
    steps = plan(head.task, everything, deadline)
    return again if run_again(again, everything, replace(steps, max_epochs=head.best.epoch)) else None


def plan(task: FitTask, train: Part, deadline: float) -> Plan:
    """About sixteen steps an epoch: small sets get enough of them, large ones large products."""
    return Plan(min(1024, max(32, len(train) // 16)), task.max_epochs or MAX_EPOCHS, deadline, task.patience)


def moments(train: Part) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of each feature, float64 [d]; 1 where a feature never changes."""
    total = np.zeros(train.inputs.shape[1])
    square = np.zeros_like(total)
    for inputs, _ in train.chunks():
        values = inputs.numpy().astype(np.float64)
        total, square = total + values.sum(0), square + np.square(values).sum(0)
    mean = total / len(train)
    if not (np.isfinite(total) & np.isfinite(square)).all():
        raise EngineRefusal("features-not-finite", "The features hold values that are not numbers.")
    deviation = np.sqrt(np.maximum(square / len(train) - mean**2, 0))
    return mean, np.where(deviation > 1e-6, deviation, 1.0)


def folded(head: Head, weights: dict[str, torch.Tensor], temperature: float) -> tuple[np.ndarray, np.ndarray]:
    """weight [k, d] and bias [k] that act on features as they are: standardisation and temperature inside."""
    mean, std = head.mean.double().cpu(), head.std.double().cpu()
    weight = weights["weight"].detach().cpu().double() / std[:, None]
    bias = weights["bias"].detach().cpu().double() - mean @ weight
    return (weight.T / temperature).numpy(), (bias / temperature).numpy()
