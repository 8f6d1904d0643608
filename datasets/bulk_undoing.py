"""Taking back so large an act that a request should not wait for it: a job, in batches, resumable."""

from collections.abc import Iterator
from dataclasses import replace

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.bulk_tagging import BATCH, MOST_AT_ONCE
from datasets.models import TagAction, TagChange
from datasets.tagging import Undone, give_back, one_at_a_time
from datasets.tagging import undo as undo_at_once
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import Job
from web.sentences import Sentence

KIND = "datasets.undo"
UNDOING = Sentence(gettext_noop("Giving the pictures back what they were"))


def undo(*, action: TagAction, user: User) -> Undone | Job:
    """Take an act back: at once, or by a job where it changed more than a request should wait for.

    An act that is still going on in the background ends first; what it did until then is taken back.
    """
    with transaction.atomic():
        # Its jobs before the data set: their batches take the locks in this order too
        ended = [job for job in under_way(action).exclude(kind=KIND) if queue.cancel(job)]
        one_at_a_time(action.dataset)
        if ended:  # a worker that hears of the cancel late does no more of it all the same
            TagAction.objects.filter(pk=action.pk).update(undone_at=timezone.now(), undone_by=user)
        action.refresh_from_db()
        if action.changed > MOST_AT_ONCE:
            return undo_in_background(action, user)
        return replace(undo_at_once(action=action, user=user), stopped=bool(ended))


def under_way(action: TagAction) -> "QuerySet[Job]":
    """What the background does for this act or for its undo."""
    return action.dataset.project.jobs.active().filter(payload__action=action.pk)


def undo_in_background(action: TagAction, user: User) -> Job:
    """Queue it, unless that was done already."""
    waiting = under_way(action).filter(kind=KIND).first()
    payload = {"action": action.pk}
    return waiting or queue.enqueue(KIND, payload, project=action.dataset.project, user=user)


def run(attempt: Attempt) -> None:
    """Batch after batch: what was given back is no longer this act's, so a second run ends the first."""
    action = TagAction.objects.select_related("dataset").get(pk=attempt.payload["action"])
    user = attempt.job.created_by or action.created_by
    assert user is not None  # both accounts deleted: nobody to do it for
    done = 0
    for within in batches(action):
        attempt.progress(min(done, action.changed), action.changed, UNDOING)
        with transaction.atomic():
            attempt.hold()
            one_at_a_time(action.dataset)
            give_back(action, user, within)
        done += BATCH
    attempt.progress(action.changed, action.changed, UNDOING)


def batches(action: TagAction) -> Iterator[tuple[int, int]]:
    """The pictures that the act changed, as ranges of their numbers that hold so many of them."""
    last = 0
    while True:
        mine = TagChange.objects.filter(action=action, image__gt=last).order_by("image_id")
        found = list(mine.values_list("image_id", flat=True)[:BATCH])
        if not found:
            return
        yield found[0], found[-1]
        last = found[-1]
