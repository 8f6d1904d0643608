"""Dialect 1, as ModelArts speaks it: pictures as files or as the body; strings with three decimals back."""

from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext_noop

from serving.dialects.bodies import files_of, raw_body
from serving.online import Answered, Picture
from serving.pictures import NoPicture
from serving.runtime.ranking import answer
from web.sentences import Refusal

FIELD = "images"


@dataclass(frozen=True)
class Asked:
    """A decoded request. `single`: the answer is one object, not a list."""

    pictures: list[Picture]
    single: bool


class TypeNotTaken(Refusal):
    """A body that is neither a form with files nor a picture."""

    code = "media-type-not-taken"
    status = 415


def decode(request: HttpRequest) -> Asked:
    """The pictures of a request; raises a Refusal that says what is wrong with it."""
    kind = (request.content_type or "").lower()
    if kind == "multipart/form-data":
        pictures = form_pictures(request)
        return Asked(pictures, single=len(pictures) == 1)
    if kind.startswith("image/"):
        body = raw_body(request)
        if not body:
            raise NoPicture(gettext_noop("The body is empty; it should be a picture."))
        return Asked([Picture(body)], single=True)
    if kind == "application/json":
        raise TypeNotTaken(gettext_noop("JSON is not taken here yet: send a form with files named “images”."))
    raise TypeNotTaken(
        gettext_noop(
            "Send a form (multipart/form-data) with files named “images”, or a picture as the body (image/*)."
        )
    )


def form_pictures(request: HttpRequest) -> list[Picture]:
    """The files named `images`, in order."""
    files = files_of(request, settings.MAX_PREDICTION_IMAGES)
    found = files.getlist(FIELD)
    if not found:
        raise NoPicture(gettext_noop("There is no picture: send one or more files in the field “images”."))
    return [Picture(file.file, file.name or "") for file in found]


def encode(answered: Answered, asked: Asked, *, top: int) -> HttpResponse:
    """`{"predicted_label": …, "scores": [[…]]}`, or a list of those for several pictures."""
    objects = [answer(row, answered.labels, top=top, threshold=answered.threshold) for row in answered.scores]
    body = objects[0] if asked.single else objects
    return JsonResponse(body, safe=False, json_dumps_params={"ensure_ascii": False})
