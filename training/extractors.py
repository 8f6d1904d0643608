"""Finds the feature extractor of a backbone, or builds it from weights: once, whoever asks first."""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from datasets import embeddings
from datasets.pixels import PixelSpec, spec_for
from training.hub import FILES
from training.models import Extractor
from training.profiles import DEFAULT, Profile
from training.speed import measure_missing
from web import storage

FOLDER = "extractors"
HUB_REST_SECONDS = 3600.0  # after the hub was not reached, nobody waits for it again this long
LOOK_AGAIN = 0.2
BUILDING_QUEUES = ("bulk", "training")


def nothing() -> None:
    """What is looked at while an extractor is built, by default."""


def provided() -> embeddings.Extractor | None:
    """What datasets asks for: the default profile's extractor. Only a worker builds one that is missing."""
    row = extractor_for(DEFAULT.backbones, DEFAULT.size, build=in_building_worker())
    return as_embeddings(row) if row else None


def as_embeddings(row: Extractor) -> embeddings.Extractor:
    """The row in the words of datasets."""
    spec = PixelSpec(**row.pixel_spec)
    return embeddings.Extractor(name=row.name, key=row.key, dimensions=row.dimensions, spec=spec, weak=False)


def in_building_worker() -> bool:
    """True inside a job of the bulk or training queue; a web process must not wait for torch."""
    from rq import get_current_job

    job = get_current_job()
    return job is not None and job.origin in BUILDING_QUEUES


def extractor_for(
    backbones: Sequence[str], size: int, *, build: bool, look: Callable[[], None] = nothing
) -> Extractor | None:
    """The extractor of the first backbone whose weights can be had; None where there are none.

    `build`: make it if need be (seconds, in a process of its own); `look` is called meanwhile and may raise.
    """
    spec = spec_for(size)
    for backbone in backbones:
        found = existing(backbone, spec) or (building(backbone, spec, look) if build else None)
        if found and build:
            measure_missing(look)
        if found:
            return found
    return None


def outlook(profile: Profile) -> str:
    """What a training for this application would start from, as far as one can tell without trying."""
    name, spec = str(profile.application.label), spec_for(profile.size)
    here = [each for each in profile.backbones if weights_here(each) or existing(each, spec)]
    if here:
        return _("%(application)s: starts from %(network)s, pretrained.") % {
            "application": name,
            "network": here[0],
        }
    if hub_may_be_asked():
        return _("%(application)s: pretrained weights are looked for when it starts.") % {"application": name}
    return _(
        "%(application)s: no pretrained weights were found. It is trained from scratch; expect weak results."
    ) % {"application": name}


def existing(backbone: str, spec: PixelSpec) -> Extractor | None:
    """One that was built before: from the weights that lie here, or, where none do, from the hub's."""
    rows = Extractor.objects.filter(backbone=backbone, name__endswith=spec.key)
    weights = weights_here(backbone)
    if weights:
        rows = rows.filter(name=f"{backbone}-{sha256_of(weights)[:8]}-{spec.key}")
    return rows.order_by("-id").first()


def weights_here(backbone: str) -> Path | None:
    """The file that the engine would take without asking the hub."""
    for folder in (settings.WEIGHTS_DIR, downloads()):
        if folder and folder.is_dir():
            hub_name = FILES.get(backbone, f"{backbone}.pth")  # not always the builder's name and a hash
            named = [folder / f"{backbone}.pth", folder / hub_name, *sorted(folder.glob(f"{backbone}-*.pth"))]
            found = next((path for path in named if path.is_file()), None)
            if found:
                return found
    return None


def downloads() -> Path:
    """Where weights from the hub are kept."""
    return Path(settings.DATA_DIR) / "weights"


def work_folder() -> Path:
    """For what is being made and goes away again."""
    folder = Path(settings.DATA_DIR) / "work"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def sha256_of(path: Path) -> str:
    """The file's hash, kept as long as the file does not change."""
    found = path.stat()
    return _sha256_of(path, found.st_mtime_ns, found.st_size)


@lru_cache(maxsize=32)
def _sha256_of(path: Path, changed: int, size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def building(backbone: str, spec: PixelSpec, look: Callable[[], None]) -> Extractor | None:
    """Build it under a lock; None where its weights cannot be had."""
    here = weights_here(backbone)
    if here is None and not hub_may_be_asked():
        return None
    with one_builder(f"{backbone}-{spec.key}", look):
        return existing(backbone, spec) or built(backbone, spec, look, download=here is None)


def built(backbone: str, spec: PixelSpec, look: Callable[[], None], *, download: bool) -> Extractor | None:
    """Run the engine and keep what it made."""
    from training.engine.spec import ExtractorTask
    from training.engine_process import EngineRefused, run_engine, threads

    with tempfile.TemporaryDirectory(dir=work_folder(), prefix="extractor-") as folder:
        task = ExtractorTask(
            work_folder=folder,
            backbone=backbone,
            pixel_spec=asdict(spec),
            weights_folder=str(settings.WEIGHTS_DIR) if settings.WEIGHTS_DIR else None,
            download=download,
            download_folder=str(downloads()),
            threads=threads(),
            die_with_parent=True,
        )
        try:
            result = run_engine(task, hear=lambda event: None, look=look)
        except EngineRefused as refusal:
            if refusal.code != "no-weights":
                raise
            hub_was_not_reached()
            return None
        return keep(result, Path(folder) / result["file"], spec)


def keep(result: dict[str, Any], path: Path, spec: PixelSpec) -> Extractor:
    """Store the file and its row; where another machine was quicker, its row."""
    weights = result["weights"]
    fields = {
        "backbone": result["backbone"],
        "weights": f"{weights['file']} ({weights['sha256'][:12]}, {weights['source']})",
        "pixel_spec": asdict(spec),
        "key": storage.put_file(FOLDER, path, ".onnx"),
        "sha256": result["sha256"],
        "dimensions": result["dimensions"],
    }
    try:
        with transaction.atomic():
            return Extractor.objects.create(name=result["name"], **fields)
    except IntegrityError:
        return Extractor.objects.get(name=result["name"])


@contextmanager
def one_builder(name: str, look: Callable[[], None]) -> Iterator[None]:
    """One process of this machine at a time; the kernel lets go when it dies."""
    descriptor = os.open(work_folder() / f"{name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not taken(descriptor):
            look()
            time.sleep(LOOK_AGAIN)
        yield
    finally:
        os.close(descriptor)


def taken(descriptor: int) -> bool:
    """Take the lock if it is free."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def hub_may_be_asked() -> bool:
    """False for an hour after it was not reached, and where the operator has switched it off."""
    if not settings.WEIGHTS_DOWNLOAD:
        return False
    mark = work_folder() / "hub-not-reached"
    return not mark.exists() or time.time() - mark.stat().st_mtime > HUB_REST_SECONDS


def hub_was_not_reached() -> None:
    """Remember it."""
    (work_folder() / "hub-not-reached").touch()
