"""The doors to models and versions."""

from django.db.models import QuerySet
from django.http import Http404

from datasets.models import Snapshot
from projects.access import Who, allowed_projects, check
from projects.models import Role
from training.models import ModelVersion, RegisteredModel


def models_of(who: Who) -> QuerySet[RegisteredModel]:
    """The models of the caller's projects."""
    return RegisteredModel.objects.filter(project__in=allowed_projects(who))


def model_for(who: Who, pk: int, *, at_least: Role = Role.VIEWER, scope: str = "read") -> RegisteredModel:
    """The door to a model."""
    model = models_of(who).select_related("project").filter(pk=pk).first()
    if model is None:
        raise Http404
    check(who, model.project, at_least=at_least, scope=scope)
    return model


def version_for(
    who: Who, model_pk: int, number: int, *, at_least: Role = Role.VIEWER, scope: str = "read"
) -> ModelVersion:
    """The door to a version, by its model and number."""
    model = model_for(who, model_pk, at_least=at_least, scope=scope)
    version = model.versions.select_related("model__project", "job").filter(number=number).first()
    if version is None:
        raise Http404
    return version


def snapshot_for(who: Who, model: RegisteredModel, pk: int) -> Snapshot:
    """A snapshot of the project of a model whose door was passed."""
    check(who, model.project)
    there = Snapshot.objects.filter(dataset__project=model.project_id, dataset__trashed_at=None)
    found = there.select_related("dataset").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found
