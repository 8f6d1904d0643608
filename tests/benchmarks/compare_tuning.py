"""Compares ways of fine-tuning on real photographs, over sets and seeds, all with the same rounds.

    TAXON_TEST_DATA=… TAXON_WEIGHTS_DIR=… python -m tests.benchmarks.compare_tuning mixup=0.2 dropout=0.5 [--seeds 5]

For each way: held-back accuracy, and the paired difference to the plain way, as docs/training-choices.md holds them.
Most of a minute of one core for each way, set and seed.
"""

from __future__ import annotations

import argparse
import copy
import math
import os
import statistics
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from torch import nn
from torch.nn import functional

from datasets.pixels import spec_for, to_pixels
from tests.benchmarks.fit_measurement import BACKBONE, pictures
from training.engine import augment
from training.engine.backbones import Normalised, feature_network
from training.engine.tune import Classifier
from training.engine.weights import find_weights

SETS = ("fer2013-small", "flowers5", "garbage6")
SIDE, ROOM, ROUNDS, BATCH, RATE, WARM_UP = 96, 1.15, 12, 32, 1e-3, 0.1


@dataclass(frozen=True)
class Way:
    """Settings of a fine-tuning; the defaults are what the product does."""

    area: float = 0.75  # the least share of a picture that a crop shows; 1 with no turns is `light`
    light: int = 0
    smoothing: float = 0.0
    mixup: float = 0.0
    cutmix: float = 0.0  # a piece of another picture in the place of its own (Yun et al. 2019)
    dropout: float = 0.2
    average: float = 0.0  # of the weights, by this much a step
    slower: float = 1.0  # each stage before the last learns so much slower
    gradual: int = 0  # the last stages first
    decay: float = 1e-4
    regression: int = 0  # begin with logistic regression as the last layer
    plateau: int = 0  # halve the rate where validation stands still, and end, instead of a cosine


@dataclass(frozen=True)
class Data:
    """uint8 [n, s, s, 3] larger and at the input's size, classes, and which are for what."""

    larger: torch.Tensor
    plain: torch.Tensor
    classes: torch.Tensor
    train: np.ndarray
    validation: np.ndarray
    held_back: np.ndarray


def read(name: str, seed: int) -> Data:
    """One split of a set: a fifth held back, 15 % of the rest to validate on."""
    every = list(pictures(Path(os.environ["TAXON_TEST_DATA"]), name))
    labels = sorted({label for label, _ in every})
    classes = np.array([labels.index(label) for label, _ in every])
    larger, plain = (
        torch.from_numpy(np.stack([to_pixels(content, spec_for(side)) for _, content in every]))
        for side in (round(ROOM * SIDE), SIDE)
    )
    rest, held_back = train_test_split(
        np.arange(len(every)), test_size=0.2, stratify=classes, random_state=seed
    )
    train, validation = train_test_split(rest, test_size=0.15, stratify=classes[rest], random_state=seed)
    return Data(larger, plain, torch.from_numpy(classes), train, validation, held_back)


def network_for(data: Data, way: Way) -> nn.Module:
    """Pretrained features and a new last layer."""
    found = find_weights(BACKBONE, folder=Path(os.environ["TAXON_WEIGHTS_DIR"]), download=False)
    assert found, f"no weights of {BACKBONE}"
    features = feature_network(BACKBONE, found)
    with torch.inference_mode():
        known = torch.cat([features(part) for part in data.plain[data.train].split(64)])
    network = Normalised(Classifier(features.inside, known.shape[1], int(data.classes.max()) + 1))
    network.inside.dropout.p = way.dropout
    if way.regression:
        begin_with_regression(network.inside.classifier, known.numpy(), data.classes[data.train].numpy())
    return network.to(memory_format=torch.channels_last)


def begin_with_regression(layer: nn.Linear, known: np.ndarray, classes: np.ndarray) -> None:
    """Set the last layer to a logistic regression on the frozen features."""
    mean, deviation = known.mean(0), known.std(0) + 1e-6
    found = LogisticRegression(C=0.01, max_iter=300).fit((known - mean) / deviation, classes)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(found.coef_ / deviation))
        layer.bias.copy_(torch.tensor(found.intercept_ - found.coef_ @ (mean / deviation)))


def optimiser_for(network: nn.Module, way: Way) -> torch.optim.Optimizer:
    """AdamW; kernels alone decay; the last layer learns five times as fast."""
    stages = list(network.inside.features.children())
    stages = list(stages[0].children()) if len(stages) <= 2 else stages
    groups = []
    for place, stage in enumerate(stages):
        rate = RATE * way.slower ** (len(stages) - 1 - place)
        for kernels, decay in ((True, way.decay), (False, 0.0)):
            some = [each for each in stage.parameters() if (each.ndim > 1) == kernels]
            groups.append({"params": some, "lr": rate, "weight_decay": decay})
    head = RATE * (1.0 if way.regression else 5.0)
    groups.append(
        {"params": list(network.inside.classifier.parameters()), "lr": head, "weight_decay": way.decay}
    )
    return torch.optim.AdamW([group for group in groups if group["params"]])


def thaw(network: nn.Module, epoch: int) -> None:
    """The last stage alone for a round, the later half for two, then all."""
    stages = list(network.inside.features.children())
    stages = list(stages[0].children()) if len(stages) <= 2 else stages
    first = len(stages) if epoch < 1 else len(stages) // 2 if epoch < 3 else 0
    for place, stage in enumerate(stages):
        stage.requires_grad_(place >= first)


