"""One fine-tuning by several processes (ranks): which of them this is, what its share is, and how all agree.

With one process every function gives back what it was given.
"""

from __future__ import annotations

import math
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import torch
from torch import distributed, nn

from training.engine.data import Batches, Part
from training.engine.distributed import SEVERAL
from training.engine.lightning_import import Callback, pl
from training.engine.refusals import EngineRefusal

PATIENCE = timedelta(minutes=5)  # for one that went away without a word; a process that dies is seen at once
LEAST_SHARE = 4  # pictures; with fewer a rest of a pass is left out: it tells a batch norm nothing
BLOCK = 8  # pictures that validation computes at once, so that shares give the numbers of the whole


@dataclass(frozen=True)
class Ranks:
    """`rank` of `world` processes in all; `local_rank` of `local_world` on this machine."""

    rank: int = 0
    world: int = 1
    local_rank: int = 0
    local_world: int = 1


_here = Ranks()


def here() -> Ranks:
    """Which of the processes this is."""
    return _here


def connect() -> None:
    """Where torchrun started this process, meet the others. Raises EngineRefusal where cards are wanting."""
    global _here  # noqa: PLW0603 - a process has one place among the others
    if SEVERAL not in os.environ:
        return
    names = ("RANK", "WORLD_SIZE", "LOCAL_RANK", "LOCAL_WORLD_SIZE")
    found, cards = Ranks(*(int(os.environ[name]) for name in names)), torch.cuda.device_count()
    if 0 < cards < found.local_world:
        message = f"There are {found.local_world} processes here, and fewer graphics cards: {cards}."
        raise EngineRefusal("too-few-cards", message)
    if cards:
        torch.cuda.set_device(found.local_rank)
    distributed.init_process_group("nccl" if cards else "gloo", timeout=PATIENCE)
    _here = found


def leave() -> None:
    """The work that is shared is done."""
    if distributed.is_initialized():
        distributed.destroy_process_group()


def lost_one(error: BaseException) -> bool:
    """Whether an error says that another process went away."""
    words = ("closed by peer", "reset by peer", "Broken pipe", "Timed out", "gloo", "NCCL")
    return _here.world > 1 and isinstance(error, RuntimeError) and any(word in str(error) for word in words)


def next_batch(batch: int, sizes: Sequence[int]) -> int | None:
    """The largest smaller batch that leaves each process fewer pictures; None where there is none."""
    return next((size for size in sizes if size < batch and share_of(size) < share_of(batch)), None)


# ---- agreeing


def agreed(value: float) -> float:
    """What the first process says."""
    if _here.world == 1:
        return value
    box = torch.tensor([value], dtype=torch.float64, device=_device())
    distributed.broadcast(box, 0)
    return float(box)


def agreed_text(value: str) -> str:
    """What the first process says."""
    if _here.world == 1:
        return value
    box = [value]
    distributed.broadcast_object_list(box, 0, device=_device())
    return box[0]


def all_can(able: bool) -> bool:
    """Whether it holds for every process."""
    if _here.world == 1:
        return able
    box = torch.tensor([float(able)], device=_device())
    distributed.all_reduce(box, distributed.ReduceOp.MIN)
    return bool(box)


def gathered(mine: torch.Tensor, dim: int) -> torch.Tensor:
    """What all hold, joined along `dim` in the order of ranks; on the processor."""
    if _here.world == 1:
        return mine
    length = torch.tensor([mine.shape[dim]], device=_device())
    lengths = [torch.zeros_like(length) for _ in range(_here.world)]
    distributed.all_gather(lengths, length)
    longest = max(int(each) for each in lengths)
    padded = mine.new_zeros([longest if at == dim else size for at, size in enumerate(mine.shape)])
    padded.narrow(dim, 0, mine.shape[dim]).copy_(mine)
    padded = padded.to(_device()).contiguous()
    every = [torch.zeros_like(padded) for _ in range(_here.world)]
    distributed.all_gather(every, padded)
    pieces = [each.narrow(dim, 0, int(n)) for each, n in zip(every, lengths, strict=True)]
    return torch.cat(pieces, dim).cpu()


def _device() -> torch.device:
    cards = distributed.get_backend() == "nccl"
    return torch.device("cuda", _here.local_rank) if cards else torch.device("cpu")


# ---- shares


def share_of(batch: int) -> int:
    """Pictures of a batch for each process, so that all of them together learn from about `batch` at a time."""
    return max(LEAST_SHARE, math.ceil(batch / _here.world))


def share_to_validate(part: Part) -> Part:
    """The pictures that this process looks at: whole blocks, in order; where that leaves one idle, all of them."""
    each = math.ceil(math.ceil(len(part) / _here.world) / BLOCK) * BLOCK
    if each * (_here.world - 1) >= len(part):
        return part
    mine = slice(_here.rank * each, (_here.rank + 1) * each)
    return Part(part.inputs, part.rows[mine], part.targets[mine])


class SharedBatches(Batches):
    """This process's share of each batch. All go through the same order, as the seed is the same; each batch
    is cut into as many equal pieces as there are processes. `size`: pictures of one share."""

    def __len__(self) -> int:
        return sum(1 for _ in self._cuts(self._padded()))

    def __iter__(self):  # type: ignore[no-untyped-def]
        order = np.resize(
            self.order(), self._padded()
        )  # the first are taken again where it does not come out even
        for start, share in self._cuts(len(order)):
            mine = start + _here.rank * share
            yield self.part.take(order[mine : mine + share])

    def _padded(self) -> int:
        return math.ceil(len(self.part) / _here.world) * _here.world

    def _cuts(self, count: int):  # type: ignore[no-untyped-def]
        block = self.size * _here.world
        for start in range(0, count, block):
            share = min(block, count - start) // _here.world
            if share >= LEAST_SHARE or not start:
                yield start, share


# ---- Lightning


class Together(Callback):  # type: ignore[misc]
    """What Lightning leaves to its users: equal statistics to validate with, and a quick end when told to."""

    def on_train_start(self, *_: Any) -> None:
        # Lightning's own handler waits for the other processes, which may be what is gone.
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def on_validation_start(self, _trainer: pl.Trainer, module: nn.Module) -> None:
        for buffer in module.buffers():
            distributed.broadcast(buffer.data, 0)


def trainer_fields() -> dict[str, Any]:
    """Which devices Lightning's Trainer takes, and how they work together."""
    if _here.world == 1:
        return {"devices": 1}
    nodes = _here.world // _here.local_world
    return {
        "devices": _here.local_world,
        "num_nodes": nodes,
        "strategy": "ddp",
        "use_distributed_sampler": False,
    }


def callbacks() -> list[Callback]:
    """What several processes need beside."""
    return [Together()] if _here.world > 1 else []
