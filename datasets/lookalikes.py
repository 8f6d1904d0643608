"""The pictures that look most like one: by embedding, or by difference hash as long as there is none."""

import numpy as np
from django.utils.translation import gettext_noop

from datasets.filters import BadFilter
from datasets.models import Dataset, Image, Likeness

MOST = 240  # what “all look-alikes” shows
HASHES = 100_000  # so many of the latest pictures are compared by hash


def lookalikes_of(dataset: Dataset, picture: int, most: int = MOST) -> list[int]:
    """Ids, the most alike first, without the picture itself; perhaps some in the trash. Raises BadFilter."""
    found = Image.objects.filter(dataset=dataset, pk=picture).first()
    if found is None:
        raise BadFilter(
            gettext_noop("There is no picture %(number)s in this data set to compare with."), number=picture
        )
    return by_sketch(found, most) or by_hash(found, most)


def by_sketch(image: Image, most: int) -> list[int]:
    """By what the picture shows; nothing where it has not been compared yet."""
    from datasets.likeness import sketch_at

    known = Likeness.objects.filter(dataset=image.dataset_id).first()
    sketch = sketch_at(known.key) if known else None
    place = sketch.place_of(image.pk) if sketch else None
    return sketch.nearest(place, most) if sketch and place is not None else []


def by_hash(image: Image, most: int) -> list[int]:
    """By where brightness rises: near copies only, but at once. Of a large data set the latest pictures."""
    if image.difference_hash is None:
        return []
    others = Image.objects.live().filter(dataset=image.dataset_id, difference_hash__isnull=False)
    rows = others.exclude(pk=image.pk).order_by("-pk").values_list("pk", "difference_hash")[:HASHES]
    found = np.fromiter(rows.iterator(), dtype=[("pk", np.int64), ("hash", np.int64)])
    differing = np.bitwise_count((found["hash"] ^ np.int64(image.difference_hash)).view(np.uint64))
    nearest = np.argsort(differing, kind="stable")[:most]
    return [int(pk) for pk in found["pk"][nearest]]
