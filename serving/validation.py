"""Trying up to 10 pictures on a version before anybody depends on it."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from django.conf import settings
from django.utils.translation import gettext_noop

from datasets.pixels import Source, UnreadableImage
from projects.access import Who, caller
from serving.models import Validation
from serving.pictures import NoPicture, TooManyPictures, sentence_of
from serving.revisions import whole
from serving.runtime import ranking
from serving.sessions import predictor_for
from training.models import ModelVersion


class NothingToTry(NoPicture):
    """A trial without pictures."""

    status = 422


def validate(
    *, version: ModelVersion, pictures: Sequence[tuple[str, Source]], by: Who
) -> list[dict[str, Any]]:
    """What the version says to each (name, encoded picture), in order; a bad one has its reason instead.

    Raises NothingToTry, TooManyPictures, VersionUnusable, ModelUnavailable.
    """
    if not pictures:
        raise NothingToTry(gettext_noop("Send 1 to %(most)s pictures."), most=settings.MAX_VALIDATION_IMAGES)
    if len(pictures) > settings.MAX_VALIDATION_IMAGES:
        raise TooManyPictures(settings.MAX_VALIDATION_IMAGES)
    entry = whole(version)
    predictor = predictor_for(entry["file_key"], entry["file_sha256"])
    answers = predictor.predict_each(
        (source for _, source in pictures), max_pixels=settings.MAX_PIXELS, max_bytes=settings.MAX_FILE_BYTES
    )
    results = [
        result(name, each, predictor.labels) for (name, _), each in zip(pictures, answers, strict=True)
    ]
    Validation.objects.create(version=version, created_by=caller(by).user, results=results)
    return results


def result(name: str, answer: np.ndarray | UnreadableImage, labels: Sequence[str]) -> dict[str, Any]:
    """One picture's answer as the API gives it."""
    if isinstance(answer, UnreadableImage):
        return {"file": name, "error": {"code": answer.code, "detail": str(sentence_of(answer))}}
    return {"file": name, **ranking.answer(answer, labels)}
