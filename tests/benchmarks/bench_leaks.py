"""How many held-back pictures have a near copy on the training side, by threshold, on real photographs: `make bench`.

Each set is imported and split as the product does; then the second look (training/leaks.py) runs with several
thresholds. docs/splits.md holds the figures. The last test is the time for 50,000 pictures.
"""

import time
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django.fixtures import Settings

from datasets import embeddings
from datasets.imports import begin_import
from datasets.labels import labels_with_counts
from datasets.models import Dataset
from datasets.snapshots import take_snapshot
from tests.datasets.makers import Work, zip_of
from tests.factories import Team
from training import manifest
from training.leaks import near_pairs, settled, telling
from training.splitting import HELD_BACK, TRAIN, VALIDATION

SETS = ("flowers5", "garbage6", "动物与交通工具", "caltech20", "cifar10-small", "fer2013-small")
THRESHOLDS = (0.88, 0.90, 0.92, 0.94, 0.96)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("name", SETS)
def test_what_thresholds_find(
    work: Work, team: Team, shared_data: Path, weights_dir: Path, settings: Settings, name: str
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    folder = shared_data / name
    data = (
        zip_of({str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*.*"))})
        if folder.is_dir()
        else (shared_data / f"{name}.zip").read_bytes()
    )
    dataset = Dataset.objects.create(project=team.project, name=name)
    begin_import(dataset=dataset, user=team.people["engineer"], files=[SimpleUploadedFile("set.zip", data)])
    work()
    labels = [label.name for label in labels_with_counts(dataset)]
    found = manifest.build([take_snapshot(dataset=dataset, user=None)], labels)
    source = embeddings.current_extractor()
    assert not source.weak
    vectors = embeddings.features_of(source, [entry.sha256 for entry in found.entries])
    tested = np.array([at for at, entry in enumerate(found.entries) if entry.part != TRAIN])
    print(f"\n{name}: {len(found.entries)} pictures, held back {len(found.part(HELD_BACK))},", end=" ")
    print(f"to choose by {len(found.part(VALIDATION))}")
    for least in THRESHOLDS:
        near: dict[int, set[int]] = defaultdict(set)
        pairs = list(near_pairs(vectors, tested, least))
        for one, other in pairs:
            near[one].add(other)
            near[other].add(one)
        print(least, f"pairs {len(pairs)}", settled(found.entries, near, ())[1])


def test_how_long_fifty_thousand_pictures_take() -> None:
    chance = np.random.default_rng(1)
    weights = np.arange(1, 1281) ** np.float32(-0.5)  # few directions hold most of it, as in real embeddings
    turned = np.linalg.qr(chance.standard_normal((1280, 1280), np.float32))[0]
    kinds = chance.standard_normal((100, 1280), np.float32)
    vectors = (
        (kinds[np.arange(50_000) % 100] + chance.standard_normal((50_000, 1280), np.float32)) * weights
    ) @ turned
    vectors = vectors.astype(np.float16)
    vectors[-50:] = vectors[:50]
    began = time.monotonic()
    tested = np.arange(15_000)
    least = telling(vectors, tested, 0.92)
    found = set(near_pairs(vectors, tested, least or 1))
    print(f"\n50,000 pictures, 15,000 of them tested: {time.monotonic() - began:.1f} s, {len(found)} pairs")
    assert least == 0.92
    assert {(at, 49_950 + at) for at in range(50)} <= found
