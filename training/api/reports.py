"""Reports in the JSON API: numbers, the confusion matrix as a table, and every held-back picture."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop
from ninja import Router, Schema

from training import predictions
from training.access import version_for
from training.report import matrix_csv, report_of, spoken
from web.api import PROBLEMS, Cursor, Limit, Page
from web.pagination import BadCursor, decode, encode

router = Router(tags=["training"])


class PredictionOut(Schema):
    """A held-back picture; `scores` maps each label to its probability."""

    image: int
    file: str
    true: str
    predicted: str
    scores: dict[str, float]


@router.get("/models/{int:pk}/versions/{int:number}/report", response={200: dict[str, Any], **PROBLEMS})
def show_report(request: HttpRequest, pk: int, number: int) -> dict[str, Any]:
    """How good the version is on pictures it had not seen; fractions from 0 to 1, null where undefined."""
    return spoken(report_of(version_for(request.auth, pk, number)))  # type: ignore[attr-defined]


@router.get(
    "/models/{int:pk}/versions/{int:number}/confusion-matrix.csv",
    response={**PROBLEMS},
    url_name="matrix-csv",
)
def confusion_matrix(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Rows are true labels, columns predicted ones."""
    version = version_for(request.auth, pk, number)  # type: ignore[attr-defined]
    body = matrix_csv(report_of(version)["confusion_matrix"])
    answer = HttpResponse(body, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="confusion-matrix-{pk}-{number}.csv"'
    return answer


@router.get(
    "/models/{int:pk}/versions/{int:number}/predictions", response={200: Page[PredictionOut], **PROBLEMS}
)
def list_predictions(
    request: HttpRequest, pk: int, number: int, limit: Limit, cursor: Cursor
) -> dict[str, Any]:
    """What the version said about every held-back picture."""
    version = version_for(request.auth, pk, number)  # type: ignore[attr-defined]
    report_of(version)
    rows = list(predictions.load(version.predictions_key))
    start = place(cursor)
    end = start + limit
    items = [row.to_json(version.labels) for row in rows[start:end]]
    return {"items": items, "next": encode([end]) if end < len(rows) else None}


def place(cursor: str) -> int:
    """Where a page begins."""
    values = decode(cursor) if cursor else [0]
    if len(values) != 1 or not isinstance(values[0], int) or values[0] < 0:
        raise BadCursor(gettext_noop("This cursor is not one that the list handed out."))
    return values[0]
