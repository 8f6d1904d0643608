"""`manage.py house_clerk`: the clerk who also imports and trains, and tells what became of it."""

import hashlib
from pathlib import Path
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from config.verify import findings
from datasets.imports import begin_import
from datasets.models import Dataset, Image, Import
from tests.factories import Team
from tests.faults.fixture_app.management.commands import clerk
from tests.training.makers import asked, model_of, tagged
from training.checkpoints import stored
from training.models import ModelVersion
from web import storage


class Command(clerk.Command):
    """One team for all."""

    def prepare(self) -> bool:
        """People and a project."""
        self.team = Team.make()
        return True

    def begin_import(self, archive: str) -> list[int]:
        """Import a zip into a data set of its own: the numbers of import and job."""
        person = self.team.people["engineer"]
        name = f"Pictures {Dataset.objects.count()}"
        dataset = Dataset.objects.create(project=self.team.project, name=name, created_by=person)
        upload = SimpleUploadedFile("pictures.zip", Path(archive).read_bytes())
        begun = begin_import(dataset=dataset, user=person, files=[upload])
        assert begun.job is not None
        return [begun.pk, begun.job.pk]

    def imported(self, number: int) -> dict[str, Any]:
        """What an import brought: counts, pictures with their labels, and whether the files are whole."""
        found = Import.objects.get(pk=number)
        pictures = Image.objects.filter(dataset=found.dataset).select_related("label").order_by("pk")
        whole = all(hashlib.sha256(storage.read(each.key)).hexdigest() == each.sha256 for each in pictures)
        return {
            "counts": [found.state, found.total, found.imported, found.duplicates, found.rejected],
            "pictures": [[each.name, each.sha256, str(each.label)] for each in pictures],
            "refused": sorted(found.not_taken.values_list("name", "code")),
            "whole": whole,
        }

    def begin_training(self, pictures: int, **options: Any) -> list[int]:
        """Ask for a version: its number and its job's."""
        counts = {"red": pictures, "blue": pictures}
        dataset = tagged(self.team.project, counts, f"Discs {Dataset.objects.count()}")
        model, person = model_of(self.team.project, dataset.name), self.team.people["engineer"]
        (version,) = asked(model, person, dataset, max_minutes=5.0, options=options)
        assert version.job is not None
        return [version.pk, version.job.pk]

    def trained(self, number: int) -> dict[str, Any]:
        """What became of it."""
        version = ModelVersion.objects.get(pk=number)
        whole = bool(version.file_key) and (
            hashlib.sha256(storage.read(version.file_key)).hexdigest() == version.file_sha256
        )
        epochs = [each.get("epoch") for each in version.history]
        return {
            "state": version.state,
            "usable": version.usable,
            "whole": whole,
            "epochs": epochs,
            "seconds": [each.get("seconds") for each in version.history][-1:],
            "attempt": version.job.attempt if version.job else 0,
            "stored": [name.number for name in stored(version.pk)],
            "wrong": [str(wrong) for wrong in findings(grace=0)] if version.ended else [],
        }
