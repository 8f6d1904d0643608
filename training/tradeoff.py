"""What each application costs and gives, said before the start: network, file, speed, time."""

from dataclasses import dataclass
from math import ceil

from datasets.pixels import spec_for
from training.engine_process import threads
from training.extractors import existing, hub_may_be_asked, weights_here
from training.models import Speed
from training.profiles import Profile
from training.speed import this_machine
from training.tuning import DECODING, LEAST_EPOCHS, OVERHEAD, SECONDS_A_PICTURE, UNKNOWN

START_SECONDS, HEAD_A_PICTURE = 25, 0.05  # measured on two cores; only the order of magnitude counts
SLACK = 1.5
LEAST_MINUTES, MOST_MINUTES = 3, 24 * 60


@dataclass(frozen=True)
class Tradeoff:
    """Of one application. `backbone`: what would be taken, empty where it is trained from scratch; `asked`: the
    weights are looked for at the start. `bytes` and `milliseconds`: 0 where nothing is known; `exact`: measured on
    the file itself, not told from the weights."""

    profile: Profile
    backbone: str
    asked: bool
    bytes: int
    exact: bool
    milliseconds: float
    processor: str

    @property
    def first_choice(self) -> bool:
        """The network that this application likes best."""
        return self.backbone == self.profile.backbones[0]


@dataclass(frozen=True)
class Times:
    """In minutes: a first model, with fine-tuning too, and what to allow."""

    first: int
    tuned: int
    recommended: int


def tradeoff_of(profile: Profile) -> Tradeoff:
    """As a start just now would choose; reads rows and file sizes, measures nothing."""
    spec = spec_for(profile.size)
    for backbone in profile.backbones:
        row, weights = existing(backbone, spec), weights_here(backbone)
        if row is None and weights is None:
            continue
        speeds = Speed.objects.filter(extractor__backbone=backbone)
        if row is not None:
            speeds = Speed.objects.filter(extractor=row)
        speed = speeds.filter(machine=this_machine()).first() or speeds.order_by("-id").first()
        size = speed.file_bytes if speed else weights.stat().st_size if weights else 0
        return Tradeoff(
            profile,
            backbone,
            False,
            size,
            speed is not None,
            speed.milliseconds if speed else 0,
            speed.processor if speed else "",
        )
    return Tradeoff(profile, "", hub_may_be_asked(), 0, False, 0, "")


def times_of(backbone: str, pictures: int) -> Times:
    """Roughly, for so many pictures on a machine like this one."""
    cores = threads()
    first = START_SECONDS + HEAD_A_PICTURE * pictures
    epoch = SECONDS_A_PICTURE.get(backbone, UNKNOWN) * pictures / cores
    tuned = first + OVERHEAD + DECODING * pictures / cores + LEAST_EPOCHS * epoch
    allowed = min(max(LEAST_MINUTES, ceil(SLACK * tuned / 60)), MOST_MINUTES)
    return Times(ceil(first / 60), ceil(tuned / 60), allowed)
