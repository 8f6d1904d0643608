"""The arrays of a fit: read, checked, and handed out in shuffled batches."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training.engine.refusals import EngineRefusal
from training.engine.spec import TRAIN, VALIDATION, FitTask

_CHUNK = 4096


@dataclass(frozen=True)
class Part:
    """One part of the split. `rows`: int64 [m], into `inputs`; `targets`: int64 [m]."""

    inputs: np.ndarray
    rows: np.ndarray
    targets: torch.Tensor

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, positions: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """The pictures at these positions of the part: inputs as stored, targets int64."""
        return torch.from_numpy(self.inputs[self.rows[positions]]), self.targets[torch.from_numpy(positions)]

    def joined(self, other: Part) -> Part:
        """Both parts of the same inputs as one."""
        rows, targets = np.concatenate([self.rows, other.rows]), torch.cat([self.targets, other.targets])
        return Part(self.inputs, rows, targets)

    def chunks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """All of it in order, a few thousand at a time, so that a large array stays on disk."""
        for start in range(0, len(self), _CHUNK):
            yield self.take(np.arange(start, min(start + _CHUNK, len(self))))


class Batches:
    """Batches of a part for Lightning: shuffled anew each pass (same seed, same order), or in order.

    `balanced`: each batch has as many pictures of each label as of any other, as far as its size allows; a
    pass is as long as ever, so it leaves out some of a large label and repeats those of a small one.
    A DataLoader would collect the pictures one by one, which costs more than the fit itself.
    """

    def __init__(self, part: Part, size: int, *, seed: int | None = None, balanced: bool = False) -> None:
        self.part, self.size, self.balanced = part, size, balanced
        self.random = None if seed is None else np.random.default_rng(seed)

    def __len__(self) -> int:
        return math.ceil(len(self.part) / self.size)

    def __iter__(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        order = self.order()
        for start in range(0, len(order), self.size):
            yield self.part.take(order[start : start + self.size])

    def order(self) -> np.ndarray:
        """The positions of one pass, int64 [len(part)]."""
        if self.random is None:
            return np.arange(len(self.part))
        if self.balanced:
            return evenly(self.part.targets.numpy(), self.random)
        return self.random.permutation(len(self.part))


def evenly(targets: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """As many positions as `targets` has, int64: in each round one of each label, the labels in another order.

    Each label's pictures come in shuffled turns: none for the second time before all have been there once.
    """
    labels, count = np.unique(targets), len(targets)
    rounds = math.ceil(count / len(labels))
    streams = np.stack([_turns(np.flatnonzero(targets == each), rounds, random) for each in labels])
    mixed: np.ndarray = random.permuted(streams.T, axis=1).ravel()[:count]
    return mixed


def _turns(positions: np.ndarray, wanted: int, random: np.random.Generator) -> np.ndarray:
    turns = [random.permutation(positions) for _ in range(math.ceil(wanted / len(positions)))]
    return np.concatenate(turns)[:wanted]


def read_parts(task: FitTask) -> tuple[Part, Part]:
    """Training and validation, checked. Raises EngineRefusal with a sentence about the data."""
    inputs = _array(task.features or task.pixels or "")
    targets, split = _array(task.targets).astype(np.int64), _array(task.split)
    _check_shapes(task, inputs, targets, split)
    parts = []
    for which in (TRAIN, VALIDATION):
        rows = np.flatnonzero(split == which)
        parts.append(Part(inputs, rows, torch.from_numpy(targets[rows])))
    train, validation = parts
    missing = set(range(len(task.labels))) - set(train.targets.tolist())
    if missing:
        names = ", ".join(task.labels[index] for index in sorted(missing))
        raise EngineRefusal("label-without-pictures", f"These labels have no picture to train on: {names}.")
    if not len(validation):
        raise EngineRefusal("no-validation", "There is no picture to validate on.")
    return train, validation


def _array(path: str) -> np.ndarray:
    try:
        array: np.ndarray = np.load(Path(path), mmap_mode="r", allow_pickle=False)
        return array
    except (OSError, ValueError, EOFError) as error:
        raise EngineRefusal("array-unreadable", f"{Path(path).name} cannot be read: {error}.") from error


def _check_shapes(task: FitTask, inputs: np.ndarray, targets: np.ndarray, split: np.ndarray) -> None:
    if len({len(inputs), len(targets), len(split)}) > 1 or targets.ndim != 1 or split.ndim != 1:
        raise EngineRefusal("arrays-differ", "Inputs, targets and split do not have the same number of rows.")
    known = split <= VALIDATION
    if known.any() and not (targets[known].min() >= 0 and targets[known].max() < len(task.labels)):
        raise EngineRefusal("target-unknown", "A target is not the number of a label.")
    if task.pixels is not None:
        if inputs.ndim != 4 or inputs.shape[3] != 3 or inputs.dtype != np.uint8:
            raise EngineRefusal("array-shape", "Pixels must be uint8 [n, s, s, 3].")
    elif inputs.ndim != 2 or inputs.dtype not in (np.float16, np.float32):
        raise EngineRefusal("array-shape", "Features must be float16 or float32 [n, d].")


def class_weights(task: FitTask, targets: torch.Tensor) -> torch.Tensor | None:
    """What each label's pictures count, float32 [k] with mean 1 over the pictures; None for equal weights.

    Inverse to the label's count but for `off` and, where the largest has at most 1.5 times the pictures of the
    smallest, for `auto`. With `balanced` the batches see to it in training, and these weights only judge.
    """
    if isinstance(task.class_weights, list):
        if len(task.class_weights) != len(task.labels) or min(task.class_weights) <= 0:
            raise EngineRefusal("class-weights", "There must be one positive weight for each label.")
        weights = torch.tensor(task.class_weights, dtype=torch.float32)
        return weights / weights[targets].mean()
    counts = torch.bincount(targets, minlength=len(task.labels)).float()
    even = task.class_weights == "auto" and counts.max() <= 1.5 * counts.min()
    if even or task.class_weights == "off":
        return None
    return len(targets) / (len(counts) * counts)
