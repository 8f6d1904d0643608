"""What a training would learn from, before it starts: pictures by label and part. Writes nothing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from datasets.models import Dataset, Image
from training.splitting import OWN, TEST, VALIDATION, WISHES, Sizes, sizes_of

FEW, ADVISED = 20, 100
LEAST_WISHED, LEAST_LEFT = 1, 4  # pictures of each label for a split as the import wished


@dataclass(frozen=True)
class LabelPreview:
    """One class. `enough`: as many as the project asks for. `pinned`: how many of the model's test set judge it."""

    name: str
    pictures: int
    sizes: Sizes
    enough: bool
    wished: Counter[str] = field(default_factory=Counter)  # pictures by wish; empty: none
    pinned: int = 0

    @property
    def follows_wishes(self) -> bool:
        """Enough was wished for testing, and enough is left to learn from."""
        return self.wished[TEST] >= LEAST_WISHED and self.pictures - self.wished[TEST] >= LEAST_LEFT

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
    by: str = OWN  # whose split it shows
    test_set: Mapping[str, Any] = field(
        default_factory=dict
    )  # what is pinned, and what became of it; empty: nothing

    @property
    def by_wishes(self) -> bool:
        """The split that the import wished."""
        return self.by == WISHES

    @property
    def any_wished(self) -> bool:
        """Whether there is something to choose between."""
        return any(each.wished[TEST] for each in self.labels)

    @property
    def against_wishes(self) -> list[LabelPreview]:
        """Classes that cannot be split as the import wished, where that was asked for."""
        return [each for each in self.labels if self.by_wishes and not each.follows_wishes]

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
        return len(self.labels) > 1 and not (self.short or self.clashes or self.against_wishes)

    @property
    def advice(self) -> bool:
        """Whether more pictures would clearly help."""
        return any(each.pictures < ADVISED for each in self.labels)


def split_preview(
    *, chosen: Sequence[tuple[Dataset, Sequence[str]]], minimum: int, split: str = ""
) -> Preview:
    """The preview for data sets with the label names chosen in each: [(data set, names), …].

    `split`: `own`, `wishes`, or empty: as wished where each label has pictures wished for testing and enough others.
    """
    wishes: dict[str, dict[str, str]] = {}  # of each label, its pictures' wishes
    owners: dict[str, str] = {}
    clashes: list[str] = []
    for dataset, labels in chosen:
        for name in labels:
            wishes.setdefault(name, {})
        for sha256, name, file, wish in tagged(dataset, labels):
            if wish == TEST or sha256 not in wishes[name]:
                wishes[name][sha256] = wish
            if owners.setdefault(sha256, name) != name:
                clashes.append(f"{file}: {owners[sha256]} / {name}")
    found = [
        LabelPreview(
            name, len(each), sizes_of(len(each)), len(each) >= max(minimum, 1), Counter(each.values())
        )
        for name, each in wishes.items()
    ]
    if not split:
        split = WISHES if found and all(each.follows_wishes for each in found) else OWN
    if split == WISHES:
        found = [replace(each, sizes=sizes_as_wished(each.pictures, each.wished)) for each in found]
    return Preview(tuple(found), tuple(clashes), minimum, split)


def sizes_as_wished(pictures: int, wished: Counter[str]) -> Sizes:
    """About what a split as wished gives; look-alikes on both sides are held back together."""
    left = pictures - wished[TEST]
    validation = wished[VALIDATION] if wished[VALIDATION] < left else 0
    validation = validation or sizes_of(left).validation
    return Sizes(left - validation, validation, wished[TEST])


def tagged(dataset: Dataset, labels: Sequence[str]) -> list[tuple[str, str, str, str]]:
    """(sha256, label name, file, wish) of the pictures under these labels."""
    images = Image.objects.live().filter(dataset=dataset, label__name__in=list(labels))
    return list(images.order_by("id").values_list("sha256", "label__name", "name", "split"))
