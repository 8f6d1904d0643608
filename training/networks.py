"""Which network an application takes: the best one whose weights can be had and that is quick enough here."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.utils.translation import gettext_noop

from datasets.pixels import spec_for
from training.extractors import building, existing, sha256_of, weights_here
from training.models import Application, Extractor
from training.profiles import Profile, profile_of
from training.speed import measure_missing, milliseconds_here
from training.tradeoff import tradeoff_of
from training.tuning import SECONDS_A_PICTURE
from web.sentences import Refusal, Sentence

OPTION = "max_latency_ms"
FAR = 3.0  # so many times slower than allowed, by the ratios of learning: too rough to be held against nearer ones
NO_WEIGHTS, TOO_SLOW = "no-weights", "too-slow"
REASONS = {
    NO_WEIGHTS: gettext_noop("%(network)s: no weights could be had."),
    TOO_SLOW: gettext_noop("%(network)s: %(ms)s ms a picture here, more than %(most)s."),
}


class AllTooSlow(Refusal):
    """Every network that could be taken takes longer for a picture than was allowed."""

    code = "too-slow"
    status = 422


@dataclass
class Choice:
    """What is taken (None: a small network of our own, from scratch), and what was passed over on the way to it."""

    extractor: Extractor | None = None
    passed_over: list[dict[str, Any]] = field(default_factory=list)


def networks_for(applications: Sequence[Application], options: dict[str, Any]) -> dict[Application, str]:
    """What each is expected to take, empty for none that was trained before. Measures nothing.

    Raises AllTooSlow where it is already known that nothing is quick enough.
    """
    at_most = options.get(OPTION)
    found: dict[Application, str] = {}
    for application in applications:
        profile = profile_of(application)
        tradeoff = tradeoff_of(profile, at_most)
        speeds = dict(tradeoff.passed_over)
        if speeds and not tradeoff.backbone and (not tradeoff.asked or hopeless(profile, speeds, at_most)):
            raise too_slow(str(profile.application), speeds, at_most)
        found[application] = tradeoff.backbone or (profile.backbones[0] if tradeoff.asked else "")
    return found


def hopeless(profile: Profile, speeds: dict[str, float], at_most: float | None) -> bool:
    """Whether no other network of the list comes near the limit, told from those that were measured: then nothing is
    downloaded to measure it."""
    measured = [took / SECONDS_A_PICTURE[each] for each, took in speeds.items() if each in SECONDS_A_PICTURE]
    others = [each for each in profile.backbones if each not in speeds]
    if not measured or at_most is None or any(each not in SECONDS_A_PICTURE for each in others):
        return False
    return all(min(measured) * SECONDS_A_PICTURE[each] > FAR * at_most for each in others)


def chosen_for(profile: Profile, at_most: float | None, look: Callable[[], None]) -> Choice:
    """The extractor that a training takes; built, and measured on this machine, where need be. Workers only.

    Raises AllTooSlow.
    """
    choice, spec = Choice(), spec_for(profile.size)
    speeds: dict[str, float] = {}
    for backbone in profile.backbones:
        found = existing(backbone, spec) or building(backbone, spec, look)
        if found is None:
            choice.passed_over.append({"network": backbone, "why": NO_WEIGHTS})
            continue
        measure_missing(look)
        took = milliseconds_here(found)
        if at_most is None or took is None or took <= at_most:
            choice.extractor = found
            return choice
        speeds[backbone] = took
        choice.passed_over.append({"network": backbone, "why": TOO_SLOW, "ms": took, "most": at_most})
    if speeds:
        raise too_slow(str(profile.application), speeds, at_most)
    return choice


def further_networks(profiles: Sequence[Profile], at_most: float | None) -> list[str]:
    """Networks whose weights lie here, that all these applications would take and that are quick enough, in order.

    Where a limit was set, one that was not measured here does not count.
    """
    first, *rest = profiles
    common = [each for each in first.backbones if all(each in other.backbones for other in rest)]
    found = []
    for backbone in common:
        row = existing(backbone, spec_for(first.size))
        took = milliseconds_here(row) if row else None
        quick = at_most is None or (took is not None and took <= at_most)
        if weights_here(backbone) and quick:
            found.append(backbone)
    return found


def weights_text(backbone: str) -> str:
    """The file that a network's weights came from, as a version names it."""
    path = weights_here(backbone)
    if path is None:
        return ""
    source = "folder" if path.parent == settings.WEIGHTS_DIR else "hub"
    return f"{path.name} ({sha256_of(path)[:12]}, {source})"


def too_slow(application: str, speeds: dict[str, float], at_most: float | None) -> AllTooSlow:
    """Names the quickest."""
    quickest = min(speeds, key=lambda each: speeds[each])
    return AllTooSlow(
        gettext_noop(
            "No network for %(application)s is quick enough: the quickest measured here is %(network)s with"
            " %(ms)s ms a picture, and at most %(most)s were allowed."
        ),
        application=application,
        network=quickest,
        ms=shown(speeds[quickest]),
        most=shown(at_most or 0),
    )


def sentences_of(passed_over: Sequence[dict[str, Any]]) -> list[Sentence]:
    """Why each network was passed over, as people read it."""
    return [
        Sentence(
            REASONS[each["why"]],
            network=each["network"],
            ms=shown(each.get("ms", 0)),
            most=shown(each.get("most", 0)),
        )
        for each in passed_over
        if each.get("why") in REASONS
    ]


def shown(milliseconds: float) -> str:
    """One digit after the point, none where it is nought."""
    return f"{milliseconds:.1f}".removesuffix(".0")
