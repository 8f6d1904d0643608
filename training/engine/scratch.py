"""Where no pretrained weights can be had: a small convolutional network of our own, fitted from nothing.

Sized for a few hundred pictures of 64 by 64 and one or two processor cores. It is far weaker than a head on
pretrained features, and the pages say so.
"""

from __future__ import annotations

import copy
from pathlib import Path

import onnx
import torch
from torch import nn
from torch.nn import functional

from training.engine import kept
from training.engine.backbones import Normalised
from training.engine.data import Part
from training.engine.export import export_network
from training.engine.loop import FittedModule, Plan
from training.engine.spec import FitTask

WIDTHS = (32, 64, 128, 192)
LEARNING_RATE, WEIGHT_DECAY, SMOOTHING = 2e-3, 5e-2, 0.05
MAX_EPOCHS = 150


def _block(inside: int, outside: int, stride: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU(inplace=True)
    )


class Residual(nn.Module):  # type: ignore[misc]
    """x + block(x): lets the deeper stages start as if they were not there (He et al. 2016)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.block = _block(width, width, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.block(x)


class Network(nn.Module):  # type: ignore[misc]
    """Normalised pictures float32 [n, 3, s, s] -> (logits [n, k], embedding [n, 192])."""

    def __init__(self, labels: int) -> None:
        super().__init__()
        first, *others = WIDTHS
        stages: list[nn.Module] = [_block(3, first, 2)]
        for inside, outside in zip(WIDTHS, others, strict=False):
            stages += [_block(inside, outside, 1), nn.MaxPool2d(2), Residual(outside)]
        self.features = nn.Sequential(*stages, nn.AdaptiveAvgPool2d(1), nn.Flatten(1))
        self.classifier = nn.Linear(WIDTHS[-1], labels)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        embedding = self.features(pictures)
        return self.classifier(embedding), embedding


class Scores(nn.Module):  # type: ignore[misc]
    """(logits, embedding) -> (scores, embedding), the temperature inside."""

    def __init__(self, network: nn.Module, temperature: float) -> None:
        super().__init__()
        self.network, self.temperature = network, temperature

    def forward(self, images: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        logits, embedding = self.network(images)
        return (logits / self.temperature).softmax(1), embedding


class Scratch(FittedModule):
    """Trains one network and validates its running average, which is steadier and a little better
    (Polyak and Juditsky 1992)."""

    def __init__(
        self, task: FitTask, weights: torch.Tensor | None, started: float, shape: tuple[int, ...]
    ) -> None:
        super().__init__(task, weights, started)
        self.shape = shape
        self.network = Normalised(Network(len(task.labels)))
        self.average = copy.deepcopy(self.network).requires_grad_(False)

    def candidate_logits(self, inputs: torch.Tensor) -> torch.Tensor:
        """uint8 [n, s, s, 3] -> [1, n, k]."""
        self.average.eval()
        logits: torch.Tensor = self.average(inputs)[0]
        return logits[None]

    def candidate_weights(self, candidate: int) -> dict[str, torch.Tensor]:
        return dict(self.average.state_dict())

    def training_step(self, batch: tuple[torch.Tensor, torch.Tensor], _index: int) -> torch.Tensor:
        inputs, targets = batch
        logits, _ = self.network(augmented(inputs))
        loss = functional.cross_entropy(logits, targets, self.loss_weights, label_smoothing=SMOOTHING)
        self.count_loss(loss, len(targets))
        return loss

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def on_train_batch_end(self, *_: object) -> None:
        step = self.global_step
        keep = min(0.99, step / (step + 10))
        for mean, now in zip(
            self.average.state_dict().values(), self.network.state_dict().values(), strict=True
        ):
            if mean.is_floating_point():
                mean.lerp_(now, 1 - keep)
            else:
                mean.copy_(now)

    def configure_optimizers(self) -> dict[str, object]:
        decayed = [each for each in self.network.parameters() if each.ndim > 1]
        others = [each for each in self.network.parameters() if each.ndim <= 1]
        optimiser = torch.optim.AdamW(
            [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": others, "weight_decay": 0.0}],
            lr=LEARNING_RATE,
        )
        slower = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.4, patience=2)
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": slower, "monitor": "val_loss"}}


def augmented(images: torch.Tensor) -> torch.Tensor:
    """uint8 [n, s, s, 3] -> float32 0..255, each mirrored, shifted by up to an eighth and recoloured."""
    count, size = len(images), images.shape[1]
    x = images.permute(0, 3, 1, 2).float()
    mirrored = torch.rand(count, device=x.device) < 0.5
    x = torch.where(mirrored[:, None, None, None], x.flip(3), x)
    x = _shifted(x, max(1, size // 8))
    gain = 1 + 0.4 * (torch.rand(count, 1, 1, 1, device=x.device) - 0.5)
    tint = 1 + 0.1 * (torch.rand(count, 3, 1, 1, device=x.device) - 0.5)
    contrast = 1 + 0.4 * (torch.rand(count, 1, 1, 1, device=x.device) - 0.5)
    mean = x.mean((1, 2, 3), keepdim=True)
    x = ((x - mean) * contrast + mean) * gain * tint
    return x.clamp(0, 255).permute(0, 2, 3, 1)


def _shifted(x: torch.Tensor, reach: int) -> torch.Tensor:
    """Each picture moved by its own whole number of pixels; the edge is mirrored inwards."""
    count, _, size, _ = x.shape
    padded = functional.pad(x, (reach,) * 4, mode="reflect")
    steps = torch.arange(size, device=x.device)
    top = torch.randint(0, 2 * reach + 1, (count, 1), device=x.device) + steps
    left = torch.randint(0, 2 * reach + 1, (count, 1), device=x.device) + steps
    return padded[
        torch.arange(count, device=x.device)[:, None, None], :, top[:, :, None], left[:, None, :]
    ].permute(0, 3, 1, 2)


def new_network(task: FitTask, train: Part, weights: torch.Tensor | None, started: float) -> Scratch:
    """A fresh network for these pictures, or one as an earlier fit left it."""
    module = Scratch(task, weights, started, train.inputs.shape[1:])
    if task.start_from:
        start = kept.read(Path(task.start_from))
        for network in (module.network, module.average):
            kept.put_into(network, start, task.labels)
    return module


def plan(task: FitTask, train: Part, deadline: float) -> Plan:
    """Small batches: with a few hundred pictures it is steps that are short, not their size."""
    return Plan(min(128, max(16, len(train) // 16)), task.max_epochs or MAX_EPOCHS, deadline, task.patience)


def exported(module: Scratch, best: dict[str, torch.Tensor], temperature: float) -> onnx.ModelProto:
    """The averaged network at its best, as ONNX with `scores` and `embedding`."""
    network = module.average.cpu()
    network.load_state_dict(best)
    example = torch.zeros(2, *module.shape, dtype=torch.uint8)
    return export_network(Scores(network, temperature), example, outputs=["scores", "embedding"])
