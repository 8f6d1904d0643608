"""What somebody asks to be trained: checked against what is there before a version exists."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.http import Http404
from django.utils.translation import gettext_noop

from datasets.labels import labels_with_counts
from datasets.models import Dataset
from projects.models import Project
from training.engine.spec import BALANCING
from training.manifest import EXAMPLES, two_labels
from training.models import Application, Metric
from training.preview import LEAST_LEFT, Preview, split_preview
from training.splitting import OWN, WISHES
from web.sentences import Refusal

LABELS_NEEDED = 2
LONGEST_MINUTES = 7 * 24 * 60
SLOWEST_MS = 60_000
SHOWN, SHOWN_LETTERS = 5, 64
OPTIONS = (
    "class_weights", "fine_tuning", "max_epochs", "max_latency_ms", "patience", "split", "warm_start",
)  # fmt: skip


class BadWish(Refusal):
    """A training that cannot be, whatever the data are."""

    code = "invalid"
    status = 422


class UnknownLabel(BadWish):
    """A label that the data set does not have."""

    code = "unknown-label"


class TooFew(BadWish):
    """Too few labels, or labels with too few pictures."""

    code = "too-few-pictures"


@dataclass(frozen=True)
class Chosen:
    """A data set and the names of its labels that take part."""

    dataset: Dataset
    labels: tuple[str, ...]


def applications_of(names: Sequence[str]) -> list[Application]:
    """The applications by name, each once, in their order."""
    if not names:
        raise BadWish(gettext_noop("Choose at least one application."))
    unknown = [name for name in names if name not in Application.values]
    if unknown:
        raise BadWish(
            gettext_noop("There is no application “%(name)s”. There are: %(known)s."),
            name=unknown[0],
            known=", ".join(Application.values),
        )
    return [Application(name) for name in dict.fromkeys(names)]


def metric_of(name: str) -> Metric:
    """The metric by name."""
    if name not in Metric.values:
        raise BadWish(
            gettext_noop("There is no metric “%(name)s”. There are: %(known)s."),
            name=name,
            known=", ".join(Metric.values),
        )
    return Metric(name)


def minutes_of(minutes: float) -> float:
    """The time limit, between one minute and a week."""
    if not 1 <= minutes <= LONGEST_MINUTES:  # also refuses what is not a number
        raise BadWish(
            gettext_noop("The time limit is a number of minutes from 1 to %(most)s."), most=LONGEST_MINUTES
        )
    return float(minutes)


def options_of(options: dict[str, Any]) -> dict[str, Any]:
    """The options as they are kept. A word that none of them has is refused: nothing is dropped in silence."""
    unknown = sorted(set(options) - set(OPTIONS))
    if unknown:
        raise BadWish(
            gettext_noop("There is no option “%(name)s”. There are: %(known)s."),
            name=unknown[0][:SHOWN_LETTERS],
            known=", ".join(OPTIONS),
        )
    for name, most in (("patience", 1000), ("max_epochs", 100_000)):
        value = 1 if options.get(name) is None else options[name]
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise BadWish(
                gettext_noop("“%(name)s” is a whole number from 1 to %(most)s."), name=name, most=most
            )
    if balancing_of(options) not in BALANCING:
        raise BadWish(
            gettext_noop("“class_weights” is one of %(known)s."),
            known=", ".join(f"“{each}”" for each in BALANCING),
        )
    if options.get("fine_tuning", "auto") not in ("auto", "off"):
        raise BadWish(gettext_noop("“fine_tuning” is “auto” or “off”."))
    latency_of(options)
    start = 1 if options.get("warm_start") is None else options["warm_start"]
    if not isinstance(start, int) or isinstance(start, bool) or not 1 <= start < 2**31:
        raise BadWish(gettext_noop("“warm_start” is the number of a version of the same model."))
    if options.get("split", OWN) not in (OWN, WISHES):
        raise BadWish(gettext_noop("“split” is “wishes” or “own”."))
    kept = {name: value for name, value in options.items() if value is not None}
    return kept | ({"class_weights": balancing_of(kept)} if "class_weights" in kept else {})


def balancing_of(options: dict[str, Any]) -> Any:
    """What is asked to be done about labels of unequal size, whatever was sent; `none` is an older word for `off`."""
    wanted = options.get("class_weights")
    return "auto" if wanted is None else "off" if wanted == "none" else wanted


def latency_of(options: dict[str, Any]) -> float | None:
    """The most milliseconds that a picture may take here; None where nothing is said."""
    most = options.get("max_latency_ms")
    if most is None:
        return None
    if not isinstance(most, (int, float)) or isinstance(most, bool) or not 0 < most <= SLOWEST_MS:
        raise BadWish(
            gettext_noop("“max_latency_ms” is a number of milliseconds above 0, at most %(most)s."),
            most=SLOWEST_MS,
        )
    return float(most)


def chosen_of(project: Project, data: Sequence[dict[str, Any]]) -> list[Chosen]:
    """The data sets and labels behind `data`; Http404 for a data set that the project does not have."""
    if not data:
        raise TooFew(
            gettext_noop("Choose at least one data set; training needs at least 2 labels with pictures.")
        )
    merged: dict[int, list[str] | Literal["all"]] = {}
    for item in data:
        before, wanted = merged.get(item["dataset"], []), item["labels"]
        merged[item["dataset"]] = "all" if "all" in (before, wanted) else [*before, *wanted]
    return [_chosen(project, pk, labels) for pk, labels in merged.items()]


def _chosen(project: Project, pk: int, labels: list[str] | Literal["all"]) -> Chosen:
    dataset = Dataset.objects.filter(project=project, trashed_at=None, pk=pk).first()
    if dataset is None:
        raise Http404
    counted = labels_with_counts(dataset)
    known = {label.name: label.images_count for label in counted}  # type: ignore[attr-defined]
    if labels == "all":  # an empty label is no class to learn, an archived one only where it is named
        archived = {label.name for label in counted if label.archived_at}
        return Chosen(dataset, tuple(name for name, n in known.items() if n and name not in archived))
    names = tuple(dict.fromkeys(unicodedata.normalize("NFC", name).strip() for name in labels))
    for name in names:
        if name not in known:
            raise UnknownLabel(
                gettext_noop("The data set “%(dataset)s” has no label “%(label)s”."),
                dataset=dataset.name,
                label=name,
            )
    return Chosen(dataset, names)


def preview_of(project: Project, chosen: Sequence[Chosen], options: dict[str, Any]) -> Preview:
    """How the pictures would be split."""
    return split_preview(
        chosen=[(each.dataset, each.labels) for each in chosen],
        minimum=project.minimum_images,
        split=str(options.get("split", "")),
    )


def must_be_enough(preview: Preview) -> None:
    """Raise what stands in the way of a start."""
    if len(preview.labels) < LABELS_NEEDED:
        raise TooFew(
            gettext_noop("Training needs at least 2 labels with pictures; there is %(n)s."),
            n=len(preview.labels),
        )
    if preview.short:
        named = ", ".join(f"{each.name} ({each.pictures})" for each in preview.short[:SHOWN])
        raise TooFew(
            gettext_noop("Each label needs at least %(minimum)s pictures. Too few: %(named)s%(more)s."),
            minimum=preview.minimum,
            named=named,
            more=f" +{len(preview.short) - SHOWN}" if len(preview.short) > SHOWN else "",
        )
    if preview.against_wishes:
        raise TooFew(
            gettext_noop(
                "To split as the import wished, each label needs a picture wished for testing and %(least)s others."
                " Not so: %(named)s%(more)s. Choose a split of our own."
            ),
            least=LEAST_LEFT,
            named=", ".join(each.name for each in preview.against_wishes[:SHOWN]),
            more=f" +{len(preview.against_wishes) - SHOWN}" if len(preview.against_wishes) > SHOWN else "",
        )
    if preview.clashes:
        raise two_labels(len(preview.clashes), "; ".join(preview.clashes[:EXAMPLES]))
