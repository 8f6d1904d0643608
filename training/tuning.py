"""Whether a training goes on from the head to fine-tuning the whole network, and at which size."""

import shutil
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from datasets.models import Image
from training.engine.families import fixed_side
from training.manifest import Entry

SIZES = (224, 160, 112)  # sides of the input, the largest first
ROOM = 1.15  # fine-tuning reads pictures this much larger than the input, for its crops
# Seconds of one core to learn from one picture of 224 pixels, forward and backward: the ratios were measured
# (docs/training-choices.md), the level is an idle core of 2020. Only the order of magnitude counts: it decides
# whether enough epochs fit.
SECONDS_A_PICTURE = {
    "mobilenet_v3_small": 0.010,
    "squeezenet1_1": 0.020,
    "regnet_y_400mf": 0.027,
    "mobilenet_v3_large": 0.029,
    "mobilenet_v2": 0.043,
    "regnet_y_800mf": 0.045,
    "efficientnet_b0": 0.046,
    "resnet18": 0.047,
    "efficientnet_v2_s": 0.136,
    "resnet50": 0.154,
    "convnext_tiny": 0.223,
    "vit_b_16": 0.748,
}
UNKNOWN = 0.2
DECODING = 0.012  # seconds of one core a picture
OVERHEAD = 20.0  # the engine's start, its validations and the model file
LEAST_EPOCHS, LEAST_WARM_EPOCHS = 8, 3
LEAST_WRONG = 2  # on fewer wrong validation pictures than this no gain could be told from chance
UPSCALED = 2.0  # a small picture is enlarged at most about so much
MOST_SCRATCH = 8 * 1024**3
SHARE_OF_DISK = 0.3
LOOKED_AT = 500


@dataclass(frozen=True)
class Tuning:
    """A fine-tuning that is worth trying. `size`: the side of its input in pixels."""

    backbone: str
    size: int

    @property
    def side(self) -> int:
        """Of the pictures in the scratch file."""
        return round(ROOM * self.size)


@dataclass(frozen=True)
class Means:
    """What there is to do it with. `pictures`: to learn from and to validate on."""

    pictures: int
    seconds: float
    threads: int
    scratch: Path


def tuning_for(
    backbone: str,
    best: dict[str, Any],
    metric: str,
    sides: Sequence[int],
    means: Means,
    *,
    warm: bool = False,
) -> Tuning | None:
    """The fine-tuning to try after a head that reached `best` on validation; None where none is worth it.

    `sides`: the shorter sides of some of the pictures. The largest size of SIZES is taken that pictures this
    small can use, of which enough epochs fit into the time, and whose pixels fit on the disk. `warm`: it goes on from
    an earlier fine-tuning, so fewer do.
    """
    if not may_gain(best, metric):
        return None
    least = LEAST_WARM_EPOCHS if warm else LEAST_EPOCHS
    for size in useful_sizes(sides, backbone):
        found = Tuning(backbone, size)
        if epochs_within(found, means) >= least and fits_on_disk(found, means):
            return found
    return None


def may_gain(best: dict[str, Any], metric: str) -> bool:
    """Whether enough is wrong for a gain to be told from chance."""
    return bool(round((1 - best[metric]) * best["pictures"]) >= LEAST_WRONG)


def useful_sizes(sides: Sequence[int], backbone: str) -> list[int]:
    """The sizes that pictures with these shorter sides have enough detail for, the largest first; of a network that
    takes one size alone, that one."""
    only = fixed_side(backbone)
    if only:
        return [only]
    useful = statistics.median(sides) * UPSCALED if sides else SIZES[0]
    return [size for size in SIZES if size <= useful] or [SIZES[-1]]


def epochs_within(tuning: Tuning, means: Means) -> float:
    """About how many epochs fit into the time."""
    scale = (tuning.size / SIZES[0]) ** 2
    picture = SECONDS_A_PICTURE.get(tuning.backbone, UNKNOWN) * scale / means.threads
    left = means.seconds - OVERHEAD - means.pictures * DECODING / means.threads
    return left / (picture * max(means.pictures, 1))


def fits_on_disk(tuning: Tuning, means: Means) -> bool:
    """Whether the scratch file leaves most of what is free."""
    wanted = means.pictures * tuning.side**2 * 3
    return wanted <= min(MOST_SCRATCH, SHARE_OF_DISK * shutil.disk_usage(means.scratch).free)


def shorter_sides(entries: Sequence[Entry]) -> list[int]:
    """Of a few hundred of these pictures, evenly taken."""
    step = max(1, len(entries) // LOOKED_AT)
    some = [entry.image for entry in entries[::step]][:LOOKED_AT]
    rows = Image.objects.filter(pk__in=some).values_list("width", "height")
    return [min(width, height) for width, height in rows]
