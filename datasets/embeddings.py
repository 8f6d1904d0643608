"""Embeddings: computed once a picture and extractor, kept as float16 shards, found by sha256."""

import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

import numpy as np
from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_noop

from datasets.followers import changed, embedded
from datasets.models import Dataset, Feature, FeatureShard, Image
from datasets.pixels import PixelSpec
from datasets.simple_features import DIMENSIONS, SPEC, simple_features
from datasets.stored_pixels import pixels_of
from jobs import queue
from jobs.attempts import Attempt
from jobs.models import WAITING, Job
from web import storage
from web.sentences import Refusal, Sentence

KIND = "datasets.embed"
BATCH, SHARD = 16, 512
AHEAD = 2  # batches that are decoded while one is looked at
LOOK_UP = 900
Row = tuple[str, str]  # sha256, storage key
Compute = Callable[[np.ndarray], np.ndarray]


class MissingFeatures(Refusal):
    """Embeddings that were never computed."""

    code = "missing-features"


@dataclass(frozen=True)
class Extractor:
    """What turns pictures into vectors: an ONNX file (uint8 NHWC in, `embedding` out) or the built-in."""

    name: str
    key: str  # of the ONNX file in the storage; empty: the built-in
    dimensions: int
    spec: PixelSpec
    weak: bool = False

    @property
    def id(self) -> str:
        """By which vectors are found again: another file or another pixel spec gives other vectors."""
        file = hashlib.sha256(self.key.encode()).hexdigest()[:12] if self.key else "built-in"
        return f"{self.name[:60]}-{file}-{self.spec.key}"


BUILT_IN = Extractor("simple-1", "", DIMENSIONS, SPEC, weak=True)
Provider = Callable[[], Extractor | None]
_providers: list[Provider] = []


def register_provider(provider: Provider) -> None:
    """Training says here, at start-up, where the good extractor comes from."""
    _providers.append(provider)


def current_extractor() -> Extractor:
    """The registered extractor, or the weak built-in where there is none."""
    for provider in _providers:
        found = provider()
        if found is not None:
            return found
    return BUILT_IN


def ensure_features(
    extractor: Extractor,
    rows: Sequence[Row],
    *,
    progress: Callable[[int, int], None] = lambda done, total: None,
    check: Callable[[], None] = lambda: None,
    threads: int = 0,
) -> None:
    """Compute what is missing and keep it, shard by shard: what an interrupted call computed is not lost.

    `progress(done, total)` counts pictures; `check()` may raise to stop.
    """
    missing = missing_of(extractor, rows)
    done = len(rows) - len(missing)
    if not missing:
        return
    threads = max(1, threads or settings.INFERENCE_THREADS)
    vectors: list[np.ndarray] = []
    kept = computed = 0
    with ThreadPoolExecutor(threads) as pool, ExitStack() as ended:
        ended.callback(pool.shutdown, cancel_futures=True)  # whoever stops does not wait for what was begun
        coming = decoded_ahead(pool, extractor.spec, missing)  # which begins while the model is loaded
        compute = computer(extractor, threads)
        for pictures in coming:
            check()
            vectors.append(compute(pictures).astype(np.float16))
            computed += len(pictures)
            progress(done + computed, len(rows))
            if computed - kept >= SHARD or computed == len(missing):
                keep(extractor, [sha256 for sha256, _ in missing[kept:computed]], np.concatenate(vectors))
                kept = computed
                vectors.clear()


def missing_of(extractor: Extractor, rows: Sequence[Row]) -> list[Row]:
    """The rows without a vector, each picture once."""
    keys = dict(rows)
    wanted = list(keys)
    for start in range(0, len(wanted), LOOK_UP):
        some = wanted[start : start + LOOK_UP]
        for found in Feature.objects.filter(extractor=extractor.id, sha256__in=some).values_list(
            "sha256", flat=True
        ):
            del keys[found]
    return list(keys.items())


