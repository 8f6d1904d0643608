"""Setting so many pictures back to a snapshot that a request should not wait for it: a job, in batches, resumable."""

from collections.abc import Iterator
from typing import cast

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Value
from django.utils.translation import gettext_noop

from datasets import chosen_files
from datasets.bulk_tagging import not_yet
from datasets.labels import find_or_create
from datasets.models import ActionKind, Snapshot, TagAction
from datasets.restore_plans import is_large, plan_by
from datasets.restoring import Plan, plan_of, restore_snapshot
from datasets.selection import images_with_ids
from datasets.tagging import one_at_a_time, remember_and_change, start
from jobs import queue
from jobs.attempts import Attempt, Cancelled
from jobs.models import Job
from projects import audit
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
    if is_large(snapshot):
        return plan_and_restore(snapshot=snapshot, user=user, untag_others=untag_others)
    plan = plan_of(snapshot)
    if plan.changes + (len(plan.left) if untag_others else 0) > MOST_AT_ONCE:
        return restore_in_background(snapshot=snapshot, user=user, plan=plan, untag_others=untag_others)
    return restore_snapshot(snapshot=snapshot, user=user, untag_others=untag_others), None


def plan_and_restore(*, snapshot: Snapshot, user: User, untag_others: bool) -> tuple[TagAction, Job]:
    """Queue the finding out, too: what is different when the job begins is what it changes."""
    dataset = snapshot.dataset
    with transaction.atomic():
        action = start(dataset, user, ActionKind.RETURN)
        audit.note(user, "dataset.set-back", project=dataset.project, target=str(snapshot))
        payload = {
            "action": action.pk,
            "selection": chosen_files.new_key(),
            "snapshot": snapshot.pk,
            "untag_others": untag_others,
        }
        return action, queue.enqueue(KIND, payload, project=dataset.project, user=user)


def restore_in_background(
    *, snapshot: Snapshot, user: User, plan: Plan, untag_others: bool
) -> tuple[TagAction, Job]:
    """Queue what is different now; what changes later is not meant. Raises TooManyLabels."""
    dataset = snapshot.dataset
    wanted = batch_of(plan, untag_others)
    key = chosen_files.keep(wanted)
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
    wanted = chosen(attempt, action)
    done, total = 0, sum(len(ids) for _, ids in wanted)
    for batch in in_batches(wanted):
        attempt.progress(done, total, RESTORING)
        set_back(attempt, action, batch)
        done += sum(len(ids) for _, ids in batch)
    attempt.progress(total, total, RESTORING)


def batch_of(plan: Plan, untag_others: bool) -> Batch:
    """All that the plan changes."""
    return [*sorted(plan.labels.items()), (None, plan.left if untag_others else [])]


def chosen(attempt: Attempt, action: TagAction) -> Batch:
    """What was written down; the first attempt at a large one finds it out, and the labels. Raises TooManyLabels."""
    payload = attempt.payload
    try:
        return cast("Batch", chosen_files.read(payload["selection"]))
    except FileNotFoundError:
        if "snapshot" not in payload:
            raise
    snapshot = Snapshot.objects.select_related("dataset__project").get(pk=payload["snapshot"])
    wanted = batch_of(plan_by(attempt, snapshot), payload["untag_others"])
    with transaction.atomic():
        attempt.hold()
        for name, ids in wanted:
            if name is not None and ids:
                find_or_create(dataset=snapshot.dataset, name=name, user=action.created_by)
    chosen_files.keep(wanted, payload["selection"])
    return wanted


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
            remember_and_change(action, chosen, after=Value(label.pk), trashed_at=None)
