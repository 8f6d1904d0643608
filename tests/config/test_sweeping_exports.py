"""What killed exports leave behind is found by verify and swept at a start."""

import os
import time
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from pytest_django.fixtures import Settings

from config.sweeping import sweep
from config.verify import findings
from datasets.exporting import work_folder
from datasets.models import Export, ExportState
from tests.datasets.makers import make_dataset
from tests.factories import Team


@pytest.fixture(autouse=True)
def own_data(settings: Settings, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path / "data"


@pytest.mark.disk
def test_a_zip_that_no_export_names_and_an_abandoned_folder_go_and_those_in_use_stay(team: Team) -> None:
    dataset = make_dataset(team)
    kept, expired, lost = (default_storage.save(f"exports/{n}.zip", ContentFile(b"PK")) for n in "abc")
    for key in (kept, expired, lost):
        os.utime(default_storage.path(key), (time.time() - 2 * 86400,) * 2)
    ready = {"dataset": dataset, "format": "csv", "state": ExportState.READY}
    Export.objects.create(key=kept, expires_at="2099-01-01T00:00Z", **ready)
    old = Export.objects.create(key=expired, expires_at="2026-01-01T00:00Z", **ready)
    packing = Export.objects.create(dataset=dataset, format="csv", state=ExportState.PACKING)
    for pk in (packing.pk, 999):
        work_folder(pk).mkdir(parents=True)
    wrong = [str(each) for each in findings(quick=True, grace=0)]
    assert any(lost in each for each in wrong) and any("export-999" in each for each in wrong)
    assert not any(kept in each or str(work_folder(packing.pk)) in each for each in wrong)
    sweep()
    assert [default_storage.exists(key) for key in (kept, expired, lost)] == [True, False, False]
    old.refresh_from_db()
    assert (old.state, old.key) == ("expired", "")
    assert work_folder(packing.pk).exists() and not work_folder(999).exists()
