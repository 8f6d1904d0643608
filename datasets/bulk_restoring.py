"""Setting so many pictures back to a snapshot that a request should not wait for it: a job, in batches, resumable."""

import json
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Value
from django.utils.translation import gettext_noop

from datasets.bulk_tagging import not_yet
from datasets.labels import find_or_create
from datasets.models import ActionKind, Snapshot, TagAction
from datasets.restoring import Plan, plan_of, restore_snapshot
from datasets.selection import images_with_ids
from datasets.tagging import one_at_a_time, remember_and_change, start
from jobs import queue
from jobs.attempts import Attempt, Cancelled
from jobs.models import Job
from projects import audit
from web import storage
from web.sentences import Sentence

KIND = "datasets.restore"
MOST_AT_ONCE = 5_000  # about a second
BATCH = 2_000  # others' acts on the data set wait for one
RESTORING = Sentence(gettext_noop("Setting the pictures back"))
Batch = list[tuple[str | None, list[int]]]  # (label, pictures); None takes the label away


def restore(*, snapshot: Snapshot, user: User, untag_others: bool = False) -> tuple[TagAction, Job | None]:
    """Set the tags back to the snapshot; where that is much, a job does it. One act either way.

    Raises TooManyLabels.
    """
    plan = plan_of(snapshot)
    if plan.changes + (len(plan.left) if untag_others else 0) > MOST_AT_ONCE:
        return restore_in_background(snapshot=snapshot, user=user, plan=plan, untag_others=untag_others)
    return restore_snapshot(snapshot=snapshot, user=user, untag_others=untag_others), None


def restore_in_background(
    *, snapshot: Snapshot, user: User, plan: Plan, untag_others: bool
) -> tuple[TagAction, Job]:
    """Queue what is different now; what changes later is not meant. Raises TooManyLabels."""
    dataset = snapshot.dataset
    wanted: Batch = [*sorted(plan.labels.items()), (None, plan.left if untag_others else [])]
    key = storage.put_bytes("selections", json.dumps(wanted).encode(), ".json")
    with transaction.atomic():
        for name in plan.labels:
            find_or_create(dataset=dataset, name=name, user=user)
        action = start(dataset, user, ActionKind.RETURN)
        pictures = sum(len(ids) for _, ids in wanted)
        audit.note(user, "dataset.set-back", project=dataset.project, target=str(snapshot), pictures=pictures)
        payload = {"action": action.pk, "selection": key}
        return action, queue.enqueue(KIND, payload, project=dataset.project, user=user)


def run(attempt: Attempt) -> None:
    """Batch after batch, leaving alone what this act changed already: a second run ends the first."""
    action = TagAction.objects.select_related("dataset", "created_by").get(pk=attempt.payload["action"])
    wanted: Batch = json.loads(storage.read(attempt.payload["selection"]))
    done, total = 0, sum(len(ids) for _, ids in wanted)
    for batch in in_batches(wanted):
        attempt.progress(done, total, RESTORING)
        set_back(attempt, action, batch)
        done += sum(len(ids) for _, ids in batch)
    attempt.progress(total, total, RESTORING)


def in_batches(wanted: Batch) -> Iterator[Batch]:
    """At most BATCH pictures each, those of several labels where they are few."""
    batch: Batch = []
    room = BATCH
    for name, ids in wanted:
        rest = ids
        while rest:
            batch.append((name, rest[:room]))
            rest, room = rest[room:], room - len(rest[:room])
            if not room:
                yield batch
                batch, room = [], BATCH
    if batch:
        yield batch


def set_back(attempt: Attempt, action: TagAction, batch: Batch) -> None:
    """One transaction's worth. Raises Cancelled where somebody undid the act meanwhile."""
    with transaction.atomic():
        attempt.hold()
        one_at_a_time(action.dataset)
        if TagAction.objects.filter(pk=action.pk).exclude(undone_at=None).exists():
            raise Cancelled
        for name, ids in batch:
            chosen = images_with_ids(action.dataset, not_yet(action, sorted(ids)))
            if name is None:
                remember_and_change(action, chosen, label=None)
                continue
            label = find_or_create(dataset=action.dataset, name=name, user=action.created_by)
            remember_and_change(action, chosen, after=Value(label.pk), label=label, trashed_at=None)
