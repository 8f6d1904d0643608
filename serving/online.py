"""Online prediction: the one predictor behind every dialect."""

import os
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from django.conf import settings
from django.utils.translation import gettext_noop

from datasets.pixels import Source, UnreadableImage
from projects.access import Caller
from serving.models import Revision, Service, ServiceState
from serving.pictures import BadPicture
from serving.records import keep
from serving.revisions import pick
from serving.sessions import predictor_for
from web.sentences import Conflict, Refusal

AT_ONCE = (os.cpu_count() or 1) + 1
WAIT_SECONDS = 5.0
_turns = threading.BoundedSemaphore(AT_ONCE)


class NotOnline(Conflict):
    """The service exists and does not answer now."""

    code = "offline"


class Overloaded(Refusal):
    """Too many requests wait already."""

    code = "overloaded"
    status = 503
    retry_after = 2


@dataclass(frozen=True)
class Picture:
    """An encoded picture of a request; `name` is for messages alone."""

    source: Source
    name: str = ""


@dataclass(frozen=True)
class Answered:
    """What a service said: scores float32 [n, k] over `labels`, by which version of which revision."""

    prediction: uuid.UUID
    version: int
    revision: int
    labels: Sequence[str]
    scores: np.ndarray
    threshold: float | None


def live_revision(service: Service) -> Revision:
    """What the service serves; raises NotOnline."""
    if service.state != ServiceState.ONLINE or service.revision is None:
        raise NotOnline(
            gettext_noop("This service is not online (%(state)s)."), state=str(service.get_state_display())
        )
    return service.revision


def predict(service: Service, pictures: Sequence[Picture], *, asking: Caller) -> Answered:
    """Scores for all pictures or for none; raises NotOnline, BadPicture, ModelUnavailable, Overloaded."""
    revision = live_revision(service)
    entry = pick(revision)
    predictor = predictor_for(entry["file_key"], entry["file_sha256"])
    began = time.perf_counter()
    with a_turn():
        pixels = []
        for number, picture in enumerate(pictures, 1):
            try:
                pixels.append(
                    predictor.pixels_of(
                        picture.source, max_pixels=settings.MAX_PIXELS, max_bytes=settings.MAX_FILE_BYTES
                    )
                )
            except UnreadableImage as error:
                raise BadPicture(error, number=number, of=len(pictures), name=picture.name) from error
        scores = predictor.scores_of(pixels)
    answered = Answered(
        uuid.uuid4(), entry["number"], revision.number, predictor.labels, scores, revision.threshold
    )
    milliseconds = (time.perf_counter() - began) * 1000
    keep(service, revision, entry["version"], answered, milliseconds=milliseconds, asking=asking)
    return answered


@contextmanager
def a_turn() -> Iterator[None]:
    """One of the few places where pictures are decoded and scored; raises Overloaded when none comes free."""
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise Overloaded(gettext_noop("The server has more to predict than it can. Try again in a moment."))
    try:
        yield
    finally:
        _turns.release()
