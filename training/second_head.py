"""Where no fine-tuning fits into the time: a second first model, on the features of the application's next network."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop

from datasets import embeddings
from datasets.pixels import PixelSpec, UnreadableImage
from training import clock, inputs
from training.candidates import SLACK
from training.engine.families import fixed_side
from training.engine_process import EngineCrashed, threads
from training.extractors import as_embeddings, building, existing
from training.fits import Fitted, NoTimeForMore
from training.manifest import Manifest
from training.models import Extractor
from training.networks import weights_text
from training.speed import measure_missing, milliseconds_here
from training.tuning import DECODING, SECONDS_A_PICTURE, UNKNOWN, may_gain
from web.sentences import Refusal, Sentence

if TYPE_CHECKING:
    from training.learning import Learning

log = logging.getLogger(__name__)
BUILDING = 20.0  # seconds, of an extractor from weights that lie here
TRYING = gettext_noop(
    "There is no time for fine-tuning, but for a first model on the features of %(network)s."
)


@dataclass(frozen=True)
class Wanted:
    """What it takes. `missing`: pictures without features of this network; `fit`: seconds of a head."""

    missing: int
    held_back: int
    fit: float
    threads: int

    def seconds(self, a_picture: float) -> float:
        """From now to the model file, with what measuring the report takes longer than the time limit allows for."""
        reading = self.missing * (a_picture + DECODING) / self.threads
        return SLACK * (reading + self.fit) + self.later(a_picture)

    def later(self, a_picture: float) -> float:
        """The clock keeps so many seconds a held-back picture; a slow network takes more."""
        return self.held_back * max(0.0, a_picture + DECODING - clock.SECONDS_A_PICTURE)


def second_head(learning: "Learning", first: Fitted, extractor: Extractor, data: Manifest) -> Fitted:
    """The better of the two by validation; the first where the second cannot be had in time, or comes to nothing."""
    size = int(extractor.pixel_spec["size"])
    able = [each for each in learning.networks if fixed_side(each) in (None, size)]
    backbone = next((each for each in able if each != extractor.backbone), None)
    if backbone is None or learning.crashed_enough or learning.start is not None:
        return first
    if not may_gain(first.result["validation"], learning.version.optimise_for):
        return first
    try:
        return learning.better(headed(learning, backbone, first, extractor, data), first)
    except (NoTimeForMore, Refusal, EngineCrashed, UnreadableImage, OSError) as reason:
        log.warning("version %s: no second head on %s: %s", learning.version.pk, backbone, reason)
        learning.now = []
        return first


def headed(
    learning: "Learning", backbone: str, first: Fitted, extractor: Extractor, data: Manifest
) -> Fitted:
    """The second head. Raises NoTimeForMore, Refusal, EngineCrashed."""
    spec, look = PixelSpec(**extractor.pixel_spec), learning.writer.attempt.check
    found = existing(backbone, spec)
    entries = inputs.learning_entries(data)
    wanted = Wanted(len(entries), learning.clock.held_back, first.seconds, threads())
    if found is None:
        must_fit(wanted.seconds(guessed(backbone, extractor)) + BUILDING, learning)
        found = building(backbone, spec, look)
    measure_missing(look)
    took = milliseconds_here(found) if found else None
    if found is None or took is None:
        raise NoTimeForMore
    source = as_embeddings(found)
    wanted = replace(wanted, missing=len(embeddings.missing_of(source, inputs.rows_of(entries))))
    must_fit(wanted.seconds(took / 1000), learning)
    learning.writer.say(Sentence(TRYING, network=backbone))
    folder = learning.scratch / f"features-{backbone}"
    folder.mkdir()
    watch = watching(learning, wanted, took / 1000)
    made = inputs.feature_inputs(folder, data, found, threads=threads(), done=watch)
    about = {"backbone": backbone, "weights": weights_text(backbone), "extractor": found.name}
    fitted = learning.fit(
        f"head-{backbone}",
        made,
        seconds=learning.clock.left - wanted.later(took / 1000),
        about=learning.about | about,
        checkpoint_folder=None,  # seconds of work, and another network's features may look the same to it
    )
    learning.tried[-1]["backbone"] = backbone
    return replace(fitted, backbone=backbone)


def guessed(backbone: str, extractor: Extractor) -> float:
    """Seconds a picture of a network that was never measured here, told from one that was."""
    took = milliseconds_here(extractor)
    ratio = SECONDS_A_PICTURE.get(backbone, UNKNOWN) / SECONDS_A_PICTURE.get(extractor.backbone, UNKNOWN)
    return ratio * took / 1000 if took is not None else UNKNOWN


def must_fit(seconds: float, learning: "Learning") -> None:
    """Raises NoTimeForMore."""
    if seconds > learning.clock.left or learning.writer.stop_asked():
        raise NoTimeForMore(f"{seconds:.0f} s would be needed")


def watching(learning: "Learning", wanted: Wanted, a_picture: float) -> Callable[[int, int], None]:
    """Called while the pictures are embedded: a stop ends it, and so does a pace at which it would not fit."""
    began, after = time.monotonic(), wanted.fit + wanted.later(a_picture)

    def done(so_far: int, of: int) -> None:
        learning.writer.progress(learning.clock.share)
        computed = so_far - (of - wanted.missing)
        rest = (time.monotonic() - began) / computed * (of - so_far) if computed > 0 else 0.0
        must_fit(rest + after, learning)

    return done
