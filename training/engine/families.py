"""Which of torchvision's classifiers Taxon can go on from, and the side of the pictures they ask for. No torch."""

from __future__ import annotations

FAMILIES = (
    "mobilenet_",
    "squeezenet",
    "efficientnet_",  # V2, too
    "resnet",
    "resnext",
    "wide_resnet",
    "convnext_",
    "regnet_",
    "vit_",
)
FIXED_SIDES = {"vit_": 224}  # a vision transformer learns a place for each patch of a picture of one size


def is_known(backbone: str) -> bool:
    """Whether this is a builder of one of the families."""
    return backbone.startswith(FAMILIES)


def fixed_side(backbone: str) -> int | None:
    """The only side in pixels that this network can take; None where it takes any."""
    return next((side for family, side in FIXED_SIDES.items() if backbone.startswith(family)), None)
