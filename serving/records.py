"""What was asked of a service and what it said: kept for counting, for feedback, for watching."""

import logging
import uuid
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import DatabaseError, transaction
from django.db.models import Count, Q, QuerySet
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext_noop

from projects.access import Caller, Who, caller
from serving.models import Feedback, PredictionRecord, Revision, Service
from serving.runtime.ranking import predicted_label
from web.sentences import Refusal

if TYPE_CHECKING:
    from serving.online import Answered

log = logging.getLogger(__name__)


class UnknownLabel(Refusal):
    """A label that the answering version does not know."""

    code = "unknown-label"
    status = 422


class UnknownPicture(Refusal):
    """A place beyond the pictures of the request."""

    code = "unknown-picture"
    status = 422


def keep(
    service: Service,
    revision: Revision,
    version: int,
    answered: "Answered",
    *,
    milliseconds: float,
    asking: Caller,
) -> None:
    """One row a request. A database that cannot write for a moment must not cost the caller the answer."""
    answers = [[predicted_label(row, answered.labels), round(float(row.max()), 4)] for row in answered.scores]
    record = PredictionRecord(
        id=answered.prediction,
        service=service,
        revision=revision,
        version_id=version,
        milliseconds=round(milliseconds, 2),
        answers=answers,
        caller=asking.token.prefix if asking.token else asking.user.get_username()[:80],
    )
    try:
        with transaction.atomic():
            record.save(force_insert=True)
    except DatabaseError:
        log.exception("prediction %s of %s was answered but not recorded", answered.prediction, service.slug)


def give_feedback(*, service: Service, prediction: str, label: str, picture: int, by: Who) -> Feedback:
    """Say what a picture really showed; Http404 for a prediction that this service did not make."""
    try:
        key = uuid.UUID(prediction)
    except ValueError as error:
        raise Http404 from error
    record = service.predictions.select_related("version").filter(pk=key).first()
    if record is None:
        raise Http404
    if label not in record.version.labels:
        raise UnknownLabel(gettext_noop("The version that answered knows no label “%(label)s”."), label=label)
    if not 0 <= picture < len(record.answers):
        raise UnknownPicture(
            gettext_noop("The request had %(n)s pictures; they count from 0."), n=len(record.answers)
        )
    said: dict[str, Any] = {"label": label, "created_by": caller(by).user}
    feedback, _ = Feedback.objects.update_or_create(prediction=record, picture=picture, defaults=said)
    return feedback


def start_of_today() -> datetime:
    """Midnight, where the installation is."""
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def with_calls(services: QuerySet[Service]) -> QuerySet[Service]:
    """Services annotated with `calls_today`."""
    return services.annotate(
        calls_today=Count("predictions", filter=Q(predictions__created_at__gte=start_of_today()))
    )


def calls_today(service: Service) -> int:
    """Requests answered since midnight."""
    return service.predictions.filter(created_at__gte=start_of_today()).count()
