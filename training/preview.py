"""What a training would learn from, before it starts: pictures by label and part. Writes nothing."""

from collections.abc import Sequence
from dataclasses import dataclass

from datasets.models import Dataset, Image
from training.splitting import Sizes, sizes_of

FEW, ADVISED = 20, 100


@dataclass(frozen=True)
class LabelPreview:
    """One class. `enough`: as many as the project asks for."""

    name: str
    pictures: int
    sizes: Sizes
    enough: bool

    @property
    def few(self) -> bool:
        """Enough to start, too few to trust."""
        return self.enough and self.pictures < FEW


@dataclass(frozen=True)
class Preview:
    """All classes, in order, with the sums of the parts (about: look-alikes stay on one side)."""

    labels: tuple[LabelPreview, ...]
    clashes: tuple[str, ...]
    minimum: int

    @property
    def total(self) -> Sizes:
        """Pictures by part."""
        sizes = [each.sizes for each in self.labels]
        return Sizes(*(sum(part) for part in zip(*sizes, strict=True))) if sizes else Sizes(0, 0, 0)

    @property
    def pictures(self) -> int:
        """All of them."""
        return sum(each.pictures for each in self.labels)

    @property
    def short(self) -> list[LabelPreview]:
        """Classes with too few pictures."""
        return [each for each in self.labels if not each.enough]

    @property
    def possible(self) -> bool:
        """Whether a training may start."""
        return len(self.labels) > 1 and not self.short and not self.clashes

    @property
    def advice(self) -> bool:
        """Whether more pictures would clearly help."""
        return any(each.pictures < ADVISED for each in self.labels)


def split_preview(*, chosen: Sequence[tuple[Dataset, Sequence[str]]], minimum: int) -> Preview:
    """The preview for data sets with the label names chosen in each: [(data set, names), …]."""
    names: dict[str, set[str]] = {}
    owners: dict[str, str] = {}
    clashes: list[str] = []
    for dataset, labels in chosen:
        for name in labels:
            names.setdefault(name, set())
        rows = tagged(dataset, labels)
        for sha256, name, file in rows:
            names[name].add(sha256)
            if owners.setdefault(sha256, name) != name:
                clashes.append(f"{file}: {owners[sha256]} / {name}")
    found = tuple(
        LabelPreview(name, len(pictures), sizes_of(len(pictures)), len(pictures) >= max(minimum, 1))
        for name, pictures in names.items()
    )
    return Preview(found, tuple(clashes), minimum)


def tagged(dataset: Dataset, labels: Sequence[str]) -> list[tuple[str, str, str]]:
    """(sha256, label name, file) of the pictures under these labels."""
    images = Image.objects.live().filter(dataset=dataset, label__name__in=list(labels))
    return list(images.order_by("id").values_list("sha256", "label__name", "name"))
