"""Verify's looks at stored files: each row has its file with the right content, each file has a row."""

import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import models

from config.verify import Looking, Wrong
from datasets import exporting
from datasets.imports import UNFINISHED, kept_aside
from datasets.models import Import
from jobs.models import Job
from serving.models import Revision
from training import checkpoints
from training.models import Extractor, ModelVersion
from web import storage
from web.holding import FORGOTTEN, HOLD

ROOMS = ("datasets", "training", "serving")
OWN = (HOLD, f"{FORGOTTEN}/", f"{storage.PARTS}/", "doctor/")
SOME = 2000


def key_fields() -> Iterator[tuple[type[models.Model], str]]:
    """Columns that hold keys: by our convention they are called `key` or `…_key`."""
    for room in ROOMS:
        for model in apps.get_app_config(room).get_models():
            for field in model._meta.concrete_fields:
                if isinstance(field, models.CharField) and (
                    field.name == "key" or field.name.endswith("_key")
                ):
                    yield model, field.name


def referenced() -> Iterator[tuple[str, str]]:
    """(key, the row that names it) for all keys that rows need."""
    for model, field in key_fields():
        rows = model._default_manager.exclude(**{field: ""}).values_list("pk", field)
        for pk, key in rows.iterator(chunk_size=SOME):
            if key:
                yield key, f"{model._meta.label_lower} {pk} {field}"
    for pk, sources in Import.objects.filter(state__in=UNFINISHED).values_list("pk", "sources"):
        yield from ((source["key"], f"datasets.import {pk}") for source in sources if source.get("key"))
    for pk, versions in Revision.objects.values_list("pk", "versions"):
        yield from ((each["file_key"], f"serving.revision {pk}") for each in versions if each.get("file_key"))
    for pk, payload in Job.objects.active().values_list("pk", "payload"):
        yield from ((key, f"jobs.job {pk}") for key in texts(payload) if storage.promised_hash(key))


def texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from texts(each)


def stored(folder: str = "") -> Iterator[str]:
    """Every key in the storage (in one folder of it) but the storage's own marks."""
    root = storage.path_of("")
    if root is None:
        keys = (key for key, _size in default_storage.contents(folder))  # type: ignore[attr-defined]
    else:
        keys = (
            str((Path(each) / name).relative_to(root))
            for each, _folders, names in os.walk(root / folder)
            for name in names
        )
    yield from (key for key in keys if not key.startswith(OWN))


def files(how: Looking) -> Iterator[Wrong]:
    """Both ways, and the content. Files are listed first: what a row names was stored before."""
    there = set(stored())
    named: set[str] = set()
    for key, row in referenced():
        if key in named:
            continue
        named.add(key)
        if key not in there and storage.size_of(key) is None:
            yield Wrong("file-missing", row, f"there is no {key}")
        elif not how.quick:
            yield from content(key, row)
    at_work = checkpoints.wanted()
    for key in sorted(there - named - set(mentioned())):
        if checkpoints.version_of(key) not in at_work and old(key, how.grace):
            yield Wrong("file-without-row", key, "no row names it")


def mentioned() -> Iterator[str]:
    """Keys in rows of what has ended: their files may have gone, and may still be there."""
    yield from kept_aside()
    for sources in Import.objects.exclude(state__in=UNFINISHED).values_list("sources", flat=True):
        yield from (str(source.get("key", "")) for source in sources if storage.promised_hash(source["key"]))
    for payload in Job.objects.values_list("payload", flat=True).iterator(chunk_size=SOME):
        yield from texts(payload)


def content(key: str, row: str) -> Iterator[Wrong]:
    """The hash that the key promises is that of the content."""
    promised = storage.promised_hash(key)
    if not promised:
        return
    try:
        with storage.local_copy(key) as path, path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except storage.StorageUnavailable as error:
        yield Wrong("file-damaged", row, str(error))
        return
    except OSError as error:
        yield Wrong("file-unreadable", row, f"{key}: {error.strerror or error}")
        return
    if found != promised:
        yield Wrong("file-damaged", row, f"{key} has the sha256 {found}")


def old(key: str, grace: float) -> bool:
    """Older than the grace, so that nobody is about to write its row."""
    if not grace:
        return True
    try:
        return default_storage.get_modified_time(key).timestamp() < time.time() - grace
    except OSError:
        return False


def model_files(how: Looking) -> Iterator[Wrong]:
    """The hashes that rows name beside their keys."""
    for version in ModelVersion.objects.filter(usable=True):
        if not version.file_key or storage.promised_hash(version.file_key) != version.file_sha256:
            yield Wrong(
                "version-without-file", f"training.modelversion {version.pk}", "usable, but its file is not"
            )
    for kept in Extractor.objects.all():
        if storage.promised_hash(kept.key) != kept.sha256:
            yield Wrong("extractor-hash", f"training.extractor {kept.pk}", "its key and its sha256 differ")


def leftovers(how: Looking) -> Iterator[Wrong]:
    """What killed processes left half-written."""
    for key in storage.leftovers(how.grace):
        yield Wrong("leftover", key, "an unfinished write")
    data = Path(settings.DATA_DIR)
    for path in (*data.glob("backups/*.part"), *data.glob("*.part"), *data.glob("*.restoring")):
        if path.stat().st_mtime <= time.time() - how.grace:
            yield Wrong("leftover", str(path), "an unfinished backup or restore")
    at_work = checkpoints.wanted()
    packing = {exporting.work_folder(pk) for pk in exporting.under_way()}
    for path in data.glob("work/export-*"):
        if path not in packing:
            yield Wrong("leftover", str(path), "an export that is over left it")
    for path in data.glob("work/training-*"):
        if path.name.removeprefix("training-") not in {str(pk) for pk in at_work}:
            yield Wrong("leftover", str(path), "a training that ended left it")


LOOKS = (files, model_files, leftovers)
