"""Uploads on their way into a data set: beginning one, cancelling it, taking it back."""

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.archive_names import ENCODINGS, is_litter, parts_of, shown
from datasets.archives import looks_like_a_zip
from datasets.formats.matching import rows_of
from datasets.labels import clean_name
from datasets.models import Dataset, Image, Import, ImportState, Review, TagAction, Upload
from datasets.tagging import trash_images
from datasets.uploads import keep_whole
from jobs import queue
from jobs.models import Job, State
from web import storage
from web.sentences import Conflict, Refusal, Sentence

KIND = "datasets.import"
MAX_MANIFEST_BYTES = 64 * 1024**2
FormFile: TypeAlias = "UploadedFile[Any]"
UNFINISHED = (
    ImportState.RECEIVING, ImportState.QUEUED, ImportState.READING, ImportState.CHOOSING, ImportState.STORING,
)  # fmt: skip


class NothingOffered(Refusal):
    """An import without files."""

    code = "no-files"
    status = 422


class UnknownEncoding(Refusal):
    """Not an encoding that names in a zip have."""

    code = "unknown-encoding"
    status = 422


class UnknownReview(Refusal):
    """Neither yes nor no nor in between."""

    code = "unknown-review"
    status = 422


class ArchiveTooLarge(Refusal):
    """More bytes than an archive may have."""

    code = "too-many-bytes"
    status = 413


class ManifestTooLarge(Refusal):
    """More than a list of files can be."""

    code = "manifest-too-large"
    status = 413


class TakenAlready(Conflict):
    """An upload is imported once."""

    code = "upload-taken"


class CannotUndo(Conflict):
    """Only what has ended can be taken back."""

    code = "import-not-ended"


class NothingToTryAgain(Conflict):
    """The uploads are gone."""

    code = "uploads-gone"


class BadGroup(Refusal):
    """No mark that pictures can share."""

    code = "bad-group"
    status = 422


@dataclass(frozen=True)
class Said:
    """What was said about the files. Raises UnknownEncoding, UnknownReview, BadLabel.

    `label_name` is for files without a folder; `encoding` is how a zip's unmarked names are to be read; `review`:
    whether a person is asked first; `source_note` and `licence` go with the pictures; pictures with the same
    `group` belong together, such as a burst.
    """

    label_name: str = ""
    encoding: str = ""
    review: str = ""
    source_note: str = ""
    licence: str = ""
    group: str = ""

    def checked(self) -> dict[str, str]:
        """For the import's row."""
        if self.encoding and self.encoding not in ENCODINGS:
            raise UnknownEncoding(
                gettext_noop("Names in a zip are one of: %(names)s."), names=", ".join(ENCODINGS)
            )
        review = {"false": Review.NEVER}.get(self.review.lower(), self.review.lower())
        if review not in Review.values:
            raise UnknownReview(gettext_noop("Whether to ask first (review) is one of: true, auto, false."))
        if not re.fullmatch(r"[\w.:-]{0,40}", self.group):
            raise BadGroup(gettext_noop("A group is at most 40 letters, digits or - _ . :"))
        return {
            "label_name": clean_name(self.label_name) if self.label_name.strip() else "",
            "encoding": self.encoding,
            "review": review,
            "source_note": shown(self.source_note, 300) if self.source_note.strip() else "",
            "licence": shown(self.licence, 120) if self.licence.strip() else "",
            "group": self.group,
        }


def said_in(form: Mapping[str, Any]) -> dict[str, str]:
    """What a form says about its files: the fields of Said."""
    names = {"label_name": "label", "encoding": "encoding", "review": "review"}
    names |= {"source_note": "source_note", "licence": "licence", "group": "group"}
    return {argument: str(form.get(name, "")) for argument, name in names.items()}


def begin_import(
    *,
    dataset: Dataset,
    user: User,
    files: Sequence[FormFile],
    archive: bool = False,
    manifest: "FormFile | None" = None,
    said: Said | None = None,
    **about: str,
) -> Import:
    """Keep the uploads and queue their import. Zips are known by content; `archive`: all are meant to be.

    `manifest` says which file has which label; `said`, or Said's fields by themselves, what else is known of them.
    Raises NothingOffered, ArchiveTooLarge, NotUnderstood and what Said raises.
    """
    checked = (said or Said(**about)).checked()
    files = [each for each in files if archive or not is_litter(parts_of(each.name or "?"))]
    if not files:
        raise NothingOffered(gettext_noop("Choose a zip, or one or more pictures."))
    refuse_too_large(files)
    sources = [keep_manifest(manifest)] if manifest else []
    sources += [keep(each, archive) for each in files]
    with transaction.atomic():
        return queue_import(dataset, user, sources, **checked)


def begin_import_of_upload(
    *, dataset: Dataset, user: User, upload: Upload, said: Said | None = None, **about: str
) -> Import:
    """Queue the import of a file that came in pieces. Asked for again: the import that took it.

    Raises Incomplete, TakenAlready and what Said raises.
    """
    checked = (said or Said(**about)).checked()
    if upload.taken_by:
        return taken_before(upload.taken_by, dataset)
    key = keep_whole(upload)
    with default_storage.open(key, "rb") as content:
        zipped = looks_like_a_zip(content.read(4))
    source = {"key": key, "name": upload.name or upload.pk.hex, "archive": zipped}
    with transaction.atomic():
        upload = Upload.objects.select_for_update().get(pk=upload.pk)
        if upload.taken_by:  # meanwhile, by the same request sent twice
            return taken_before(upload.taken_by, dataset)
        upload.taken_by = queue_import(dataset, user, [source], **checked)
        upload.save(update_fields=["taken_by"])
        return upload.taken_by