def step_loss(
    network: nn.Module, way: Way, data: Data, chosen: np.ndarray, random: torch.Generator
) -> torch.Tensor:
    """The loss of one batch."""
    images, classes = data.larger[chosen], data.classes[chosen]
    wanted = functional.one_hot(classes, int(data.classes.max()) + 1).float()
    varied = augment.plain(images, SIDE) if way.light else augment.varied(images, SIDE, random)
    if way.light:
        mirrored = torch.rand(len(varied), generator=random) < 0.5
        varied = torch.where(mirrored[:, None, None, None], varied.flip(2), varied)
    if way.cutmix:
        varied, wanted = cut_and_mixed(varied, wanted, way.cutmix, int(chosen.sum()), random)
    if way.mixup:
        share = float(np.random.default_rng(int(chosen.sum())).beta(way.mixup, way.mixup))
        others = torch.randperm(len(chosen), generator=random)
        varied = share * varied + (1 - share) * varied[others]
        wanted = share * wanted + (1 - share) * wanted[others]
    return functional.cross_entropy(network(varied)[0], wanted, label_smoothing=way.smoothing)


def cut_and_mixed(
    images: torch.Tensor, wanted: torch.Tensor, alpha: float, seed: int, random: torch.Generator
) -> tuple[torch.Tensor, torch.Tensor]:
    """A rectangle of each picture comes from another of the batch, and so much of the label. [n, s, s, 3], [n, k].

    Its area is drawn from Beta(alpha, alpha), its middle evenly over the picture, so it may reach over the edge.
    """
    dice, side = np.random.default_rng(seed), images.shape[1]
    half = math.sqrt(1 - dice.beta(alpha, alpha)) * side / 2
    top, left = (
        slice(*np.clip([at - half, at + half], 0, side).round().astype(int))
        for at in dice.uniform(0, side, 2)
    )
    others = torch.randperm(len(images), generator=random)
    mixed = images.clone()
    mixed[:, top, left] = images[others][:, top, left]
    share = 1 - (top.stop - top.start) * (left.stop - left.start) / side**2
    return mixed, share * wanted + (1 - share) * wanted[others]


def judged(network: nn.Module, data: Data, which: np.ndarray) -> tuple[float, float]:
    """Accuracy and loss."""
    network.eval()
    with torch.inference_mode():
        logits = torch.cat([network(part.float())[0] for part in data.plain[which].split(64)])
    right = (logits.argmax(1) == data.classes[which]).float().mean().item()
    return right, functional.cross_entropy(logits, data.classes[which]).item()


def accuracy(data: Data, way: Way, seed: int) -> float:
    """Held-back accuracy after a fine-tuning in this way."""
    torch.manual_seed(seed)
    augment.LEAST_AREA = way.area
    network, random = network_for(data, way), torch.Generator().manual_seed(seed)
    optimiser = optimiser_for(network, way)
    steps = ROUNDS * math.ceil(len(data.train) / BATCH)
    factor, step, still, best = 1.0, 0, 0, (math.inf, network.state_dict())
    rates = [group["lr"] for group in optimiser.param_groups]
    average = copy.deepcopy(network) if way.average else network
    for epoch in range(ROUNDS):
        network.train()
        if way.gradual:
            thaw(network, epoch)
        order = torch.randperm(len(data.train), generator=random).numpy()
        for chosen in np.array_split(data.train[order], math.ceil(len(order) / BATCH)):
            used = step / steps
            down = factor if way.plateau else 0.5 * (1 + math.cos(math.pi * used))
            for group, rate in zip(optimiser.param_groups, rates, strict=True):
                group["lr"] = rate * min(1, (step + 1) / (WARM_UP * steps)) * down
            optimiser.zero_grad()
            step_loss(network, way, data, chosen, random).backward()
            optimiser.step()
            step += 1
            if way.average:
                follow(average, network, min(way.average, step / (step + 10)))
        if way.plateau:
            loss = judged(average, data, data.validation)[1]
            still = 0 if loss < best[0] - 1e-3 else still + 1
            best = (loss, copy.deepcopy(average.state_dict())) if not still else best
            factor *= 0.5 if still and still % 4 == 0 else 1
            if still >= 5:
                break
    if way.plateau:
        average.load_state_dict(best[1])
    return judged(average, data, data.held_back)[0]


@torch.no_grad()
def follow(average: nn.Module, network: nn.Module, keep: float) -> None:
    """A running average of the weights."""
    for ours, theirs in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if ours.is_floating_point():
            ours.lerp_(theirs, 1 - keep)
        else:
            ours.copy_(theirs)


def way_of(text: str) -> Way:
    """`mixup=0.2` or `mixup=0.2,dropout=0.5`."""
    kinds = {field.name: type(field.default) for field in fields(Way)}
    pairs = [part.split("=") for part in text.split(",")]
    return replace(Way(), **{name: kinds[name](value) for name, value in pairs})


def main() -> None:
    """Print a line for each way."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ways", nargs="+")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sets", default=",".join(SETS))
    asked = parser.parse_args()
    torch.set_num_threads(1)
    for name in asked.sets.split(","):
        splits = [read(name, seed) for seed in range(asked.seeds)]
        plain = [accuracy(data, Way(), seed) for seed, data in enumerate(splits)]
        print(f"{name}: plain {statistics.mean(plain):.1%}", flush=True)
        for text in asked.ways:
            found = [accuracy(data, way_of(text), seed) for seed, data in enumerate(splits)]
            gains = [100 * (ours - theirs) for ours, theirs in zip(found, plain, strict=True)]
            error = statistics.stdev(gains) / math.sqrt(len(gains)) if len(gains) > 1 else math.nan
            print(
                f"  {text}: {statistics.mean(found):.1%}, {statistics.mean(gains):+.1f} ± {error:.1f}",
                flush=True,
            )


if __name__ == "__main__":
    main()
