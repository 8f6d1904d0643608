"""How many of 25 flipped labels among the 500 pictures of flowers5 the queue finds: `make bench`.

Twenty-five seeded pictures (5 %) get another label, then the job looks as it does in the product; ten times over.
docs/mislabels.md holds the figures.
"""

import random
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction

from datasets import mislabels
from datasets.imports import begin_import
from datasets.mislabels import queue_of
from datasets.models import Image
from jobs import queue
from tests.datasets.makers import Work, make_dataset, zip_of
from tests.factories import Team

SEEDS, FLIPPED = range(10), 25
FIRST = (10, 25, 40)


@pytest.mark.django_db(transaction=True)
def test_flipped_flowers_are_found(work: Work, team: Team, shared_data: Path, weights_dir: Path) -> None:
    dataset = make_dataset(team)
    paths = sorted((shared_data / "flowers5").rglob("*.jpg"))
    archive = zip_of({f"{path.parent.name}/{path.name}": path.read_bytes() for path in paths})
    upload = SimpleUploadedFile("flowers.zip", archive)
    begin_import(dataset=dataset, user=team.people["labeller"], files=[upload])
    work()
    truth = dict(dataset.images.order_by("pk").values_list("pk", "label"))
    labels = sorted(set(truth.values()))
    found = dict.fromkeys(FIRST, 0)
    listed = hits = right = 0
    for seed in SEEDS:
        chance = random.Random(seed)
        flipped = {
            pk: chance.choice([each for each in labels if each != truth[pk]])
            for pk in chance.sample(sorted(truth), FLIPPED)
        }
        for pk, label in (truth | flipped).items():
            Image.objects.filter(pk=pk).update(label=label)
        with transaction.atomic():
            queue.enqueue(mislabels.KIND, {"dataset": dataset.pk})
        work()
        rows = list(queue_of(dataset))
        listed, hits = listed + len(rows), hits + sum(row.image_id in flipped for row in rows)
        right += sum(row.image_id in flipped and row.proposed_id == truth[row.image_id] for row in rows)
        for n in FIRST:
            found[n] += sum(row.image_id in flipped for row in rows[:n])
    runs = len(SEEDS)
    print(f"\n{len(truth)} pictures, {FLIPPED} flipped, {runs} times")
    for n in FIRST:
        print(f"first {n}: precision {found[n] / runs / n:.2f}, recall {found[n] / runs / FLIPPED:.2f}")
    print(
        f"whole queue: {listed / runs:.1f} pictures, precision {hits / listed:.2f}, recall {hits / runs / FLIPPED:.2f}"
    )
    print(f"of the flipped ones that were found, the proposed label was the true one: {right / hits:.2f}")
    assert found[10] / runs / 10 > 0.9
