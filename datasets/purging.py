"""Emptying the trash for good: rows first, and each file once nothing names it any more.

What a snapshot holds is never purged by itself, because versions learned from it; people may release it
(datasets/releasing.py).
"""

import re
import zlib
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from functools import lru_cache

import numpy as np
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.models import (
    Dataset,
    Feature,
    FeatureShard,
    FreedFile,
    Image,
    Import,
    ImportState,
    Label,
    LabelConflict,
    Mislabel,
    Snapshot,
    Suggestion,
    TagChange,
)
from jobs.attempts import Attempt
from web import storage
from web.sentences import Sentence

KIND = "datasets.purge"
EVERY = timedelta(hours=1)
BATCH, FILES_AT_ONCE = 500, 200
EMPTYING = Sentence(gettext_noop("Emptying the trash"))
STORES = (ImportState.READING, ImportState.STORING)  # imports that may be about to name a stored file anew
HANG_ON_LABELS: tuple[tuple[type[Model], str], ...] = (
    (LabelConflict, "label"), (Suggestion, "label"), (Mislabel, "given"), (Mislabel, "proposed"),
    (Label.examples.through, "label"),
)  # fmt: skip
IMAGE_IN_ROW = re.compile(rb'"image": (\d+)')


def cutoff() -> datetime:
    """What was moved to the trash before this is purged."""
    return timezone.now() - timedelta(days=settings.TRASH_DAYS)


def run(attempt: Attempt) -> None:
    """The job: everything that is due. It may be killed anywhere and run again."""
    before = cutoff()
    for dataset in due_datasets(before):
        purge_images(attempt, dataset, due_images(dataset, before))
        purge_dataset(attempt, dataset, before)
    with transaction.atomic():
        attempt.hold()
        purge_labels(Label.every.filter(removed_at__lt=before, images=None))
    sweep_freed(attempt)


def purge_labels(unused: "QuerySet[Label]") -> None:
    """For good. One that an act remembers leaves its name behind, so that the act's undo can say what is missing.

    In a transaction.
    """
    due = Label.every.filter(pk__in=list(unused.select_for_update(of=("self",)).values_list("pk", flat=True)))
    changes = TagChange.objects.filter(Q(before=OuterRef("pk")) | Q(after=OuterRef("pk")))
    remembered = list(due.filter(Exists(changes)).values_list("pk", flat=True))
    due.exclude(pk__in=remembered).delete()
    for hangs_on, column in HANG_ON_LABELS:
        hangs_on._default_manager.filter(**{f"{column}__in": remembered}).delete()
    due.filter(purged_at=None).update(purged_at=timezone.now(), description="")


def due_datasets(before: datetime) -> list[Dataset]:
    """Data sets with something to purge, or that are due themselves."""
    waiting = Image.objects.filter(trashed_at__lt=before).values("dataset")
    return list(Dataset.objects.filter(Q(pk__in=waiting) | Q(trashed_at__lt=before)).order_by("pk"))


def due_images(dataset: Dataset, before: datetime) -> "QuerySet[Image]":
    """Of a data set that is due itself all pictures."""
    images = Image.objects.filter(dataset=dataset)
    whole = dataset.trashed_at is not None and dataset.trashed_at < before
    return images if whole else images.filter(trashed_at__lt=before)


def purge_images(attempt: Attempt, dataset: Dataset, due: "QuerySet[Image]") -> None:
    """Those that no snapshot of the data set holds, batch by batch."""
    held = held_by_snapshots(dataset)
    for ids in in_batches(due):
        free = ids[~np.isin(ids, held)]
        if len(free):
            attempt.check()
            with transaction.atomic():
                attempt.hold()
                delete_images(Image.objects.filter(pk__in=free.tolist()))


