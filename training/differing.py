"""The Compare page's tables: two versions' numbers, labels and settings beside each other."""

from dataclasses import dataclass
from typing import Any

from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from training.models import ModelVersion
from training.option_words import method_in_words, options_in_words
from training.provenance import provenance_of
from web.templatetags.states import duration, percent

SHARES = ("f1", "precision", "recall", "top3", "top5", "auc", "ece")


@dataclass(frozen=True)
class Line:
    """One thing of both."""

    name: str
    one: str
    other: str

    @property
    def differs(self) -> bool:
        """Whether it is worth looking at."""
        return self.one != self.other


@dataclass(frozen=True)
class LabelLine:
    """A label's row of both reports, {} where a version does not know it."""

    name: str
    one: dict[str, Any]
    other: dict[str, Any]

    @property
    def change(self) -> float | None:
        """Of recall, in points."""
        if not (self.one.get("support") and self.other.get("support")):
            return None
        return 100 * float(self.other["recall"] - self.one["recall"])

    @property
    def points(self) -> str:
        """The change with its sign; none where there is no change."""
        said = f"{self.change or 0:+.1f}".replace("-", "\N{MINUS SIGN}")
        return "0.0" if said[1:] == "0.0" else said


def numbers(one: ModelVersion, other: ModelVersion) -> list[Line]:
    """The overall numbers but the accuracy, which stands above them with its interval."""
    names = {
        "f1": _("F1 score"),
        "precision": _("Precision"),
        "recall": _("Recall"),
        "top3": _("Right label among the first three"),
        "top5": _("Top-5 accuracy"),
        "auc": _("Area under the ROC curve"),
        "ece": _("Calibration error"),
    }
    a, b = one.metrics, other.metrics
    return [
        *(Line(names[name], percent(a.get(name)), percent(b.get(name))) for name in SHARES),
        Line(_("Log loss"), three(a.get("log_loss")), three(b.get("log_loss"))),
        Line(_("File"), filesizeformat(one.file_bytes), filesizeformat(other.file_bytes)),
        Line(_("Time for one picture, here"), speed(one), speed(other)),
    ]


def labels(one: ModelVersion, other: ModelVersion) -> list[LabelLine]:
    """Every label of either, those that changed most first."""
    a, b = by_name(one), by_name(other)
    lines = [LabelLine(name, a.get(name, {}), b.get(name, {})) for name in dict.fromkeys([*a, *b])]
    return sorted(lines, key=lambda line: -abs(line.change or 0))


def by_name(version: ModelVersion) -> dict[str, dict[str, Any]]:
    """The label rows of a report."""
    return {row["name"]: row for row in version.report.get("labels", [])}


def settings(one: ModelVersion, other: ModelVersion) -> list[Line]:
    """What was asked for and what it was made from; those that differ first."""
    a, b = shown_settings(one), shown_settings(other)
    lines = [Line(name, a.get(name, "–"), b.get(name, "–")) for name in dict.fromkeys([*a, *b])]
    return sorted(lines, key=lambda line: not line.differs)


def shown_settings(version: ModelVersion) -> dict[str, str]:
    """Name → text, in the reader's language."""
    learned = sum(parts.get("train", 0) for parts in version.split_counts.values())
    made = provenance_of(version)
    return {
        _("Application"): str(version.get_application_display()),
        _("Choose the best by"): str(version.get_optimise_for_display()),
        _("Time limit"): duration(60 * version.max_minutes),
        _("Data sets"): ", ".join(item["name"] for item in version.data) or "–",
        _("Labels"): str(len(version.labels)),
        _("Pictures to learn from"): str(learned),
        _("Data"): (version.snapshot_hash or "–")[:16],
        _("Seed"): str(made["seed"] if made["seed"] is not None else "–"),
        _("Network"): version.backbone or "–",
        _("Pretrained weights"): version.weights or "–",
        _("Method"): method_in_words(made["network"]["method"]),
        _("Code"): (made["code_sha256"] or "–")[:16],
        **options_in_words(dict(sorted(version.options.items()))),
        **{name: str(value) for name, value in sorted(made["libraries"].items())},
    }


def three(value: float | None) -> str:
    """A number with three decimals."""
    return "–" if value is None else f"{value:.3f}"


def speed(version: ModelVersion) -> str:
    """Milliseconds a picture took when the report was made."""
    seconds = version.report.get("about", {}).get("seconds_a_picture")
    return "–" if seconds is None else f"{1000 * seconds:.0f} ms"
