"""What a data set takes in storage: pictures to the byte, what goes with them by a few samples.

The sums run over an index that holds the bytes of live pictures: a quarter of a second for a million of them.
"""

import time
from dataclasses import dataclass

from django.core.cache import cache
from django.db.models import F, QuerySet, Sum

from datasets.models import Dataset, Feature, Image
from projects.models import Project
from web import storage

SAMPLES, FEW = 12, 200  # thumbnails asked of the storage, which may be far away; embeddings looked up
FLOAT16 = 2
LONG = 0.1  # seconds


@dataclass(frozen=True)
class Used:
    """Bytes. A file that two data sets share counts in both."""

    images: int
    pictures: int
    trash: int
    thumbnails: int  # estimated
    embeddings: int  # estimated

    @property
    def total(self) -> int:
        """All of it."""
        return self.pictures + self.trash + self.thumbnails + self.embeddings


def used_by(dataset: Dataset) -> Used:
    """For the settings page."""
    every = Image.objects.filter(dataset=dataset).order_by()
    count = every.live().count() + every.exclude(trashed_at=None).count()
    pictures, trash = bytes_of(every.live()), bytes_of(every.exclude(trashed_at=None))
    return Used(count, pictures, trash, thumbnail_bytes(every, count), embedding_bytes(every, count))


def bytes_of(images: "QuerySet[Image]") -> int:
    """The sum of their files. Naming the column makes the database choose the index that holds it."""
    return images.order_by().filter(bytes__gte=0).aggregate(sum=Sum("bytes"))["sum"] or 0


def bytes_in_project(project: Project) -> int:
    """The pictures of all its data sets, trash and all."""
    return sum(bytes_in(dataset) for dataset in project.datasets.all())


def bytes_in(dataset: Dataset) -> int:
    """The data set's pictures, those in its trash too. A sum that took long is remembered for a minute."""
    name = f"bytes-in-{dataset.pk}"
    remembered: int | None = cache.get(name)
    if remembered is not None:
        return remembered
    began, every = time.monotonic(), Image.objects.filter(dataset=dataset)
    found = bytes_of(every.live()) + bytes_of(every.exclude(trashed_at=None))
    if time.monotonic() - began > LONG:
        cache.set(name, found, 60)
    return found


def ends_of(images: "QuerySet[Image]", most: int) -> "list[Image]":
    """The first and the last ones: a sample that costs nothing to find, each picture once."""
    first, last = images.order_by("pk")[: most // 2], images.order_by("-pk")[: most - most // 2]
    return list({image.pk: image for image in (*first, *last)}.values())


def thumbnail_bytes(images: "QuerySet[Image]", count: int) -> int:
    """So many times what a sample takes on average; one that is gone counts for nothing."""
    sample = ends_of(images.only("pk", "thumbnail_key"), SAMPLES)
    sizes = [storage.size_of(image.thumbnail_key) or 0 for image in sample]
    return round(count * sum(sizes) / len(sizes)) if sizes else 0


def embedding_bytes(images: "QuerySet[Image]", count: int) -> int:
    """Likewise, from the vectors that a sample has, of whatever extractors."""
    sample = [image.sha256 for image in ends_of(images.only("pk", "sha256"), FEW)]
    numbers = Feature.objects.filter(sha256__in=sample).aggregate(sum=Sum(F("shard__dimensions")))["sum"] or 0
    return round(count * numbers * FLOAT16 / len(sample)) if sample else 0
