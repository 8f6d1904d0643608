"""What a run tries in the time that its fine-tuning left over, by successive halving (Jamieson and Talwalkar 2016).

Each candidate gets a few rounds; the best of them by validation goes on with all the time that is left.
"""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from training.engine.families import fixed_side
from training.tuning import DECODING, LEAST_EPOCHS, OVERHEAD, SECONDS_A_PICTURE, SIZES, UNKNOWN, Tuning

ROUNDS = 4  # of a slice
MOST = 3
RATES = (1.0, 0.3)
SLACK = 1.5  # a slice may take so much longer than it should, on a machine that got busy


@dataclass(frozen=True)
class Candidate:
    """A fine-tuning with its settings. `rate`: of learning, as a factor."""

    backbone: str
    size: int
    rate: float = 1.0

    @property
    def name(self) -> str:
        """For its folder and the log."""
        return f"{self.backbone}-{self.size}-{self.rate:g}"

    @property
    def tuning(self) -> Tuning:
        """The part that the pixels depend on."""
        return Tuning(self.backbone, self.size)


@dataclass(frozen=True)
class Pace:
    """How long things take here, told from a fine-tuning that is over. `epoch`: the seconds of one of its rounds;
    `overhead`: of all else, from the engine's start to the model file."""

    done: Candidate
    epoch: float
    pictures: int
    threads: int
    overhead: float = OVERHEAD

    def seconds(self, candidate: Candidate, rounds: int, *, read: bool) -> float:
        """Of so many rounds with the engine's start; `read`: the pixels have to be read first."""
        weight = SECONDS_A_PICTURE.get(candidate.backbone, UNKNOWN)
        weight /= SECONDS_A_PICTURE.get(self.done.backbone, UNKNOWN)
        scale = (candidate.size / self.done.size) ** 2
        reading = DECODING * self.pictures / self.threads if read else 0.0
        return self.overhead + reading + rounds * self.epoch * weight * scale


def others(done: Candidate, backbones: Sequence[str], sizes: Sequence[int]) -> list[Candidate]:
    """What else could do better than `done`, what costs least first: another rate, the next network, larger
    pictures.

    `backbones`: those that may be taken, in order of preference; `sizes`: those that the pictures are large enough for.
    """
    rate = next(each for each in RATES if each != done.rate)
    found = [Candidate(done.backbone, done.size, rate)]
    able = [each for each in backbones if fixed_side(each) in (None, done.size)]
    found += [Candidate(each, done.size) for each in able if each != done.backbone][:1]
    larger = [each for each in sorted(SIZES) if each > done.size and each in sizes]
    found += [Candidate(done.backbone, each, done.rate) for each in larger[:1]]
    return found[:MOST]


def first_rung(wanted: Sequence[Candidate], pace: Pace, left: float) -> list[Candidate]:
    """Those that get a slice: as many from the front as leave the dearest of them enough rounds to go on."""
    for count in range(len(wanted), 0, -1):
        some = wanted[:count]
        read = {each.size for each in some} - {pace.done.size}
        slices = sum(pace.seconds(each, ROUNDS, read=each.size in read) for each in some)
        if slices + max(pace.seconds(each, LEAST_EPOCHS, read=False) for each in some) <= left:
            return list(some)
    return []


def pace_of(history: Sequence[dict[str, Any]]) -> float | None:
    """Seconds of one round, from a fit's points; None where there are too few to tell."""
    times = [float(point["seconds"]) for point in history]
    steps = [after - before for before, after in pairwise(times) if after > before]
    return statistics.median(steps) if steps else None
