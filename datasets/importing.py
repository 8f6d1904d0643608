"""The job that takes an upload's pictures in.

Killed at any moment, it goes on where its last batch was committed: files are taken in one fixed order and
each has exactly one outcome, so the counts say how many are done.
"""

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.archives import Archive, Offered
from datasets.embeddings import embed_soon
from datasets.formats import fer2013
from datasets.formats.matching import with_labels
from datasets.imports import UNFINISHED, forget_uploads
from datasets.models import Import, ImportState
from datasets.preparing import Prepared, prepare, sha256_of
from datasets.reasons import NotAccepted
from datasets.taking import Candidate, known_pictures, record
from datasets.zipformat import NotAZip
from jobs.attempts import Attempt
from jobs.rights import NoLongerAllowed
from web import storage
from web.sentences import Sentence

BATCH_FILES, BATCH_BYTES = 50, 48 * 1024**2
THREADS = min(4, os.cpu_count() or 1)


def run(attempt: Attempt) -> None:
    """Read the uploads, store their pictures, say what was not taken and why."""
    found = Import.objects.select_related("dataset__project", "created_by").get(pk=attempt.payload["import"])
    if found.state not in UNFINISHED:
        forget_uploads(found)
        return
    refuse_trashed(found)
    with offered_by(attempt, found) as (files, note), ThreadPoolExecutor(THREADS) as pool:
        begin(attempt, found, len(files))
        for batch in batches(files, start=found.imported + found.duplicates + found.rejected):
            attempt.check()
            take(attempt, found, batch, pool)
            done = found.imported + found.duplicates + found.rejected
            attempt.progress(done, found.total, STORING)
    finish(attempt, found, note)


STORING = Sentence(gettext_noop("Taking in the pictures"))


def refuse_trashed(found: Import) -> None:
    """The world may have changed while the import waited."""
    if found.dataset.trashed_at is not None:
        raise NoLongerAllowed(gettext_noop("The data set is in the trash."))


@contextmanager
def offered_by(attempt: Attempt, found: Import) -> Iterator[tuple[list[Offered], Sentence | None]]:
    """All files of all uploads in their fixed order, open for reading, and a word on how they were read."""
    if found.state == ImportState.QUEUED:
        move(attempt, found, ImportState.READING)
    with ExitStack() as opened:
        files: list[Offered] = []
        manifests: list[tuple[str, bytes]] = []
        note = None
        for source in found.sources:
            attempt.check()
            path = opened.enter_context(storage.local_copy(source["key"]))
            if source.get("manifest"):
                manifests.append((source["name"], path.read_bytes()))
                continue
            if not source["archive"] and (rows := fer2013.offers(path, source["name"])):
                files += rows
                continue
            if not source["archive"]:
                files.append(Offered(source["name"], "", path.read_bytes))
                continue
            try:
                archive = opened.enter_context(Archive(path, found.encoding))
            except NotAZip:
                if sum(not each.get("manifest") for each in found.sources) == 1:
                    raise
                files.append(Offered(source["name"], "", unreadable))
                continue
            files += archive.offered
            if archive.encoding != "utf-8":
                note = Sentence(
                    gettext_noop("Names in the zip were read as %(encoding)s."), encoding=archive.encoding
                )
        yield with_labels(files, manifests), note


def unreadable() -> bytes:
    """One bad zip among several uploads is refused by itself."""
    raise NotAccepted("not-a-zip")


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


def batches(files: Sequence[Offered], *, start: int) -> Iterator[list[Candidate]]:
    """The files from `start` on, one after another, in batches small enough for memory and a transaction."""
    batch: list[Candidate] = []
    held = 0
    for position in range(start, len(files)):
        offered = files[position]
        candidate = Candidate(position, offered.name, offered.folder, offered.split)
        try:
            candidate.content = offered.load()
            candidate.sha256 = sha256_of(candidate.content)
        except NotAccepted as refusal:
            candidate.refusal = refusal
        batch.append(candidate)
        held += len(candidate.content)
        if len(batch) >= BATCH_FILES or held >= BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


def take(attempt: Attempt, found: Import, batch: list[Candidate], pool: ThreadPoolExecutor) -> None:
    """Prepare a batch's new pictures on several threads, then write its rows at once."""
    known = known_pictures(found.dataset, batch)
    running: dict[str, Future[Prepared]] = {}
    for candidate in batch:
        if candidate.refusal is None and candidate.sha256 not in known and candidate.sha256 not in running:
            running[candidate.sha256] = pool.submit(prepare, candidate.content)
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
        if found.imported:
            embed_soon(found.dataset, user=found.created_by)
        transaction.on_commit(lambda: forget_uploads(found))
