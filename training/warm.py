"""Going on from an earlier version of the same model: whether it can be done, and with which weights."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext_noop

from datasets.models import Snapshot
from datasets.snapshots import rows_of
from training import manifest
from training.keeping import kept_apart
from training.manifest import Manifest
from training.models import ModelVersion, RegisteredModel
from training.wishes import BadWish
from web import storage

OPTION = "warm_start"
SCRATCH, FINE_TUNED = "scratch", "fine-tuned"


@dataclass(frozen=True)
class Start:
    """Where a training goes on from. `path`: the version's weights on this host, for the engine."""

    number: int
    method: str
    backbone: str
    path: Path

    def of(self, method: str, backbone: str) -> str | None:
        """The weights for a fit of this kind; None where it has to begin by itself."""
        same = method == self.method and (method != FINE_TUNED or backbone == self.backbone)
        return str(self.path) if same else None


class NoWarmStart(BadWish):
    """This training cannot go on from that version."""

    code = "no-warm-start"


def possible_sources(model: RegisteredModel) -> list[ModelVersion]:
    """The versions that a training may go on from, newest first."""
    found = model.versions.usable().filter(own_file="").exclude(weights_key="").exclude(manifest_key="")
    return list(found.defer("history").order_by("-number"))


def source_of(model: RegisteredModel, options: dict[str, Any]) -> ModelVersion | None:
    """The version to go on from; None where none was asked for. Raises NoWarmStart."""
    number = options.get(OPTION)
    if number is None:
        return None
    version = model.versions.filter(number=number).first()
    if version is None:
        raise NoWarmStart(
            gettext_noop("Version %(number)s, from which it was to go on, is not there."), number=number
        )
    if version.own_file:
        raise NoWarmStart(
            gettext_noop("Version %(number)s was made elsewhere; a training cannot go on from its file."),
            number=number,
        )
    if not version.usable:
        raise NoWarmStart(gettext_noop("Version %(number)s has no model to go on from."), number=number)
    if not version.weights_key or not version.manifest_key:
        raise NoWarmStart(
            gettext_noop(
                "Version %(number)s was trained before weights were kept; choose a newer one, or begin anew."
            ),
            number=number,
        )
    if method_of(version) == FINE_TUNED and options.get("fine_tuning") == "off":
        raise NoWarmStart(
            gettext_noop("Version %(number)s was fine-tuned; going on from it needs fine-tuning."),
            number=number,
        )
    return version


def must_fit(source: ModelVersion | None, network: str) -> None:
    """Raises NoWarmStart where the training would take another network. `network`: empty for none with weights."""
    if source is not None and source.backbone != (network or SCRATCH):
        raise NoWarmStart(
            gettext_noop(
                "Version %(number)s is made of %(theirs)s, and this training would take %(ours)s: it cannot go on"
                " from there."
            ),
            number=source.number,
            theirs=source.backbone,
            ours=network or SCRATCH,
        )


def method_of(version: ModelVersion) -> str:
    """How it came about: head, fine-tuned or scratch."""
    return str(version.report.get("about", {}).get("method", ""))


def fetched(source: ModelVersion | None, folder: Path) -> Start | None:
    """Its weights as a file for the engine."""
    if source is None:
        return None
    path = folder / "start.pth"
    with storage.local_copy(source.weights_key) as kept:
        shutil.copyfile(kept, path)
    return Start(source.number, method_of(source), source.backbone, path)


def fair(data: Manifest, source: ModelVersion | None) -> Manifest:
    """Split so that nothing is held back that the source, or a version before it, learned from."""
    if source is None:
        return data
    before = manifest.load(source.manifest_key)
    whole = all(entry.look is not None for entry in before.entries)
    whole = whole and len(before.looks_before) == len(before.learned_before)
    return kept_apart(data, before, source.number, {} if whole else older_looks(source))


def older_looks(version: ModelVersion | None) -> dict[str, int]:
    """The difference hashes of what a version and those before it were asked for with, from the snapshots that are
    still there: older manifests do not hold them."""
    found: dict[str, int] = {}
    while version is not None:
        rows = (row for each in Snapshot.objects.filter(pk__in=version.snapshots) for row in rows_of(each))
        found |= {row.sha256: row.difference_hash for row in rows if row.difference_hash is not None}
        version = version.model.versions.filter(number=version.options.get(OPTION, 0)).first()
    return found
