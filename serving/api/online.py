"""Online prediction, dialect 1, and what callers say about the answers."""

from collections.abc import Callable
from functools import wraps
from typing import Annotated, Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Schema, Status
from ninja.security import APIKeyHeader
from pydantic import Field

from projects.access import Caller
from projects.auth import SessionAuth, TokenAuth, caller_with
from serving.access import service_to_call
from serving.api.callers import asking
from serving.dialects import taxon
from serving.dialects.bodies import bound, discard
from serving.dialects.headers import sign
from serving.online import live_revision, predict
from serving.records import give_feedback
from serving.runtime.ranking import TOP
from web.api import PROBLEMS
from web.problems import refusal as document
from web.sentences import Refusal

router = Router()
View = Callable[..., HttpResponse]
Top = Annotated[int, Query(TOP, ge=1, le=1000, description="How many pairs at most.")]
PICTURES_BODY = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": [taxon.FIELD],
                "properties": {
                    taxon.FIELD: {"type": "array", "items": {"type": "string", "format": "binary"}}
                },
            }
        }
    },
}
PREDICT_BODY = {
    **PICTURES_BODY,
    "content": PICTURES_BODY["content"] | {"image/*": {"schema": {"type": "string", "format": "binary"}}},  # type: ignore[operator]
}
ANSWER: dict[str, Any] = {
    "type": "object",
    "required": ["predicted_label", "scores"],
    "properties": {
        "predicted_label": {"type": ["string", "null"]},
        "scores": {
            "type": "array",
            "items": {"type": "array", "prefixItems": [{"type": "string"}, {"type": "string"}]},
        },
    },
    "example": {"predicted_label": "狗", "scores": [["狗", "0.840"], ["直升机", "0.084"], ["坦克", "0.076"]]},
}
ANSWERS = {
    200: {
        "content": {"application/json": {"schema": {"oneOf": [ANSWER, {"type": "array", "items": ANSWER}]}}}
    }
}


class BoundedToken(TokenAuth):
    """A bearer token, for a request whose files are counted as they come in."""

    def __call__(self, request: HttpRequest) -> Caller | None:
        bound(request, settings.MAX_PREDICTION_IMAGES)
        return super().__call__(request)


class HeaderToken(APIKeyHeader):
    """ModelArts' header with the same tokens."""

    param_name = "X-Auth-Token"

    def authenticate(self, request: HttpRequest, key: str | None) -> Caller | None:
        return caller_with(request, key) if key else None


class BoundedSession(SessionAuth):
    """A page's session; its CSRF check may read the form, so the limits are set before."""

    def __call__(self, request: HttpRequest) -> Any:
        bound(request, settings.MAX_PREDICTION_IMAGES)
        return super().__call__(request)


def ends_well(view: View) -> View:
    """Let a client that still sends its pictures hear the refusal."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            return view(request, *args, **kwargs)
        except Refusal as refusal:
            discard(request)
            return document(refusal)

    return wrapped


@router.post(
    "/services/{slug}/predict",
    response={200: Any, **PROBLEMS},
    auth=[BoundedToken(), HeaderToken(), BoundedSession()],
    openapi_extra={"requestBody": PREDICT_BODY, "responses": ANSWERS},
    url_name="predict",
)
@ends_well
def predict_pictures(request: HttpRequest, slug: str, top: Top) -> HttpResponse:
    """Dialect 1: files named `images`, or one picture as the body; a list answers several files."""
    caller = asking(request)
    service = service_to_call(caller, slug)
    live_revision(service)
    asked = taxon.decode(request)
    answered = predict(service, asked.pictures, asking=caller)
    return sign(taxon.encode(answered, asked, top=top), answered)


class FeedbackIn(Schema):
    """What a picture really showed."""

    prediction: str = Field(description="`X-Prediction-Id` of the answer.")
    label: str
    picture: int = Field(0, ge=0, description="Which of the request's pictures, from 0.")


class FeedbackOut(Schema):
    """Feedback as it is kept."""

    id: int
    prediction: str
    picture: int
    label: str


@router.post("/services/{slug}/feedback", response={201: FeedbackOut, **PROBLEMS})
def say_what_it_was(request: HttpRequest, slug: str, data: FeedbackIn) -> Status[dict[str, Any]]:
    """Tell the service the right label of a picture it was asked about; saying it again corrects it."""
    caller = asking(request)
    feedback = give_feedback(service=service_to_call(caller, slug), by=caller, **data.dict())
    return Status(201, {**data.dict(), "id": feedback.pk, "prediction": str(feedback.prediction_id)})