def purge_dataset(attempt: Attempt, dataset: Dataset, before: datetime) -> None:
    """The data set itself, once it is due and holds no picture; its snapshots lost theirs before."""
    with transaction.atomic():
        attempt.hold()
        due = Dataset.objects.select_for_update().filter(pk=dataset.pk, trashed_at__lt=before).first()
        if due and not due.images.exists():
            delete_dataset(due)


def delete_dataset(dataset: Dataset) -> None:
    """The row with all that hangs on it. In the caller's transaction."""
    free([snapshot.key for snapshot in dataset.snapshots.all()])
    dataset.delete()


def in_batches(images: "QuerySet[Image]") -> Iterator[np.ndarray]:
    """Their numbers, upwards, some at a time: int64 [n]. Pictures may go meanwhile."""
    last = 0
    while True:
        some = images.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)[:BATCH]
        ids = np.fromiter(some, dtype=np.int64)
        if not len(ids):
            return
        yield ids
        last = int(ids[-1])


def delete_images(images: "QuerySet[Image]") -> None:
    """The rows, what hangs on them, and the embeddings that no other picture needs. In a transaction."""
    rows = list(images.values_list("sha256", "key", "thumbnail_key"))
    Image.objects.filter(pk__in=images.values("pk")).delete()
    free([key for _, *keys in rows for key in keys])
    forget_features([sha256 for sha256, *_ in rows])


def forget_features(sha256s: Collection[str]) -> None:
    """Embeddings of pictures that no data set has any more; a shard goes with its last one."""
    gone = set(sha256s) - set(Image.objects.filter(sha256__in=sha256s).values_list("sha256", flat=True))
    features = Feature.objects.filter(sha256__in=gone)
    shards = set(features.values_list("shard", flat=True))
    features.delete()
    empty = FeatureShard.objects.filter(pk__in=shards, features=None)
    free(list(empty.values_list("key", flat=True)))
    FeatureShard.objects.filter(pk__in=list(empty.values_list("pk", flat=True))).delete()


def free(keys: Collection[str]) -> None:
    """Remember that these files may go; they do once it is committed that nothing names them."""
    FreedFile.objects.bulk_create([FreedFile(key=key) for key in set(keys)], ignore_conflicts=True)


def sweep_freed(attempt: Attempt) -> int:
    """Delete the files that were freed and that no row names; how many went.

    Files are found by their content, so another data set may use the same one, and an import that is under
    way may be about to: then all wait for the next time.
    """
    still = FreedFile.objects.filter(named())
    still.delete()
    count = 0
    while not Import.objects.filter(state__in=STORES).exists():
        some = list(FreedFile.objects.order_by("pk")[:FILES_AT_ONCE])
        if not some:
            break
        attempt.check()
        for file in some:
            default_storage.delete(file.key)
        FreedFile.objects.filter(pk__in=[file.pk for file in some]).delete()
        count += len(some)
    return count


def named() -> Q:
    """Files that a row names."""
    owners = ((Image, "key"), (Image, "thumbnail_key"), (FeatureShard, "key"), (Snapshot, "key"))
    freed = FreedFile.objects.values("key")
    found = Q()
    for model, column in owners:
        keys = model._default_manager.filter(**{f"{column}__in": freed}).values_list(column, flat=True)
        found |= Q(key__in=set(keys))
    return found


def held_by_snapshots(dataset: Dataset) -> np.ndarray:
    """The pictures that a snapshot of the data set holds: int64 [n], sorted."""
    held = [members(key) for key in dataset.snapshots.values_list("key", flat=True).distinct()]
    return np.unique(np.concatenate(held)) if held else np.empty(0, dtype=np.int64)


@lru_cache(maxsize=8)
def members(key: str) -> np.ndarray:
    """The pictures in a snapshot's file: int64 [n]. Read without making a row of each; a file never changes."""
    text = zlib.decompress(storage.read(key), wbits=31)
    return np.array([int(number) for number in IMAGE_IN_ROW.findall(text)], dtype=np.int64)
