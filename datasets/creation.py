"""Making a data set, describing it, and moving it to the trash and back."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.imports import UNFINISHED, cancel_import
from datasets.models import Dataset
from projects import audit
from projects.models import Project
from web.sentences import Conflict


class NameTaken(Conflict):
    """Two data sets of a project cannot have one name."""

    code = "name-taken"


def _taken(name: str) -> NameTaken:
    return NameTaken(gettext_noop("The project has a data set “%(name)s” already."), name=name)


def create_dataset(*, project: Project, user: User, name: str, description: str = "") -> Dataset:
    """A new, empty data set. Raises NameTaken."""
    name = name.strip()
    try:
        with transaction.atomic():
            made = Dataset.objects.create(
                project=project, name=name, description=description.strip(), created_by=user
            )
            audit.note(user, "dataset.create", project=project, target=name)
    except IntegrityError as error:
        raise _taken(name) from error
    return made


def describe(
    *, dataset: Dataset, user: User, name: str | None = None, description: str | None = None
) -> Dataset:
    """Another name or description; None leaves it. Raises NameTaken."""
    if name is not None:
        dataset.name = name.strip()
    if description is not None:
        dataset.description = description.strip()
    try:
        with transaction.atomic():
            dataset.save(update_fields=["name", "description"])
            audit.note(user, "dataset.describe", project=dataset.project, target=dataset.name)
    except IntegrityError as error:
        raise _taken(dataset.name) from error
    return dataset


def trash_dataset(*, dataset: Dataset, user: User) -> None:
    """Out of sight with all its pictures; imports into it end. `restore_dataset` brings it back as it was."""
    with transaction.atomic():
        Dataset.objects.filter(pk=dataset.pk).update(trashed_at=timezone.now(), trashed_by=user)
        audit.note(user, "dataset.trash", project=dataset.project, target=dataset.name)
    for running in dataset.imports.filter(state__in=UNFINISHED).select_related("job"):
        cancel_import(running)


def restore_dataset(*, dataset: Dataset, user: User) -> None:
    """Back from the trash. Raises NameTaken where another took its name meanwhile."""
    try:
        with transaction.atomic():
            Dataset.objects.filter(pk=dataset.pk).update(trashed_at=None, trashed_by=None)
            audit.note(user, "dataset.restore", project=dataset.project, target=dataset.name)
    except IntegrityError as error:
        raise _taken(dataset.name) from error