def taken_before(found: Import, dataset: Dataset) -> Import:
    """The import that has this upload. Raises TakenAlready where it is another data set's."""
    if found.dataset_id != dataset.pk:
        raise TakenAlready(gettext_noop("This upload went into another data set. Send the file again."))
    return found


def queue_import(dataset: Dataset, user: User, sources: list[dict[str, object]], **checked: str) -> Import:
    """The row and its job; called in a transaction."""
    begun = Import.objects.create(
        dataset=dataset, created_by=user, sources=sources, state=ImportState.QUEUED, **checked
    )
    begun.job = queue.enqueue(KIND, {"import": begun.pk}, project=dataset.project, user=user)
    begun.save(update_fields=["job"])
    return begun


def refuse_too_large(files: Iterable[FormFile]) -> None:
    """Raises ArchiveTooLarge; pictures over their own limit are refused one by one."""
    for each in files:
        refuse_declared(each.size or 0, slack=0)


def refuse_declared(length: int, *, slack: int = 1024**2) -> None:
    """Raises ArchiveTooLarge for a body that says it is too long (`slack`: the form around it)."""
    if length > settings.MAX_ARCHIVE_BYTES + slack:
        raise ArchiveTooLarge(
            gettext_noop("A zip may have at most %(gb)s GB. Split it into several."),
            gb=f"{settings.MAX_ARCHIVE_BYTES / 1024**3:.3g}",
        )


def keep(upload: FormFile, archive: bool) -> dict[str, object]:
    """Store an upload until it is imported. Its key is its own: two imports of one file must not share it."""
    upload.seek(0)
    zipped = archive or looks_like_a_zip(upload.read(4))
    upload.seek(0)
    key = storage.put(f"uploads/{uuid.uuid4().hex}", upload)
    return {"key": key, "name": shown(upload.name or "", 255), "archive": zipped}


def keep_manifest(upload: FormFile) -> dict[str, object]:
    """Store a file of labels that can be read. Raises NotUnderstood."""
    if (upload.size or 0) > MAX_MANIFEST_BYTES:
        raise ManifestTooLarge(
            gettext_noop("A file of labels may have at most %(mb)s MB."), mb=MAX_MANIFEST_BYTES // 1024**2
        )
    upload.seek(0)
    rows_of(upload.name or "", upload.read())
    return keep(upload, archive=False) | {"archive": False, "manifest": True}


def cancel_import(found: Import) -> bool:
    """Ask an import to end; what it took so far stays. False: it had ended."""
    if found.state == ImportState.CHOOSING and close(found, Sentence("")):
        return True
    found.refresh_from_db(fields=["job", "state"])  # a choice may have queued it anew
    return found.job is not None and queue.cancel(found.job)


@transaction.atomic
def close(found: Import, message: Sentence) -> bool:
    """End an import that waits for a choice. False: it waits no more."""
    waiting = Import.objects.filter(pk=found.pk, state=ImportState.CHOOSING)
    closed = waiting.update(
        state=ImportState.CANCELLED,
        message=message.to_json() if message.text else {},
        plan={},
        choose_until=None,
        finished_at=timezone.now(),
    )
    if closed:
        transaction.on_commit(lambda: forget_uploads(found))
    return bool(closed)


@transaction.atomic
def undo_import(*, found: Import, user: User) -> TagAction:
    """Move what an import brought to the trash. Raises CannotUndo while it runs."""
    if found.state in UNFINISHED:
        raise CannotUndo(gettext_noop("The import is still running; cancel it first."))
    action = trash_images(dataset=found.dataset, user=user, chosen=Image.objects.filter(source=found))
    Import.objects.filter(pk=found.pk).update(state=ImportState.UNDONE)
    if found.job is not None and found.job.state == State.PARKED:  # nobody will try it again
        queue.cancel(found.job)
        transaction.on_commit(lambda: forget_uploads(found))
    return action


def ended(job: Job) -> None:
    """The job ended other than well: the import says so. Called in that transaction.

    Its uploads go, unless it was only set aside: then it can be tried again.
    """
    open_ones = (*UNFINISHED, ImportState.FAILED)  # failed: it was set aside before
    found = Import.objects.filter(pk=job.payload.get("import"), job=job, state__in=open_ones).first()
    if found is None or found.state == ImportState.CHOOSING:
        return
    found.state = ImportState.CANCELLED if job.state == State.CANCELLED else ImportState.FAILED
    found.message, found.finished_at = job.message, timezone.now()
    found.save(update_fields=["state", "message", "finished_at"])
    if job.state != State.PARKED:
        transaction.on_commit(lambda: forget_uploads(found))


def tried_again(job: Job) -> None:
    """A set-aside import goes on where it stopped. Raises NothingToTryAgain. Called in that transaction."""
    found = Import.objects.filter(pk=job.payload.get("import"), state=ImportState.FAILED).first()
    if found is None or not all(default_storage.exists(source["key"]) for source in found.sources):
        raise NothingToTryAgain(gettext_noop("What was uploaded is not kept any more; upload it again."))
    found.state, found.message, found.finished_at = ImportState.QUEUED, {}, None
    found.save(update_fields=["state", "message", "finished_at"])


def kept_aside() -> Iterator[str]:
    """The keys of uploads whose import was set aside and may be tried again."""
    aside = Import.objects.filter(state=ImportState.FAILED, job__state=State.PARKED)
    for sources in aside.values_list("sources", flat=True):
        yield from (source["key"] for source in sources)


def forget_uploads(found: Import) -> None:
    """Remove the uploaded files themselves; the pictures taken from them lie elsewhere."""
    for source in found.sources:
        default_storage.delete(source["key"])
