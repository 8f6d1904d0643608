"""Spends the time that a fine-tuning left over: candidates.py says on what and in which order, this carries it out."""

from dataclasses import replace
from typing import TYPE_CHECKING

from django.utils.translation import gettext_noop

from training.candidates import ROUNDS, SLACK, Candidate, Pace, first_rung, others, pace_of
from training.fits import Fitted
from training.manifest import Manifest
from training.tuning import LEAST_EPOCHS, OVERHEAD, fits_on_disk, may_gain, useful_sizes
from web.sentences import Sentence

if TYPE_CHECKING:
    from training.learning import Learning

TRYING = gettext_noop("Time is left: %(network)s at %(size)s pixels is tried for a few rounds.")
GOING_ON = gettext_noop("%(network)s at %(size)s pixels did best in its few rounds and goes on.")


def spent(learning: "Learning", done: Candidate, second: Fitted, best: Fitted, data: Manifest) -> Fitted:
    """Give each candidate a few rounds, and the best of them what time is left; the best of all is kept.

    `done`: what the fine-tuning was that came to `second`. After a crash of the whole attempt nothing more is tried:
    what there is comes first.
    """
    epoch = pace_of(second.result["history"])
    over = second.result["ended_because"] != "converged" or learning.crashed_enough
    if over or epoch is None or not may_gain(best.result["validation"], learning.version.optimise_for):
        return best
    means = learning.means(data)
    overhead = max(OVERHEAD, second.seconds - len(second.result["history"]) * epoch)
    pace = Pace(done, epoch, means.pictures, means.threads, overhead)
    wanted = [
        each
        for each in others(done, learning.networks, useful_sizes(learning.sides(data), done.backbone))
        if each.size in learning.pixels or fits_on_disk(each.tuning, means)
    ]
    rung = first_rung(wanted, pace, learning.clock.left)
    tried = [found for each in rung if (found := sliced(learning, each, pace, data))]
    if not tried:
        return best
    ahead = tried[0]
    for one in tried[1:]:
        ahead = one if learning.better(one[0], ahead[0]) is one[0] else ahead
    for fitted, _ in tried:
        best = learning.better(fitted, best)
    whole = gone_on(learning, *ahead, pace, data)
    return learning.better(whole, best) if whole else best


def sliced(
    learning: "Learning", candidate: Candidate, pace: Pace, data: Manifest
) -> tuple[Fitted, Candidate] | None:
    """A few rounds of it."""
    learning.writer.say(Sentence(TRYING, network=candidate.backbone, size=candidate.size))
    rounds = min(ROUNDS, learning.version.options.get("max_epochs", ROUNDS))
    seconds = SLACK * pace.seconds(candidate, ROUNDS, read=False)
    fitted = learning.attempted(candidate, data, "slice", seconds=seconds, max_epochs=rounds)
    return (fitted, candidate) if fitted else None


def gone_on(
    learning: "Learning", fitted: Fitted, candidate: Candidate, pace: Pace, data: Manifest
) -> Fitted | None:
    """The one that did best goes on from its few rounds, with all the time that is left."""
    if learning.clock.left < pace.seconds(candidate, LEAST_EPOCHS, read=False):
        return None
    learning.writer.say(Sentence(GOING_ON, network=candidate.backbone, size=candidate.size))
    whole = learning.attempted(candidate, data, "whole", start_from=str(fitted.weights))
    return replace(whole, warm=fitted.warm) if whole else None
