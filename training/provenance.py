"""What produced a version: settings, data, seed, libraries, code and machine, enough to make it again."""

import hashlib
import os
import platform
from functools import lru_cache
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from django.conf import settings

from datasets import pixels
from training.models import ModelVersion
from training.together import others_of
from web import storage

CODE = Path(__file__).resolve().parent
MACHINE, SOURCE = "machine", "code"
NOT_LIBRARIES = (MACHINE, SOURCE)


def stamp(version_pk: int) -> None:
    """Note the code and the machine on a version that they have just made. Saying it twice changes nothing."""
    version = ModelVersion.objects.filter(pk=version_pk, usable=True).first()
    if version is not None and SOURCE not in version.made_with:
        made_with = version.made_with | {SOURCE: code_version(), MACHINE: machine()}
        made_with.setdefault("onnxruntime", version_of("onnxruntime"))
        ModelVersion.objects.filter(pk=version_pk).update(made_with=made_with)


@lru_cache(maxsize=1)
def code_version() -> str:
    """One hash over all code that a training goes through: the same here and wherever it is installed."""
    files = [*sorted(CODE.rglob("*.py")), Path(pixels.__file__)]
    found = hashlib.sha256()
    for path in files:
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def machine() -> dict[str, Any]:
    """What it ran on, without a name that would tell which machine it is."""
    return {
        "processor": processor(),
        "architecture": platform.machine(),
        "cores": os.cpu_count() or 1,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "threads": settings.TRAINING_THREADS or None,
    }


@lru_cache(maxsize=1)
def processor() -> str:
    """The processor as the kernel names it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    named = (line.partition(":")[2].strip() for line in lines if line.lower().startswith("model name"))
    return next(named, platform.processor())


def provenance_of(version: ModelVersion) -> dict[str, Any]:
    """Everything, as JSON. Empty texts are null: it did not come that far, or there is no such thing."""
    about = version.report.get("about", {})
    made = version.made_with
    return {
        "model": {"id": version.model_id, "name": version.model.name},
        "version": version.number,
        "asked_by": version.created_by.get_username() if version.created_by else None,
        "settings": {
            "application": version.application,
            "optimise_for": version.optimise_for,
            "max_minutes": version.max_minutes,
            "options": version.options,
            "data": version.data,
        },
        "own_file": version.own_file or None,
        "trained_with": [each.number for each in others_of(version)],
        "seed": version.seed if version.manifest_key else None,
        "snapshots": version.snapshots,
        "snapshot_hash": version.snapshot_hash or None,
        "manifest_sha256": storage.promised_hash(version.manifest_key) or None,
        "split": version.split_counts,
        "split_facts": version.split_facts,
        "labels": version.labels,
        "network": {
            "backbone": version.backbone or None,
            "weights": version.weights or None,
            "passed_over": version.choice.get("passed_over", []),
            "method": about.get("method"),
            "went_on_from": about.get("went_on_from"),
            "tried": about.get("tried", []),
        },
        "libraries": {name: text for name, text in made.items() if name not in NOT_LIBRARIES},
        "code_sha256": made.get(SOURCE),
        "machine": made.get(MACHINE),
        "file": {"sha256": version.file_sha256, "bytes": version.file_bytes} if version.file_sha256 else None,
        "predictions_sha256": storage.promised_hash(version.predictions_key) or None,
        "created_at": version.created_at,
        "started_at": version.started_at,
        "finished_at": version.finished_at,
    }
