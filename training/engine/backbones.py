"""torchvision's classifiers without their last layer: pictures in, pooled features out."""

from __future__ import annotations

from collections import OrderedDict

import torch
from torch import nn

from training.engine.families import fixed_side, is_known
from training.engine.refusals import EngineRefusal
from training.engine.torchvision_import import torchvision
from training.engine.weights import FoundWeights, load_state_dict

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's, as all these weights expect
LAST_LAYERS = ("fc", "classifier", "heads")  # what the families call it, or the few layers that end in it


class Normalised(nn.Module):  # type: ignore[misc]
    """uint8 [n, h, w, 3], RGB -> `inside` of float32 [n, 3, h, w], normalised as ImageNet models expect."""

    def __init__(
        self, inside: nn.Module, mean: tuple[float, ...] = MEAN, std: tuple[float, ...] = STD
    ) -> None:
        super().__init__()
        self.inside = inside
        self.register_buffer("scale", (1 / (255 * torch.tensor(std))).view(1, 3, 1, 1))
        self.register_buffer("shift", (-torch.tensor(mean) / torch.tensor(std)).view(1, 3, 1, 1))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.inside(images.permute(0, 3, 1, 2).float() * self.scale + self.shift)


def feature_network(backbone: str, found: FoundWeights) -> nn.Module:
    """The pretrained network up to its penultimate layer, in eval mode: uint8 [n, h, w, 3] -> float32 [n, d].

    Raises EngineRefusal when it is of no known family or the weights do not fit.
    """
    if not is_known(backbone):
        raise EngineRefusal("unknown-backbone", f"{backbone!r} is not one of the backbones Taxon can use.")
    network = torchvision.models.get_model(backbone, weights=None)
    try:
        network.load_state_dict(load_state_dict(found), strict=True)
    except RuntimeError as error:
        raise EngineRefusal(
            "weights-do-not-fit", f"{found.path.name} does not hold the weights of {backbone}."
        ) from error
    return Normalised(without_last_layer(network)).eval()


def must_take(backbone: str, side: int) -> None:
    """Raise EngineRefusal where the network cannot take pictures of this side."""
    only = fixed_side(backbone)
    if only and side != only:
        raise EngineRefusal(
            "size-not-possible", f"{backbone} takes pictures of {only} pixels, not of {side}."
        )


def without_last_layer(network: nn.Module) -> nn.Module:
    """Cut off the layer that names ImageNet's classes, and what only serves it."""
    if isinstance(network, torchvision.models.SqueezeNet):
        # Its classifier is a convolution to the class maps; the features before it are pooled here instead.
        pooled = OrderedDict(features=network.features, pool=nn.AdaptiveAvgPool2d(1), flat=nn.Flatten(1))
        return nn.Sequential(pooled)
    name = next(name for name in LAST_LAYERS if hasattr(network, name))
    last = getattr(network, name)
    layers = list(last) if isinstance(last, nn.Sequential) else [last]
    setattr(network, name, nn.Sequential(*layers[:-1]))
    return network
