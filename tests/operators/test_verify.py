"""`manage.py verify` sees what is wrong, and nothing where all is well."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import transaction
from pytest_django.fixtures import Settings

from config.verify import findings
from datasets.models import Image, Import
from jobs.models import Job
from serving.models import Revision, Service
from tests.factories import Team
from tests.operators.house import House, live_in
from training.models import ModelVersion
from web import storage


@pytest.fixture
def house(team: Team, work: Callable[[], None], tmp_path: Path, settings: Settings) -> House:
    settings.DATA_DIR = tmp_path / "data"
    return live_in(team, work)


def codes() -> list[str]:
    """What it finds, nobody being at work."""
    return sorted(wrong.code for wrong in findings(grace=0))


def test_a_house_in_order_has_no_findings_and_each_fault_is_found(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    assert codes() == []
    call_command("verify")
    assert "in order" in capsys.readouterr().out

    image = house.dataset.images.first()
    assert image is not None
    content = storage.read(image.key)
    default_storage.delete(image.key)
    default_storage.save(image.key, ContentFile(b"something else"))
    assert codes() == ["file-damaged"]
    assert not list(findings(quick=True, grace=0)), "the quick look reads no file"
    default_storage.delete(image.key)
    assert codes() == ["file-missing"]
    with pytest.raises(SystemExit, match="1 findings"):
        call_command("verify", "--quick")
    assert f"datasets.image {image.pk}" in capsys.readouterr().out
    default_storage.save(image.key, ContentFile(content))
    assert codes() == []

    default_storage.save("images/aa/nobodys.png", ContentFile(b"x"))
    assert codes() == ["file-without-row"]
    assert not list(findings()), "its row may be about to be written"
    default_storage.delete("images/aa/nobodys.png")

    default_storage.save("parts/half", ContentFile(b"x"))
    assert codes() == ["leftover"]
    default_storage.delete("parts/half")


FALSE: dict[str, tuple[Callable[[], object], set[str]]] = {
    "a run without a holder": (lambda: Job.objects.update(state="running"), {"job-without-lease"}),
    "a holder without a run": (lambda: Job.objects.update(holder="somebody"), {"job-still-held"}),
    "a sum too large": (lambda: Import.objects.update(imported=99), {"import-sum"}),
    "refused without a row": (lambda: Import.objects.update(rejected=0, imported=7), {"import-rows"}),
    "an import whose job is over": (
        lambda: Import.objects.update(state="storing"),
        {"stranded", "file-missing"},
    ),
    "another file than was trained": (
        lambda: ModelVersion.objects.update(file_sha256="0" * 64),
        {"version-without-file"},
    ),
    "a training without a job": (lambda: ModelVersion.objects.update(state="training"), {"stranded"}),
    "online with nothing": (lambda: Service.objects.update(revision=None), {"service-without-revision"}),
    "shares of nothing": (lambda: Revision.objects.update(versions=[]), {"revision-shares"}),
    "a picture that points elsewhere": (
        lambda: Image.objects.filter(position=1).update(key="images/bb/gone.png"),
        {"file-missing", "file-without-row"},
    ),
}


def test_rows_that_cannot_be_true_are_found(house: House) -> None:
    for name, (change, found) in FALSE.items():
        with transaction.atomic():
            change()
            assert set(codes()) == found, name
            transaction.set_rollback(True)
    assert codes() == []
