"""A data set that is tagged anew, and loses pictures, while a model learns from it: the run reads what it froze."""

import os
import random
import threading
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from datasets.labels import delete_label, rename_label
from datasets.models import Dataset, Snapshot
from datasets.snapshots import rows_of
from datasets.tagging import tag_images, trash_images
from tests.factories import Team
from tests.training.makers import asked, model_of, tagged
from training import manifest, predictions
from training.models import VersionState
from web import storage

EDITS = 1000 if os.environ.get("TAXON_FAULTS") == "long" else 60


@pytest.fixture
def no_weights(settings: Settings) -> Iterator[None]:
    settings.WEIGHTS_DIR, settings.WEIGHTS_DOWNLOAD = None, False
    yield


def edit(team: Team, dataset: Dataset, ended: threading.Event, done: list[int]) -> None:
    """Tags at random, trashes, renames, deletes: as often as asked, while the run goes on."""
    dice, user = random.Random(8), team.people["owner"]
    try:
        ids = list(dataset.images.values_list("pk", flat=True))
        labels = list(dataset.labels.all())
        for number in range(EDITS):
            some = dataset.images.filter(pk__in=dice.sample(ids, 3))
            tag_images(dataset=dataset, user=user, chosen=some, label=dice.choice([None, *labels]))
            done.append(number)
            ended.wait(0.01)
        rename_label(label=labels[0], name="crimson", user=user)
        trash_images(dataset=dataset, user=user, chosen=dataset.images.filter(pk__in=ids[::2]))
        delete_label(label=labels[1], user=user)
    finally:
        connection.close()


@pytest.mark.slow
def test_a_run_reads_its_frozen_snapshot_however_the_data_set_is_edited_meanwhile(
    team: Team, work: Callable[[], None], no_weights: None
) -> None:
    """L8, and L6 for training."""
    dataset = tagged(team.project, {"red": 20, "blue": 20})
    (version,) = asked(model_of(team.project), team.people["engineer"], dataset, max_minutes=1.0)
    snapshot = Snapshot.objects.get(pk__in=version.snapshots)
    rows, frozen = rows_of(snapshot), storage.read(snapshot.key)
    ended, done = threading.Event(), list[int]()
    editor = threading.Thread(target=edit, args=(team, dataset, ended, done))
    editor.start()
    work()
    ended.set()
    editor.join(120)
    version.refresh_from_db()
    assert (version.state, version.usable) == (VersionState.SUCCEEDED, True), version.sentence
    assert len(done) == EDITS and dataset.images.live().count() == 20
    snapshot.refresh_from_db()
    assert (rows_of(snapshot), storage.read(snapshot.key)) == (rows, frozen)
    assert version.labels == ["red", "blue"]
    truth = {row.image: row.label for row in rows}
    held_back = manifest.load(version.manifest_key).part("held_back")
    assert {entry.image: entry.label for entry in held_back} == {
        entry.image: truth[entry.image] for entry in held_back
    }
    assert [row.image for row in predictions.load(version.predictions_key)] == [
        entry.image for entry in held_back
    ]
    print(f"L8: {EDITS} edits while a run of {len(rows)} pictures went on; snapshot unchanged")
