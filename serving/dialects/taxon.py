"""Dialect 1, as ModelArts speaks it: pictures as files or as the body; strings with three decimals back."""

import json
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_noop

from serving.dialects.bodies import files_of, raw_body, stream_of
from serving.online import Answered, Picture
from serving.pictures import NoPicture
from serving.runtime.ranking import TOP, answer
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
    return [Picture(stream_of(file), file.name or "") for file in found]


def objects_of(answered: Answered, top: int = TOP) -> list[dict[str, Any]]:
    """One object a picture."""
    return [answer(row, answered.labels, top=top, threshold=answered.threshold) for row in answered.scores]


def as_json(body: object) -> str:
    """The very text that goes over the wire; labels stay readable."""
    return json.dumps(body, ensure_ascii=False)


def encode(answered: Answered, asked: Asked, *, top: int) -> HttpResponse:
    """`{"predicted_label": …, "scores": [[…]]}`, or a list of those for several pictures."""
    objects = objects_of(answered, top)
    body = objects[0] if asked.single else objects
    return HttpResponse(as_json(body), content_type="application/json; charset=utf-8")
