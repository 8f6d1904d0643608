"""The stages of a pretrained network, from the picture on, and how fast each goes on learning."""

from __future__ import annotations

from torch import nn

NESTS = ("features", "trunk_output", "encoder", "layers")  # torchvision's names for what holds stages
FIRST = 0.05  # how fast the first stage learns beside the last one


def stages(network: nn.Module) -> list[list[nn.Parameter]]:
    """The numbers of each part that learns of a network without its last layer.

    Those that belong to no part (a transformer's places and class token) come with the first.
    """
    found = [list(each.parameters()) for each in parts(network)]
    inside = {id(number) for stage in found for number in stage}
    loose = [number for number in network.parameters() if id(number) not in inside]
    return [loose + found[0], *found[1:]] if found else [loose]


def parts(network: nn.Module) -> list[nn.Module]:
    """The modules in order; what only holds others is looked into."""
    found: list[nn.Module] = []
    for name, child in network.named_children():
        found += parts(child) if name in NESTS else [child]
    return [each for each in found if any(True for _ in each.parameters())]


def share_of_rate(place: int, count: int) -> float:
    """Of stage `place` of `count`: what early layers know of pictures holds for all of them (Howard and Ruder 2018,
    with one step from first to last for any depth)."""
    return float(FIRST ** ((count - 1 - place) / max(count - 1, 1)))
