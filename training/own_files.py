"""A model file that a person made elsewhere, as a version: taken in here, tried and judged by the training worker."""

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils.translation import gettext_noop

from datasets.none_of_these import names_of
from datasets.snapshots import take_snapshot
from jobs.queue import enqueue
from projects import audit
from training import pinning, wishes
from training.manifest import EXAMPLES, two_labels
from training.models import ModelVersion, RegisteredModel
from web import storage
from web.sentences import Conflict, Refusal, Sentence

KIND = "training.judge"
FOLDER = "models"
LARGEST = 512 * 1024**2
LONGEST_NAME, LONGEST_LABEL = 200, 64
# What pickles, zips (also torch's) and HDF5 files begin with: said at once, before a worker looks closer.
NOT_ONNX = (b"\x80", b"PK", b"\x89HDF", b"GGUF", b"{", b"<")


class BadFile(Refusal):
    """Not a file that can be a version."""

    code = "bad-model-file"
    status = 422


class BadLabels(Refusal):
    """Labels that cannot be."""

    code = "bad-labels"
    status = 422


class BadData(Refusal):
    """No list of data sets."""

    code = "bad-data"
    status = 422

    def __init__(self) -> None:
        super().__init__(gettext_noop('“data” is a JSON list: [{"dataset": 3, "labels": "all"}].'))


class BringItAgain(Conflict):
    """The file of a version that failed is gone."""

    code = "file-gone"


def bring(
    *,
    model: RegisteredModel,
    user: User,
    file: "UploadedFile[Any] | None",
    labels: Sequence[str] | None,
    application: str,
    data: Sequence[dict[str, Any]],
) -> ModelVersion:
    """A queued version with this file. `labels`: in the order of its scores; None: the file says them.

    Raises Refusal for what can be seen at once; the rest ends the version as failed, with its sentence.
    """
    (wanted,) = wishes.applications_of([application])
    refuse_at_once(file)
    named = labels_of(labels)
    chosen = wishes.chosen_of(model.project, data)
    preview = wishes.preview_of(model.project, chosen, {})
    if preview.clashes:
        raise two_labels(len(preview.clashes), "; ".join(preview.clashes[:EXAMPLES]))
    must_be_there(named, [each.name for each in preview.labels if each.pictures])
    assert file is not None
    key = storage.put(storage.content_key(FOLDER, hash_of(file), ".onnx"), File(file.file))
    with transaction.atomic():
        locked = RegisteredModel.objects.select_for_update().get(pk=model.pk)
        version = ModelVersion.objects.create(
            model=model,
            number=locked.last_number + 1,
            application=wanted,
            created_by=user,
            own_file=name_of(file),
            file_key=key,
            file_sha256=storage.promised_hash(key),
            file_bytes=file.size or 0,
            labels=named or [],
            data=[
                {"dataset": c.dataset.pk, "name": c.dataset.name, "labels": list(c.labels)} for c in chosen
            ],
            snapshots=[
                take_snapshot(dataset=c.dataset, label_names=list(c.labels), user=user).pk for c in chosen
            ],
            message=Sentence(gettext_noop("Waiting for its turn.")).to_json(),
            **fields_beside(model, chosen, [each.name for each in preview.labels]),
        )
        version.job = enqueue(KIND, {"version": version.pk}, project=model.project, user=user)
        version.save(update_fields=["job"])
        audit.note(user, "version.bring", project=model.project, target=str(version), file=version.own_file)
    return version


def fields_beside(
    model: RegisteredModel, chosen: Sequence[wishes.Chosen], names: list[str]
) -> dict[str, Any]:
    """What it is judged on, and which of these labels are for pictures that are none of the others."""
    fields = pinning.fields_for_own_file(model, chosen)
    outside = names_of([each.dataset.pk for each in chosen], names)
    more = {"none_of_these": outside} if outside else {}
    return fields | {"split_facts": fields.get("split_facts", {}) | more}


def refuse_at_once(file: "UploadedFile[Any] | None") -> None:
    """Raises BadFile."""
    if file is None or not file.size:
        raise BadFile(gettext_noop("Choose an ONNX file; this one is missing or empty."))
    if file.size > LARGEST:
        raise BadFile(
            gettext_noop("A model file may have at most %(most)s MB; this one has %(size)s."),
            most=LARGEST // 1024**2,
            size=-(-file.size // 1024**2),
        )
    file.seek(0)
    head = file.read(8)
    file.seek(0)
    if head.startswith(NOT_ONNX):
        raise BadFile(
            gettext_noop(
                "This is not an ONNX file. Files of PyTorch, TensorFlow or pickle are never opened here:"
                " export the model as ONNX."
            )
        )


def hash_of(file: "UploadedFile[Any]") -> str:
    """The sha256 of what was sent, read piece by piece."""
    found = hashlib.sha256()
    for piece in file.chunks():
        found.update(piece)
    file.seek(0)
    return found.hexdigest()


def name_of(file: "UploadedFile[Any]") -> str:
    """The file's own name, as a word to show."""
    name = Path((file.name or "").replace("\\", "/")).name
    shown = "".join(letter for letter in name if unicodedata.category(letter)[0] != "C")
    return shown[:LONGEST_NAME] or "model.onnx"


def labels_from(text: str) -> list[str] | None:
    """Labels as a person types them: JSON, or one a line; None where there are none."""
    text = text.strip()
    if not text:
        return None
    if text.startswith("["):
        try:
            found = json.loads(text)
        except ValueError as error:
            raise BadLabels(
                gettext_noop("The labels are not a JSON list; write one a line instead.")
            ) from error
        return found if isinstance(found, list) else [str(found)]
    return [line.strip() for line in text.splitlines() if line.strip()]


def labels_of(labels: Sequence[Any] | None) -> list[str] | None:
    """Labels as they are kept; raises BadLabels."""
    if labels is None:
        return None
    found = [unicodedata.normalize("NFC", each).strip() if isinstance(each, str) else "" for each in labels]
    if not 2 <= len(found) <= settings.MAX_LABELS or len(set(found)) < len(found):
        raise BadLabels(
            gettext_noop("Give from 2 to %(most)s labels, each once, in the order of the scores."),
            most=settings.MAX_LABELS,
        )
    if any(not each or len(each) > LONGEST_LABEL or not each.isprintable() for each in found):
        raise BadLabels(gettext_noop("A label is text of 1 to %(most)s characters."), most=LONGEST_LABEL)
    return found


def must_be_there(labels: Sequence[str] | None, known: Sequence[str]) -> None:
    """Each label needs a picture to be judged on; raises BadLabels."""
    missing = [label for label in labels or [] if label not in known]
    if missing:
        raise BadLabels(
            gettext_noop(
                "Nothing to judge these labels on: %(labels)s. Choose data sets that have pictures of each."
            ),
            labels=", ".join(missing[:5]) + (f" +{len(missing) - 5}" if len(missing) > 5 else ""),
        )


def cannot_be_tried_again(job: Any) -> None:
    """The file went when the job was set aside."""
    raise BringItAgain(gettext_noop("The file is gone; bring it again as a new version."))
