"""What a later fit may go on from: a fit's best weights with their labels. Tensors and text alone; nothing runs."""

from __future__ import annotations

import hashlib
import pickle
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from torch import nn

from training.engine.refusals import EngineRefusal

FILE = "weights.pth"
CLASSIFIER = ("inside.classifier.weight", "inside.classifier.bias")  # a row for each label


@dataclass(frozen=True)
class Kept:
    """`method`: head, fine-tuned or scratch. `tensors`: a state dict; of a head only CLASSIFIER, [k, d] and [k], which
    act on features as they are."""

    method: str
    backbone: str
    labels: list[str]
    tensors: dict[str, torch.Tensor]


def write(kept: Kept, path: Path) -> str:
    """Write it in one piece; the content's sha256."""
    tensors = {name: each.detach().cpu().contiguous() for name, each in kept.tensors.items()}
    part = path.with_name(path.name + ".part")
    torch.save(asdict(Kept(kept.method, kept.backbone, list(kept.labels), {})) | {"tensors": tensors}, part)
    part.replace(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read(path: Path) -> Kept:
    """Raises EngineRefusal(`start-unreadable`)."""
    try:
        kept = Kept(**torch.load(path, map_location="cpu", weights_only=True))
    except (OSError, RuntimeError, ValueError, EOFError, TypeError, pickle.UnpicklingError) as error:
        raise EngineRefusal(
            "start-unreadable", "The weights of the version to go on from cannot be read."
        ) from error
    return kept


def rows(kept: Kept, labels: list[str]) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight [k, d] and bias [k] of the last layer for `labels`: matched by name, zero where a label is new."""
    try:
        weight, bias = (kept.tensors[name].float() for name in CLASSIFIER)
    except KeyError as error:
        raise differs() from error
    places = {label: at for at, label in enumerate(kept.labels)}
    found = torch.zeros(len(labels), weight.shape[1]), torch.zeros(len(labels))
    for at, label in enumerate(labels):
        if label in places:
            found[0][at], found[1][at] = weight[places[label]], bias[places[label]]
    return found


def put_into(network: nn.Module, kept: Kept, labels: list[str]) -> None:
    """Load a whole network's state; the last layer by the labels' names. Raises EngineRefusal(`start-differs`)."""
    state = dict(kept.tensors)
    state.update(zip(CLASSIFIER, rows(kept, labels), strict=True))
    try:
        network.load_state_dict(state, strict=True)
    except RuntimeError as error:
        raise differs() from error


def differs() -> EngineRefusal:
    """The weights are another network's."""
    return EngineRefusal("start-differs", "The weights of the version to go on from do not fit this network.")
