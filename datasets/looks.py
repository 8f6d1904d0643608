"""How bright and how sharp each picture is: measured once on its thumbnail, after the import."""

import io
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_noop
from PIL import Image as Picture

from datasets.models import Image
from jobs.attempts import Attempt
from web import storage
from web.sentences import Sentence

SIDE = 256  # sharpness depends on the size at which one looks
MOST = 32_767
BATCH = 200
# On 300 photographs: the darkest was 33 of 255, the softest 29; blurred by 3 pixels all were under 26.
DARK, BRIGHT, BLURRED = 40, 220, 28
MEASURING = Sentence(gettext_noop("Measuring how bright and how sharp the pictures are"))


def measured(thumbnail: bytes) -> tuple[int, int]:
    """Mean brightness 0 to 255, and the variance of the Laplacian, which is low where edges are soft.

    J. L. Pech-Pacheco et al., “Diatom autofocusing in brightfield microscopy” (2000). Raises OSError.
    """
    with Picture.open(io.BytesIO(thumbnail)) as opened:
        grey = opened.convert("L")
    grey.thumbnail((SIDE, SIDE), Picture.Resampling.BILINEAR)
    values = np.asarray(grey, dtype=np.float32)
    inner = values[1:-1, 1:-1]
    edges = values[:-2, 1:-1] + values[2:, 1:-1] + values[1:-1, :-2] + values[1:-1, 2:] - 4 * inner
    return round(float(values.mean())), min(MOST, round(float(edges.var())))


def measure_missing(attempt: Attempt, dataset: int) -> int:
    """Measure what was not measured yet, batch by batch. How many there were; what cannot be read stays open."""
    missing = Image.objects.live().filter(dataset=dataset, brightness=None)
    total, done = missing.count(), 0
    with ThreadPoolExecutor(settings.INFERENCE_THREADS) as pool:
        for batch in in_batches(dataset):
            attempt.check()
            found = list(pool.map(look_at, batch))
            changed = [each for each in found if each.brightness is not None]
            with transaction.atomic():
                attempt.hold()
                Image.objects.bulk_update(changed, ["brightness", "sharpness"])
            done += len(batch)
            attempt.progress(done, max(total, done), MEASURING)
    return total


def in_batches(dataset: int) -> Iterator[list[Image]]:
    """The pictures without measures, by their numbers."""
    last = 0
    while True:
        missing = Image.objects.live().filter(dataset=dataset, brightness=None, pk__gt=last).order_by("pk")
        batch = list(missing.only("pk", "thumbnail_key")[:BATCH])
        if not batch:
            return
        last = batch[-1].pk
        yield batch


def look_at(image: Image) -> Image:
    """The row with its measures, unsaved."""
    try:
        image.brightness, image.sharpness = measured(storage.read(image.thumbnail_key))
    except (FileNotFoundError, OSError, ValueError):  # a damaged store is `doctor`'s and `verify`'s to tell
        image.brightness = None
    return image
