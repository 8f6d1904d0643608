"""Tagging so many pictures that a request should not wait for it: a job, in batches, resumable."""

import json

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_noop

from datasets.models import ActionKind, Dataset, Image, Label, TagAction, TagChange
from datasets.selection import images_with_ids
from datasets.tagging import one_at_a_time, refuse_label_gone, remember_and_change, start, without
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import Job
from web import storage
from web.sentences import Sentence

KIND = "datasets.tag"
MOST_AT_ONCE = 100_000
BATCH = 10_000


def tag_in_background(
    *, dataset: Dataset, user: User, chosen: "QuerySet[Image]", label: Label | None
) -> tuple[TagAction, Job]:
    """Queue the act on the pictures that are chosen now; what matches the filter later is not meant."""
    ids = list(chosen.filter(trashed_at=None).order_by("pk").values_list("pk", flat=True))
    key = storage.put_bytes("selections", json.dumps(ids).encode(), ".json")
    with transaction.atomic():
        refuse_label_gone(dataset, label)
        action = start(dataset, user, ActionKind.TAG, label)
        payload = {"action": action.pk, "selection": key}
        return action, queue.enqueue(KIND, payload, project=dataset.project, user=user)


def run(attempt: Attempt) -> None:
    """Tag batch after batch, leaving alone what this act changed already: a second run ends the first."""
    action = TagAction.objects.select_related("dataset", "label").get(pk=attempt.payload["action"])
    ids: list[int] = json.loads(storage.read(attempt.payload["selection"]))
    for first in range(0, len(ids), BATCH):
        attempt.check()
        tag_batch(attempt, action, ids[first : first + BATCH])
        attempt.progress(first + BATCH, len(ids), TAGGING)


TAGGING = Sentence(gettext_noop("Tagging the pictures"))


def tag_batch(attempt: Attempt, action: TagAction, ids: list[int]) -> None:
    """One transaction's worth."""
    with transaction.atomic():
        attempt.hold()
        one_at_a_time(action.dataset)
        refuse_label_gone(action.dataset, action.label)
        chosen = images_with_ids(action.dataset, not_yet(action, ids)).filter(trashed_at=None)
        remember_and_change(action, without(chosen, action.label), label=action.label)


def not_yet(action: TagAction, ids: list[int]) -> list[int]:
    """Those that the act did not change in an attempt before; `ids` in their order, at least one.

    Asked as a range: what the act changed so far grows to a million rows, of which PostgreSQL's planner knows nothing
    while they are new, and a join it would do the long way.
    """
    changed = TagChange.objects.filter(action=action, image__gte=ids[0], image__lte=ids[-1])
    done = set(changed.values_list("image", flat=True))
    return [each for each in ids if each not in done]
