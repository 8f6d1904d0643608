"""How fast real pictures come in, are looked at and get suggestions, against the bare work: `make bench`.

Both sides of a ratio take turns within one run. Beside the ratio by the clock stands that of processor time, which is
what would be left on a quiet machine. Nothing is asserted about time. TAXON_BENCH_PICTURES: how many (2,000).
"""

import io
import itertools
import os
import resource
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image as Pillow
from PIL import ImageOps

from datasets import embeddings, imports, suggesting
from datasets.embeddings import BATCH, Extractor, computer, ensure_features
from datasets.models import Dataset, Image, Import, ImportState, Label
from datasets.stored_pixels import pixels_of
from jobs import registry
from jobs.attempts import Attempt
from tests.datasets.makers import Work, make_dataset
from tests.factories import Team

COUNT = int(os.environ.get("TAXON_BENCH_PICTURES", "2000"))
ROUNDS, CORES = 3, os.cpu_count() or 1
UNTAGGED, KINDS, TAGGED = 10_000, 20, 10
Took = tuple[float, float]  # seconds: by the clock, of the processor


def processor_time() -> float:
    """Of this process and of those that it started and that ended."""
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in both)


def timed(act: Callable[[], object]) -> Took:
    """How long it takes once."""
    began, worked = time.perf_counter(), processor_time()
    act()
    return time.perf_counter() - began, processor_time() - worked


def told(what: str, pairs: list[tuple[Took, Took]], pictures: int) -> None:
    """Ours and the bare one, as shares of the bare rate and as rates."""
    clock = [bare[0] / ours[0] for ours, bare in pairs]
    processor = [bare[1] / ours[1] for ours, bare in pairs]
    print(
        f"\n{what}: {median(clock):.2f} of the bare rate by the clock ({min(clock):.2f} to {max(clock):.2f}),"
        f" {median(processor):.2f} of the processor ({min(processor):.2f} to {max(processor):.2f});"
        f" {pictures / median(ours[0] for ours, _ in pairs):.0f} and"
        f" {pictures / median(bare[0] for _, bare in pairs):.0f} pictures a second;"
        f" {1000 * median(ours[1] for ours, _ in pairs) / pictures:.1f} and"
        f" {1000 * median(bare[1] for _, bare in pairs) / pictures:.1f} ms of processor time a picture"
    )


@pytest.fixture
def photographs(shared_data: Path) -> list[bytes]:
    """Real photographs as JPEGs of 640 × 480, each another file."""
    found = sorted((shared_data / "flowers5").rglob("*.jpg"))
    made = []
    for path in itertools.islice(itertools.cycle(found), min(COUNT, len(found))):
        out = io.BytesIO()
        with Pillow.open(path) as picture:
            ImageOps.fit(picture.convert("RGB"), (640, 480)).save(out, "JPEG", quality=88)
        made.append(out.getvalue())
    # What follows the end of a JPEG makes another file of the same picture
    return [made[n % len(made)] + n.to_bytes(4, "big") for n in range(COUNT)]


@pytest.fixture
def watched(request: pytest.FixtureRequest) -> Iterator[Callable[[str], list[Took]]]:
    """`watched(kind)`: what each run of this kind of job takes, and (as a third) when it ended."""
    before: list[registry.Kind] = []

    def watch(name: str) -> list[Took]:
        kind, took = registry.kind_of(name), list[Took]()
        before.append(kind)

        def run(attempt: Attempt) -> None:
            took.append(timed(lambda: kind.run(attempt)))
            took.append((time.perf_counter(), 0.0))

        registry.register(replace(kind, run=run))
        return took

    yield watch
    for kind in before:
        registry.register(kind)


def decode_and_write(part: tuple[list[bytes], str, int]) -> None:
    """The bare work: decode each wholly and write one thumbnail."""
    pictures, folder, start = part
    for number, content in enumerate(pictures, start):
        with Pillow.open(io.BytesIO(content)) as picture:
            picture.load()
            picture.thumbnail((320, 320), Pillow.Resampling.BILINEAR)
            picture.save(f"{folder}/{number}.jpg", quality=82)


def in_processes(pictures: list[bytes], folder: Path) -> None:
    """In as many processes as there are cores."""
    folder.mkdir(exist_ok=True)
    share = 50
    parts = [(pictures[at : at + share], str(folder), at) for at in range(0, len(pictures), share)]
    with ProcessPoolExecutor(CORES) as pool:
        list(pool.map(decode_and_write, parts))


