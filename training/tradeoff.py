"""What each application costs and gives, said before the start: network, file, speed, time."""

from dataclasses import dataclass
from math import ceil

from datasets.pixels import spec_for
from training.engine_process import threads
from training.extractors import existing, hub_may_be_asked, weights_here
from training.models import Extractor, Speed
from training.profiles import PROFILES, Profile
from training.speed import this_machine
from training.tuning import DECODING, LEAST_EPOCHS, OVERHEAD, SECONDS_A_PICTURE, UNKNOWN

START_SECONDS, HEAD_A_PICTURE = 10, 0.01  # measured on two cores (docs/benchmarks.md); only the order counts
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
    passed_over: tuple[tuple[str, float], ...] = ()  # networks that are too slow, with their milliseconds

    @property
    def too_slow(self) -> list[str]:
        """The networks that were passed over."""
        return [name for name, _ in self.passed_over]

    @property
    def rather(self) -> str:
        """The network that this application likes best, of those that were not too slow."""
        return next((each for each in self.profile.backbones if each not in self.too_slow), self.backbone)

    @property
    def as_good_as(self) -> Profile | None:
        """The application that likes this network best, where this one takes it for want of a better."""
        if self.first_choice:
            return None
        others = (each for each in PROFILES.values() if each is not self.profile)
        return next((each for each in others if self.backbone == each.backbones[0]), None)

    @property
    def first_choice(self) -> bool:
        """Whether that is the one."""
        return self.backbone == self.rather


@dataclass(frozen=True)
class Times:
    """In minutes: a first model, with fine-tuning too, and what to allow."""

    first: int
    tuned: int
    recommended: int


def tradeoff_of(profile: Profile, at_most: float | None = None) -> Tradeoff:
    """As a start just now would choose; reads rows and file sizes, measures nothing.

    `at_most`: milliseconds for one picture; networks that were measured slower are passed over.
    """
    spec, passed_over = spec_for(profile.size), []
    for backbone in profile.backbones:
        row, weights = existing(backbone, spec), weights_here(backbone)
        if row is None and weights is None:
            continue
        speed = speed_of(backbone, row)
        if speed and at_most is not None and speed.milliseconds > at_most:
            passed_over.append((backbone, speed.milliseconds))
            continue
        size = speed.file_bytes if speed else weights.stat().st_size if weights else 0
        return Tradeoff(
            profile,
            backbone,
            False,
            size,
            speed is not None,
            speed.milliseconds if speed else 0,
            speed.processor if speed else "",
            tuple(passed_over),
        )
    return Tradeoff(profile, "", hub_may_be_asked(), 0, False, 0, "", tuple(passed_over))


def speed_of(backbone: str, row: Extractor | None) -> Speed | None:
    """Measured on a machine like this one, else on the last that measured it."""
    speeds = Speed.objects.filter(extractor__backbone=backbone)
    if row is not None:
        speeds = Speed.objects.filter(extractor=row)
    return speeds.filter(machine=this_machine()).first() or speeds.order_by("-id").first()


def times_of(backbone: str, pictures: int) -> Times:
    """Roughly, for so many pictures on a machine like this one."""
    cores = threads()
    first = START_SECONDS + HEAD_A_PICTURE * pictures
    epoch = SECONDS_A_PICTURE.get(backbone, UNKNOWN) * pictures / cores
    tuned = first + OVERHEAD + DECODING * pictures / cores + LEAST_EPOCHS * epoch
    allowed = min(max(LEAST_MINUTES, ceil(SLACK * tuned / 60)), MOST_MINUTES)
    return Times(ceil(first / 60), ceil(tuned / 60), allowed)
