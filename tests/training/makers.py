"""Trainings for tests: tagged pictures straight in the database and storage, and versions that were made."""

import hashlib
import io
import random
from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.auth.models import User
from PIL import Image as PillowImage
from PIL import ImageDraw

from datasets.labels import find_or_create
from datasets.models import Dataset, Image
from projects.models import Project
from training import versions
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
        dataset=dataset, name=name, sha256=hashlib.sha256(data).hexdigest(), key=key, thumbnail_key=key, format="PNG",
        bytes=len(data), width=SIDE, height=SIDE, label=found, **more,
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