@pytest.mark.slow
def test_an_import_against_pillow_alone(
    team: Team,
    work: Work,
    photographs: list[bytes],
    watched: Callable[[str], list[Took]],
    tmp_path: Path,
) -> None:
    took, pairs = watched(imports.KIND), []
    watched(embeddings.KIND)  # so that it is put back
    registry.register(replace(registry.kind_of(embeddings.KIND), run=lambda attempt: None))
    for number in range(ROUNDS):
        fresh = [content + bytes([number]) for content in photographs]  # the storage knows none of these
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as file:
            for at, content in enumerate(fresh):
                file.writestr(f"label{at % 5}/{at}.jpg", content)
        bare = timed(partial(in_processes, fresh, tmp_path / str(number)))
        dataset = make_dataset(team, f"Round {number}")
        upload = SimpleUploadedFile("pictures.zip", out.getvalue())
        imports.begin_import(dataset=dataset, user=team.people["owner"], files=[upload])
        work()
        found = Import.objects.get(dataset=dataset)
        assert (found.state, found.imported) == (ImportState.READY, len(fresh)), found.message
        pairs.append((took[-2], bare))
    told(f"Import of {COUNT:,} pictures / Pillow in {CORES} processes", pairs, COUNT)


@pytest.fixture
def extractor(weights_dir: Path, db: None) -> Extractor:
    """The real one, built from weights."""
    from training.extractors import as_embeddings, extractor_for
    from training.profiles import DEFAULT

    row = extractor_for(DEFAULT.backbones, DEFAULT.size, build=True)
    assert row is not None
    return as_embeddings(row)


@pytest.mark.slow
def test_embeddings_against_onnx_runtime_alone(
    team: Team, work: Work, photographs: list[bytes], extractor: Extractor
) -> None:
    from django.conf import settings

    from web import storage

    size = min(COUNT, 32 * BATCH)
    pairs, threads = [], settings.INFERENCE_THREADS
    compute = computer(extractor, threads)
    for number in range(ROUNDS):
        fresh = [content + bytes([100 + number]) for content in photographs[:size]]
        rows = [(f"{number}-{at}".rjust(64, "0"), storage.put_bytes("images", content, ".jpg"))
                for at, content in enumerate(fresh)]  # fmt: skip
        ready = [
            np.stack([pixels_of(key, extractor.spec) for _, key in rows[at : at + BATCH]])
            for at in range(0, size, BATCH)
        ]
        bare = timed(partial(compute_all, compute, ready))
        pairs.append((timed(partial(ensure_features, extractor, rows)), bare))
    told(
        f"Embeddings of {size:,} pictures / ONNX Runtime alone, {threads} threads, decoded before",
        pairs,
        size,
    )


def compute_all(compute: Callable[[np.ndarray], np.ndarray], ready: list[np.ndarray]) -> None:
    """The bare work: what is decoded already through the model."""
    for batch in ready:
        compute(batch)


def fill(dataset: Dataset, extractor: Extractor) -> None:
    """Labels and untagged pictures with vectors around one centre a kind."""
    random = np.random.default_rng(0)
    centres = random.normal(size=(KINDS, extractor.dimensions))
    Label.objects.bulk_create(Label(dataset=dataset, name=f"kind {n}", position=n) for n in range(KINDS))
    count = UNTAGGED + KINDS * TAGGED
    shas = [f"{dataset.pk}-{n}".rjust(64, "0") for n in range(count)]
    Image.objects.bulk_create(
        Image(dataset=dataset, position=n, name=f"{n}.jpg", sha256=sha, key="", width=640, height=480, bytes=1,
              difference_hash=0)
        for n, sha in enumerate(shas)
    )  # fmt: skip
    for at in range(0, count, embeddings.SHARD):
        kinds = np.arange(at, min(at + embeddings.SHARD, count)) % KINDS
        vectors = centres[kinds] + random.normal(scale=2.0, size=(len(kinds), extractor.dimensions))
        embeddings.keep(extractor, shas[at : at + embeddings.SHARD], vectors.astype(np.float16))


@pytest.mark.slow
def test_suggestions_for_ten_thousand_after_the_tags(
    team: Team,
    work: Work,
    extractor: Extractor,
    watched: Callable[[str], list[Took]],
) -> None:
    client = Client()
    client.force_login(team.people["labeller"])
    took = watched(suggesting.KIND)
    dataset = make_dataset(team, "Suggested")
    fill(dataset, extractor)
    pictures = list(dataset.images.order_by("position").values_list("pk", "position"))
    for kind, label in enumerate(dataset.labels.order_by("position")):
        mine = [pk for pk, at in pictures if at % KINDS == kind][:TAGGED]
        answer = client.post(f"/datasets/{dataset.pk}/tag/", {"images": mine, "label": label.name})
        assert answer.status_code < 400, answer.content
    answered = time.perf_counter()
    work()
    assert dataset.suggestions.count() == UNTAGGED
    right = sum(
        at % KINDS == int(name.split()[1])
        for at, name in dataset.suggestions.values_list("image__position", "label__name")
    )
    print(
        f"\nSuggestions for {UNTAGGED:,} pictures: readable {took[-1][0] - answered:.1f} s after the last tag's answer"
        f" ({took[-2][0]:.1f} s by the clock, {took[-2][1]:.1f} s of the processor in the job); {right:,} right"
    )
