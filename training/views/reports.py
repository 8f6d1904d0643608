"""Pages of a version's report: the conclusion, the numbers, and the pictures it got wrong."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from datasets.models import Image
from projects.access import may
from projects.models import Role
from training import predictions
from training.access import version_for
from training.matrix import largest_part
from training.models import ModelVersion
from training.report import NoReport, report_of, spoken

FIRST_WRONG, A_PAGE = 24, 60


@login_required
@require_safe
def report(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """How good the version is, in words first; a version without a report shows what it is doing."""
    version = version_for(request.user, model_pk, number)
    try:
        found = spoken(report_of(version))
    except NoReport:
        return redirect("training:version", model_pk, number)
    wrong = shown(
        version, [row for row in predictions.load(version.predictions_key) if row.true != row.predicted]
    )
    context = {
        "project": version.model.project,
        "model": version.model,
        "version": version,
        "report": found,
        "weakest": sorted(found["labels"], key=lambda row: (not row["support"], row["recall"], row["f1"])),
        "interval": interval(found["overall"]["accuracy"]),
        "milliseconds": f"{1000 * found['about']['seconds_a_picture']:.0f}",
        "matrix": largest_part(found["confusion_matrix"]),
        "wrong": wrong[:FIRST_WRONG],
        "wrong_count": len(wrong),
        "may_train": may(request.user, version.model.project, at_least=Role.ENGINEER),
        "active": "models",
    }
    return render(request, "training/report.html", context)


@login_required
@require_safe
def pictures(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Held-back pictures by what they are and what they were taken for; without a choice, all wrong ones."""
    version = version_for(request.user, model_pk, number)
    report_of(version)
    true, predicted = request.GET.get("true", ""), request.GET.get("predicted", "")
    rows = [row for row in predictions.load(version.predictions_key) if fits(row, true, predicted)]
    page = Paginator(rows, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "project": version.model.project,
        "model": version.model,
        "version": version,
        "true": true,
        "predicted": predicted,
        "page": page,
        "shown": shown(version, list(page)),
        "query": urlencode({"true": true, "predicted": predicted}),
        "active": "models",
    }
    return render(request, "training/report_pictures.html", context)


def interval(accuracy: dict[str, float]) -> dict[str, str]:
    """Where the bar of an interval begins, how wide it is and where its value lies, in per cent."""
    low, high = accuracy["low"], accuracy["high"]
    places = {"low": low, "width": high - low, "at": accuracy["value"]}
    return {name: f"{100 * value:.1f}" for name, value in places.items()}


def fits(row: predictions.Prediction, true: str, predicted: str) -> bool:
    """Whether a picture is one of those asked for."""
    if not true and not predicted:
        return row.true != row.predicted
    return (not true or row.true == true) and (not predicted or row.predicted == predicted)


def shown(version: ModelVersion, rows: list[predictions.Prediction]) -> list[dict[str, object]]:
    """Rows for the grid, the surest mistakes first; a picture that is gone since has no thumbnail."""
    there = set(Image.objects.filter(pk__in=[row.image for row in rows]).values_list("pk", flat=True))
    found = [
        {"row": row, "score": row.score_of(row.predicted, version.labels), "there": row.image in there}
        for row in rows
    ]
    return sorted(found, key=lambda each: -float(each["score"]))  # type: ignore[arg-type]
