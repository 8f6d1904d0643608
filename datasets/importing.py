"""The job that takes an upload's pictures in.

Killed at any moment, it goes on where its last batch was committed: files are taken in one fixed order and
each has exactly one outcome, so the counts say how many are done.
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.ahead import Running, batches, prepared_ahead
from datasets.choices import Choices
from datasets.choosing import give_up_abandoned, wait_for_choice
from datasets.conflicts import settle_as_chosen
from datasets.embeddings import embed_soon
from datasets.imports import UNFINISHED, forget_uploads
from datasets.label_lists import Kept, make_missing
from datasets.models import Import, ImportState, Review
from datasets.near_duplicates import search_soon
from datasets.planning import Plan, Planner
from datasets.reading import Reading, uploads_of
from datasets.reasons import NotAccepted
from datasets.taking import Candidate, record
from jobs.attempts import Attempt
from jobs.rights import NoLongerAllowed
from web.sentences import Sentence

THREADS = min(4, os.cpu_count() or 1)


def run(attempt: Attempt) -> None:
    """Read the uploads, store their pictures, say what was not taken and why."""
    found = Import.objects.select_related("dataset__project", "created_by").get(pk=attempt.payload["import"])
    if found.state not in UNFINISHED:
        forget_uploads(found)
        return
    if found.state == ImportState.CHOOSING or found.job_id not in (None, attempt.job.pk):
        return  # this job has read what it could; another one stores it
    refuse_trashed(found)
    give_up_abandoned()
    fresh = found.state in (ImportState.QUEUED, ImportState.READING) and not done(found)
    if found.state == ImportState.QUEUED:
        move(attempt, found, ImportState.READING)
    with uploads_of(attempt, found) as reading:
        if fresh and found.review and not found.choices:
            plan = plan_of(attempt, found, reading)
            existing = list(found.dataset.labels.values_list("name", flat=True))
            if found.review == Review.ALWAYS or plan.is_unclear(existing):
                wait_for_choice(attempt, found, plan)
                return
        store(attempt, found, reading)


def plan_of(attempt: Attempt, found: Import, reading: Reading) -> Plan:
    """What would happen."""
    planner = Planner(found.dataset, found.label_name, fer=reading.fer)
    plan = planner.look_at(
        reading.files, lambda looked: attempt.progress(looked, len(reading.files), LOOKING)
    )
    reading.ask_about_names(plan, found.encoding)
    return plan


def store(attempt: Attempt, found: Import, reading: Reading) -> None:
    """Take the pictures in, batch by batch."""
    begin(attempt, found, len(reading.files))
    no_room = make_labels(attempt, found, reading.labels)
    with ThreadPoolExecutor(THREADS) as pool, ExitStack() as ended:
        ended.callback(pool.shutdown, cancel_futures=True)  # a cancelled import does not prepare what waits
        read = batches(found, reading.files, start=done(found))
        for batch, running in prepared_ahead(attempt, found, read, pool):
            take(attempt, found, batch, running)
            attempt.progress(done(found), found.total, STORING)
    finish(attempt, found, Sentence(NO_ROOM, count=no_room) if no_room else reading.note)


def make_labels(attempt: Attempt, found: Import, kept: Sequence[Kept]) -> int:
    """Those that an export wrote down, before the pictures come; a second attempt finds them. How many had no room."""
    if not kept:
        return 0
    with transaction.atomic():
        attempt.hold()
        return make_missing(
            dataset=found.dataset, user=found.created_by, kept=kept, choices=Choices.of(found)
        )


def done(found: Import) -> int:
    """How many files have their outcome."""
    return found.imported + found.duplicates + found.rejected


LOOKING = Sentence(gettext_noop("Looking through the pictures"))
NO_ROOM = gettext_noop("%(count)s labels of the zip had no room: the data set has as many as it may.")
STORING = Sentence(gettext_noop("Taking in the pictures"))


def refuse_trashed(found: Import) -> None:
    """The world may have changed while the import waited."""
    if found.dataset.trashed_at is not None:
        raise NoLongerAllowed(gettext_noop("The data set is in the trash."))


def move(attempt: Attempt, found: Import, state: ImportState) -> None:
    """To the next state, if the job is still ours."""
    with transaction.atomic():
        attempt.hold()
        found.state = state
        found.save(update_fields=["state"])


def begin(attempt: Attempt, found: Import, total: int) -> None:
    """From here on the number of files is known."""
    found.total = total
    Import.objects.filter(pk=found.pk).update(total=total)
    move(attempt, found, ImportState.STORING)


def take(attempt: Attempt, found: Import, batch: list[Candidate], running: Running) -> None:
    """Wait for a batch's new pictures, then write its rows at once."""
    for candidate in batch:
        future = running.get(candidate.sha256)
        if candidate.refusal is None and future is not None:
            try:
                candidate.prepared = future.result()
            except NotAccepted as refusal:
                candidate.refusal = refusal
        candidate.content = b""
    record(attempt, found, batch)


def finish(attempt: Attempt, found: Import, note: Sentence | None) -> None:
    """Ready: the uploads go, the new pictures get their embeddings."""
    with transaction.atomic():
        attempt.hold()
        found.state, found.finished_at = ImportState.READY, timezone.now()
        found.message = note.to_json() if note else {}
        found.save(update_fields=["state", "finished_at", "message"])
        settle_as_chosen(found)
        if found.imported:
            embed_soon(found.dataset, user=found.created_by)
            search_soon(found.dataset, user=found.created_by)  # after them: they help
        transaction.on_commit(lambda: forget_uploads(found))
