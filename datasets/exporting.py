"""Exports: asking for one, packing it in the background, and what becomes of it afterwards."""

import json
import secrets
import shutil
import time
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.exports import FORMATS
from datasets.exports.arranging import Picture
from datasets.exports.packing import Damaged, Parcel
from datasets.label_lists import PAPER, paper_of
from datasets.models import Dataset, Export, ExportState, Image, Snapshot
from datasets.snapshots import rows_of
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import Job, State
from projects import audit
from projects.access import may
from projects.models import Project, Role
from web import storage
from web.sentences import Conflict, Refusal, Sentence

KIND, UPKEEP, EVERY = "datasets.export", "datasets.export-upkeep", timedelta(hours=6)
FOLDER = "exports"
AT_ONCE, KEEP_EVERY, THREADS = 16, 2.0, 4
PACKING = Sentence(gettext_noop("Packing the pictures"))
STORING = Sentence(gettext_noop("Storing the zip"))
UNDER_WAY = (ExportState.QUEUED, ExportState.PACKING)


class UnknownFormat(Refusal):
    """Not a format that exports have."""

    code = "unknown-format"
    status = 422


class NothingToExport(Conflict):
    """A data set without pictures."""

    code = "nothing-to-export"


class MayNotExport(Refusal):
    """What was allowed when the export was asked for is not any more."""

    code = "no-longer-allowed"


def role_for(project: Project) -> Role:
    """Who may take data out, by the project's setting."""
    return Role(project.exports_from)


def begin_export(*, dataset: Dataset, user: User, format: str, snapshot: Snapshot | None = None) -> Export:
    """Queue it. The same export that is still under way is not packed twice. Raises UnknownFormat, NothingToExport."""
    if format not in FORMATS:
        raise UnknownFormat(
            gettext_noop("There is no format “%(name)s”. There are: %(known)s."),
            name=format[:40],
            known=", ".join(FORMATS),
        )
    if snapshot is None and not dataset.images.live().exists():
        raise NothingToExport(gettext_noop("“%(name)s” holds no pictures to export."), name=dataset.name)
    with transaction.atomic():
        same = dataset.exports.filter(
            snapshot=snapshot, format=format, created_by=user, state__in=UNDER_WAY
        ).first()
        if same:
            return same
        begun = Export.objects.create(dataset=dataset, snapshot=snapshot, format=format, created_by=user)
        begun.job = queue.enqueue(KIND, {"export": begun.pk}, project=dataset.project, user=user)
        begun.save(update_fields=["job"])
        audit.note(user, "dataset.export", project=dataset.project, target=dataset.name, format=format)
    return begun


def run(attempt: Attempt) -> None:
    """Pack what the data set, or the snapshot, holds; killed at any moment, the next attempt goes on."""
    found = (
        Export.objects.select_related("dataset__project", "snapshot", "created_by")
        .filter(pk=attempt.payload["export"])
        .first()
    )
    if found is None or found.state in (ExportState.READY, ExportState.EXPIRED):
        return
    check_right(found)
    with transaction.atomic():
        attempt.hold()
        Export.objects.filter(pk=found.pk).update(state=ExportState.PACKING, message={}, finished_at=None)
    folder = work_folder(found.pk)
    try:
        path, images, left_out = pack(attempt, found, folder)
    except Damaged:
        shutil.rmtree(folder)
        path, images, left_out = pack(attempt, found, folder)
    except OSError as error:
        storage.raise_if_full(error)
        raise
    hand_out(attempt, found, path, images, left_out)


def check_right(found: Export) -> None:
    """The world may have changed while the export waited."""
    project = found.dataset.project
    if found.dataset.trashed_at is not None:
        raise MayNotExport(gettext_noop("The data set is in the trash."))
    if found.created_by is None or not may(found.created_by, project, at_least=role_for(project)):
        raise MayNotExport(
            gettext_noop("Whoever asked for the export may no longer export from the project.")
        )


def work_folder(pk: int) -> Path:
    """Where the zip grows; it outlives a crash."""
    return Path(settings.DATA_DIR) / "work" / f"export-{pk}"


def pack(attempt: Attempt, found: Export, folder: Path) -> tuple[Path, int, int]:
    """The zip, how many pictures are in it, and how many have no file."""
    pictures = frozen(found, folder)
    arranged = FORMATS[found.format].arrange(pictures)
    missing = 0
    with Parcel(folder, found.created_at) as parcel, ThreadPoolExecutor(THREADS) as pool:
        if not parcel.packed:
            refuse_without_room(found, folder)
            for path, paper in [*arranged.papers, (PAPER, paper_of(found.dataset, names_in(found)))]:
                parcel.add(path, paper, pack=True)
            parcel.keep()
        done = set(parcel.names)
        todo = [(path, each) for path, each in zip(arranged.paths, pictures, strict=True) if path not in done]
        already, kept_at = len(pictures) - len(todo), time.monotonic()
        for start in range(0, len(todo), AT_ONCE):
            attempt.progress(already + start, len(pictures), PACKING)
            some = todo[start : start + AT_ONCE]
            for (path, each), content in zip(some, pool.map(content_of, some), strict=True):
                if content is None:
                    missing += 1
                    continue
                parcel.add(path, content, pack=each.key.endswith(".bmp"))
            if time.monotonic() - kept_at > KEEP_EVERY:
                parcel.keep()
                kept_at = time.monotonic()
        attempt.check()
        return parcel.finish(), len(pictures) - missing, missing


