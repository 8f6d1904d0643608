"""Leaving the first layers of a network as they are: fewer numbers to learn, and no backward pass through them."""

from __future__ import annotations

from torch import nn

from training.engine.refusals import EngineRefusal

NESTS = ("features", "trunk_output", "encoder", "layers")  # torchvision's names for what holds stages


def stages(network: nn.Module) -> list[nn.Module]:
    """What a network without its last layer consists of, from the picture on; each part can learn."""
    found: list[nn.Module] = []
    for name, child in network.named_children():
        found += stages(child) if name in NESTS else [child]
    return [each for each in found if any(True for _ in each.parameters())]


def freeze(network: nn.Module, count: int) -> None:
    """Keep the first `count` stages as they are, their batch norms' statistics too.

    Numbers that belong to no stage (a transformer's places and class token) come before the first.
    Raises EngineRefusal where there are fewer stages.
    """
    every = stages(network)
    if count > len(every):
        raise EngineRefusal("frozen-stages", f"There are {len(every)} stages; {count} cannot be frozen.")
    if not count:
        return
    inside = {id(each) for stage in every for each in stage.parameters()}
    for loose in network.parameters():
        if id(loose) not in inside:
            loose.requires_grad_(False)
    for stage in every[:count]:
        stage.requires_grad_(False).eval()
