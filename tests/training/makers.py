"""Trainings for tests: tagged pictures straight in the database and storage, and versions that were made."""

import hashlib
import io
import random
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from django.contrib.auth.models import User
from django.utils import timezone
from numpy.typing import NDArray
from PIL import Image as PillowImage
from PIL import ImageDraw

from datasets.labels import find_or_create
from datasets.models import Dataset, Image, Snapshot
from projects.models import Project
from training import evaluation, manifest, pinned, predictions, versions
from training.models import ModelVersion, RegisteredModel
from web import storage

COLOURS = {"red": (200, 40, 40), "green": (40, 170, 60), "blue": (40, 70, 200)}
SIDE = 48


def drawn(label: str, number: int) -> bytes:
    """A picture of a label: its colour as a disc somewhere on grey noise, never twice the same."""
    chance = random.Random(f"{label} {number}")
    image = PillowImage.new("RGB", (SIDE, SIDE), tuple(chance.randint(90, 160) for _ in range(3)))
    draw, at = ImageDraw.Draw(image), (chance.randint(2, 18), chance.randint(2, 18))
    draw.ellipse((*at, at[0] + chance.randint(20, 28), at[1] + chance.randint(20, 28)), fill=COLOURS[label])
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def add_picture(dataset: Dataset, data: bytes, label: str | None, name: str, **more: Any) -> Image:
    """A stored picture with a tag, as an import would leave it."""
    found = find_or_create(dataset=dataset, name=label, user=None) if label else None
    key = storage.put_bytes("images", data)
    return Image.objects.create(
        dataset=dataset, name=name, sha256=hashlib.sha256(data).hexdigest(), key=key, thumbnail_key=key,
        format="PNG", bytes=len(data), width=SIDE, height=SIDE, label=found, **more,
    )  # fmt: skip


def tagged(project: Project, counts: Mapping[str, int], name: str = "Discs") -> Dataset:
    """A data set of drawn pictures: {label: how many}."""
    dataset = Dataset.objects.create(project=project, name=name)
    for label, count in counts.items():
        for number in range(count):
            add_picture(dataset, drawn(label, number), label, f"{label}-{number}.png")
    return dataset


def model_of(project: Project, name: str = "Discs") -> RegisteredModel:
    """A model without versions."""
    return RegisteredModel.objects.create(project=project, name=name)


def asked(
    model: RegisteredModel,
    user: User,
    dataset: Dataset,
    *,
    applications: Sequence[str] = ("cloud-general",),
    **more: Any,
) -> list[ModelVersion]:
    """Versions as somebody would ask for them."""
    wish = {
        "optimise_for": "top1",
        "data": [{"dataset": dataset.pk, "labels": "all"}],
        "max_minutes": 2.0,
    } | more
    return versions.request_versions(model=model, user=user, applications=applications, **wish)


def finished(
    model: RegisteredModel, dataset: Dataset, user: User, scores: NDArray[np.float32]
) -> ModelVersion:
    """A version with a report on these scores, one row for each held-back picture, without a training."""
    (version,) = asked(model, user, dataset)
    data = manifest.build(
        list(Snapshot.objects.filter(pk__in=version.snapshots)),
        version.labels,
        pinned=pinned.of_version(version),
    )
    entries = data.part("held_back")
    truth = np.array([version.labels.index(entry.label) for entry in entries])
    measured = evaluation.Measured(entries, truth, scores[: len(entries)], [], 0.012)
    about = {
        "backbone": "mobilenet_v2",
        "pretrained": True,
        "epochs": 4,
        "best_epoch": 3,
        "seconds": 9.0,
        "file_bytes": 9,
    }
    facts = version.split_facts | data.facts
    report = evaluation.report(
        measured, data, about | {"weights": "mobilenet_v2.pth", "left_out": []} | facts
    )
    ModelVersion.objects.filter(pk=version.pk).update(
        state="succeeded", usable=True, ended_because="converged", progress=1.0, report=report,
        metrics=report["overall"], manifest_key=manifest.save(data), split_counts=data.counts(),
        split_facts=facts,
        file_key=storage.put_bytes("models", b"onnx", ".onnx"),
        file_sha256=hashlib.sha256(b"onnx").hexdigest(),
        predictions_key=predictions.save(evaluation.predictions_of(measured, data.labels)),
        started_at=timezone.now(), finished_at=timezone.now(),
    )  # fmt: skip
    version.refresh_from_db()
    return version