def content_of(one: tuple[str, Picture]) -> bytes | None:
    """The stored bytes; None where the storage does not have them any more."""
    try:
        return storage.read(one[1].key)
    except FileNotFoundError:
        return None


def refuse_without_room(found: Export, folder: Path) -> None:
    """Raises StorageFull before the first byte where the disk cannot hold it."""
    needed = sum(found.dataset.images.live().values_list("bytes", flat=True)) if not found.snapshot_id else 0
    if shutil.disk_usage(folder).free < needed:
        raise storage.StorageFull


def frozen(found: Export, folder: Path) -> list[Picture]:
    """What is exported, the same in every attempt."""
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "pictures.json"
    if not kept.exists():
        half = folder / "pictures.half"
        half.write_text(json.dumps([astuple(each) for each in pictures_of(found)]))
        half.replace(kept)
    return [Picture(*row) for row in json.loads(kept.read_text())]


def pictures_of(found: Export) -> Iterator[Picture]:
    """The pictures outside the trash, or those of the snapshot, in a fixed order."""
    if found.snapshot is not None:
        for row in rows_of(found.snapshot):
            yield Picture(row.name, row.key, row.label, row.split)
        return
    columns = ("name", "key", "label__name", "split")
    rows = Image.objects.live().filter(dataset=found.dataset).order_by("id").values_list(*columns)
    for name, key, label, split in rows.iterator(chunk_size=5000):
        yield Picture(name, key, label or "", split)


def names_in(found: Export) -> Collection[str] | None:
    """The labels of the snapshot; None: all that there are."""
    return found.snapshot.labels if found.snapshot is not None else None


def hand_out(attempt: Attempt, found: Export, path: Path, images: int, left_out: int) -> None:
    """Into the storage, and ready."""
    attempt.progress(images + left_out, images + left_out, STORING)
    size, key = path.stat().st_size, f"{FOLDER}/{secrets.token_hex(16)}.zip"
    move_in(path, key)
    now = timezone.now()
    message = (
        Sentence(
            gettext_noop("The files of %(count)s pictures are missing; they are left out."), count=left_out
        )
        if left_out
        else Sentence("")
    )
    try:
        with transaction.atomic():
            attempt.hold()
            there = Export.objects.filter(pk=found.pk).update(
                state=ExportState.READY, key=key, bytes=size, images=images, left_out=left_out,
                message=message.to_json(), finished_at=now,
                expires_at=now + timedelta(days=settings.EXPORT_DAYS),
            )  # fmt: skip
    except BaseException:
        default_storage.delete(key)
        raise
    if not there:  # deleted meanwhile
        default_storage.delete(key)
    shutil.rmtree(work_folder(found.pk), ignore_errors=True)


def move_in(path: Path, key: str) -> None:
    """On a disk the file moves; into a bucket it is sent in parts."""
    final = storage.path_of(key)
    if final is not None:
        try:
            final.parent.mkdir(parents=True, exist_ok=True)
            path.replace(final)
            return
        except OSError:  # another disk
            pass
    with path.open("rb") as stream:
        storage.put(key, File(stream))


def ended(job: Job) -> None:
    """The job ended other than well: the export says so. Called in that transaction."""
    pk = job.payload["export"]
    Export.objects.filter(pk=pk, state__in=UNDER_WAY).update(
        state=ExportState.CANCELLED if job.state == State.CANCELLED else ExportState.FAILED,
        message=job.message,
        finished_at=timezone.now(),
    )
    transaction.on_commit(lambda: shutil.rmtree(work_folder(pk), ignore_errors=True))


def remove_export(found: Export) -> None:
    """Cancel it where it is under way; the zip and the row go."""
    job = found.job
    found.delete()
    if job is not None and not job.ended:
        queue.cancel(job)
    forget_files([found.key])


def under_way() -> list[int]:
    """Exports whose zip may still be packed."""
    return list(Export.objects.filter(state__in=UNDER_WAY).values_list("pk", flat=True))


def upkeep(attempt: Attempt) -> None:
    """Now and then: what has expired goes."""
    forget_expired()


def forget_expired() -> int:
    """Take away the zips whose days are over; the rows stay and say so. How many went."""
    old = Export.objects.filter(state=ExportState.READY, expires_at__lte=timezone.now())
    keys = list(old.values_list("key", flat=True))
    gone = old.filter(key__in=keys).update(state=ExportState.EXPIRED, key="")
    forget_files(keys)
    return gone


def forget_files(keys: Sequence[str]) -> None:
    """Nobody can get them any more."""
    for key in keys:
        if key:
            default_storage.delete(key)
