"""Pictures of which somebody was not sure: marked for everybody, out of the way of tagging, cleared by a label."""

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from datasets.models import ActionKind, Dataset, Image, TagAction
from datasets.models.images import OPEN, SKIPPED
from datasets.tagging import one_at_a_time, remember_and_change, start


@transaction.atomic
def skip_images(*, dataset: Dataset, user: User, chosen: "QuerySet[Image]") -> TagAction:
    """Mark the chosen pictures as not sure. Those with a label, with the mark or in the trash stay as they are."""
    one_at_a_time(dataset)
    action = start(dataset, user, ActionKind.SKIP)
    return remember_and_change(action, chosen.filter(OPEN), skipped_at=timezone.now())


@transaction.atomic
def unskip_images(*, dataset: Dataset, user: User, chosen: "QuerySet[Image]") -> TagAction:
    """Take the mark away: they wait for a label like any other."""
    one_at_a_time(dataset)
    action = start(dataset, user, ActionKind.UNSKIP)
    return remember_and_change(action, chosen.filter(SKIPPED), skipped_at=None)