def in_batches(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """A fixed size, since varying shapes make ONNX Runtime's memory grow."""
    for start in range(0, len(rows), BATCH):
        yield rows[start : start + BATCH]


def decoded_ahead(pool: ThreadPoolExecutor, spec: PixelSpec, rows: Sequence[Row]) -> Iterator[np.ndarray]:
    """The batches' pixels. Begins at once: the next are decoded while the model looks at the ones before."""
    begun = ([pool.submit(pixels_of, key, spec) for _, key in batch] for batch in in_batches(rows))
    waiting = deque(islice(begun, AHEAD))

    def decoded() -> Iterator[np.ndarray]:
        while waiting:
            waiting.extend(islice(begun, 1))
            yield np.stack([each.result() for each in waiting.popleft()])

    return decoded()


def computer(extractor: Extractor, threads: int) -> Compute:
    """The function from uint8 [n, side, side, 3] to [n, dimensions]."""
    if not extractor.key:
        return simple_features
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    with storage.local_copy(extractor.key) as path:
        session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    output = "embedding" if "embedding" in names else names[0]
    given = session.get_inputs()[0].name
    return lambda pictures: np.asarray(session.run([output], {given: pictures})[0])


def keep(extractor: Extractor, sha256s: Sequence[str], vectors: np.ndarray) -> None:
    """Store a shard and where each picture's vector lies in it. Whoever was first with a picture wins."""
    out = io.BytesIO()
    np.save(out, vectors, allow_pickle=False)
    key = storage.put_bytes("features", out.getvalue(), ".npy")
    with transaction.atomic():
        shard = FeatureShard.objects.create(
            extractor=extractor.id, key=key, rows=len(vectors), dimensions=vectors.shape[1]
        )
        Feature.objects.bulk_create(
            [
                Feature(extractor=extractor.id, sha256=each, shard=shard, row=row)
                for row, each in enumerate(sha256s)
            ],
            ignore_conflicts=True,
        )


def features_of(extractor: Extractor, sha256s: Sequence[str]) -> np.ndarray:
    """The kept vectors in this order: float16 [n, dimensions]. Raises MissingFeatures."""
    places: dict[str, tuple[str, int]] = {}
    wanted = list(dict.fromkeys(sha256s))
    for start in range(0, len(wanted), LOOK_UP):
        found = Feature.objects.filter(extractor=extractor.id, sha256__in=wanted[start : start + LOOK_UP])
        places |= {
            sha256: (key, row) for sha256, key, row in found.values_list("sha256", "shard__key", "row")
        }
    if len(places) < len(wanted):
        raise MissingFeatures(
            gettext_noop("%(count)s pictures have no embedding yet."), count=len(wanted) - len(places)
        )
    vectors = np.empty((len(sha256s), extractor.dimensions), dtype=np.float16)
    by_shard: dict[str, list[int]] = {}
    for index, sha256 in enumerate(sha256s):
        by_shard.setdefault(places[sha256][0], []).append(index)
    for key, indices in by_shard.items():
        vectors[indices] = shard_rows(key)[[places[sha256s[index]][1] for index in indices]]
    return vectors


@lru_cache(maxsize=64)
def shard_rows(key: str) -> np.ndarray:
    """A shard's vectors; about a megabyte each, and they never change."""
    return np.asarray(np.load(io.BytesIO(storage.read(key)), allow_pickle=False))


def embed_soon(dataset: Dataset, *, user: User | None) -> None:
    """Queue a data set's embeddings, unless that waits already. Call it in the act's transaction."""
    payload = {"dataset": dataset.pk}
    if not Job.objects.filter(kind=KIND, state__in=WAITING, payload=payload).exists():
        queue.enqueue(KIND, payload, project=dataset.project, user=user)


def run(attempt: Attempt) -> None:
    """The job: every live picture of the data set gets its vector."""
    rows = list(
        Image.objects.live()
        .filter(dataset=attempt.payload["dataset"])
        .order_by("pk")
        .values_list("sha256", "key")
    )
    ensure_features(
        current_extractor(),
        rows,
        progress=lambda done, total: attempt.progress(done, total, EMBEDDING),
        check=attempt.check,
    )
    dataset = Dataset.objects.filter(pk=attempt.payload["dataset"]).first()
    if dataset:
        with transaction.atomic():
            attempt.hold()
            changed(dataset, None)
            embedded(dataset)


EMBEDDING = Sentence(gettext_noop("Learning what the pictures look like"))
