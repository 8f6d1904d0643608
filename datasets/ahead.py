"""An import's files in batches: the next is read and begun while the rows of the one before are written."""

import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from datasets.archives import Offered
from datasets.choices import Choices
from datasets.models import Import
from datasets.preparing import Prepared, prepare, sha256_of
from datasets.reasons import NotAccepted
from datasets.taking import Candidate, known_pictures
from jobs.attempts import Attempt

BATCH_FILES, BATCH_BYTES, BATCH_SECONDS = 50, 48 * 1024**2, 3.0
Running = dict[str, Future[Prepared]]  # by sha256


def batches(found: Import, files: Sequence[Offered], *, start: int) -> Iterator[list[Candidate]]:
    """The files from `start` on, one after another, in batches small enough for memory and a transaction."""
    batch: list[Candidate] = []
    begun = time.monotonic()
    choices = Choices.of(found)
    for position in range(start, len(files)):
        offered = files[position]
        candidate = Candidate(position, offered.name, offered.folder, offered.split)
        try:
            if refusal := choices.refusal_for(offered.folder or found.label_name):
                raise refusal
            candidate.content = offered.load()
            candidate.sha256 = sha256_of(candidate.content)
        except NotAccepted as error:
            candidate.refusal = error
        batch.append(candidate)
        slow = time.monotonic() - begun > BATCH_SECONDS  # links: what has come is kept
        if slow or is_full(batch):
            yield batch
            batch, begun = [], time.monotonic()
    if batch:
        yield batch


def is_full(batch: list[Candidate]) -> bool:
    """As much as a transaction, or the memory, should hold."""
    held = sum(len(candidate.content) for candidate in batch)
    return len(batch) >= BATCH_FILES or held >= BATCH_BYTES


def prepared_ahead(
    attempt: Attempt, found: Import, read: Iterable[list[Candidate]], pool: ThreadPoolExecutor
) -> Iterator[tuple[list[Candidate], Running]]:
    """The batches with their new pictures in work: the next is read and begun before one is handed out.

    So the threads have work while rows are written. What came slowly is handed out at once, to be kept.
    """
    running: Running = {}
    waiting: tuple[list[Candidate], Running] | None = None
    for batch in read:
        attempt.check()
        running = preparing(found, batch, running, pool)
        if waiting:
            yield waiting
        waiting = (batch, running)
        if not is_full(batch):
            yield waiting
            waiting = None
    if waiting:
        yield waiting


def preparing(found: Import, batch: list[Candidate], before: Running, pool: ThreadPoolExecutor) -> Running:
    """A batch's new pictures, each once, being prepared. `before`: the batch's whose rows may not be there yet."""
    known = known_pictures(found.dataset, batch)
    running: Running = {}
    for candidate in batch:
        sha256 = candidate.sha256
        if candidate.refusal is None and sha256 not in known and sha256 not in running:
            running[sha256] = before.get(sha256) or pool.submit(prepare, candidate.content, sha256)
    return running
