"""A version's report: put together from measured numbers, read back, and spoken in the reader's language."""

from typing import Any

from django.utils.translation import gettext_noop

from training.conclusion import conclude, confusions, outside
from training.csv_safe import to_csv
from training.models import ModelVersion
from web.sentences import Conflict, Sentence


class NoReport(Conflict):
    """The version has not been evaluated (yet)."""

    code = "no-report"


def report_of(version: ModelVersion) -> dict[str, Any]:
    """The report as stored; raises NoReport where there is none."""
    if version.report:
        return dict(version.report)
    if version.ended:
        raise NoReport(gettext_noop("This version was not evaluated, so it has no report."))
    raise NoReport(gettext_noop("This version is still being made; its report comes at the end."))


def spoken(report: dict[str, Any]) -> dict[str, Any]:
    """With the conclusion in the reader's language."""
    return report | {"conclusion": [str(Sentence.from_json(each)) for each in report.get("conclusion", [])]}


def put_together(
    *,
    overall: dict[str, Any],
    labels: list[dict[str, Any]],
    counts: list[list[int]],
    calibration: dict[str, Any],
    split: dict[str, dict[str, int]],
    about: dict[str, Any],
) -> dict[str, Any]:
    """The report as it is stored. `split`: pictures by label and part; `about`: the model and file."""
    matrix = {"labels": [row["name"] for row in labels], "counts": counts}
    learned_from = {name: parts["train"] for name, parts in split.items()}
    rows = [row | {"learned_from": learned_from.get(row["name"], 0)} for row in labels]
    report = {
        "overall": overall,
        "labels": rows,
        "confusion_matrix": matrix,
        "confusions": confusions(matrix)[:20],
        "calibration": calibration,
        "split": split,
        "about": about,
    }
    if about.get("none_of_these"):
        report["none_of_these"] = outside(report)
    return report | {"conclusion": [each.to_json() for each in conclude(report, learned_from)]}


def matrix_csv(matrix: dict[str, Any]) -> str:
    """The confusion matrix with its labels: rows are true, columns predicted."""
    names = matrix["labels"]
    return to_csv([["", *names], *([name, *row] for name, row in zip(names, matrix["counts"], strict=True))])
