"""The doors to data sets and what lies in them."""

from django.db.models import QuerySet
from django.http import Http404

from datasets.models import Dataset, Export, Image, Import, Snapshot, TagAction
from projects.access import Who, allowed_projects, caller, check, check_role
from projects.models import Role


def datasets_of(who: Who, *, scope: str = "") -> QuerySet[Dataset]:
    """The data sets of the caller's projects, without those in the trash. Lists check their scope here."""
    token = caller(who).token
    if scope and token:
        check(who, token.project, scope=scope)
    return Dataset.objects.filter(project__in=allowed_projects(who), trashed_at=None)


def dataset_for(who: Who, pk: int, *, at_least: Role = Role.VIEWER, scope: str = "read") -> Dataset:
    """The door to a data set."""
    dataset = datasets_of(who).select_related("project").filter(pk=pk).first()
    if dataset is None:
        raise Http404
    check(who, dataset.project, at_least=at_least, scope=scope)
    return dataset


# The data set and the caller's role, in one question put together by hand: each act asks it.
WITH_ROLE = (
    "SELECT d.*, m.role AS callers_role FROM datasets_dataset d JOIN projects_project p ON p.id = d.project_id"
    " JOIN projects_membership m ON m.project_id = p.id AND m.user_id = %s"
    " WHERE d.id = %s AND d.trashed_at IS NULL AND p.archived_at IS NULL"
)


def dataset_to_tag(who: Who, pk: int) -> Dataset:
    """The door for acts: as `dataset_for` for labellers, without reading the project before it is asked for."""
    asking = caller(who)
    for dataset in Dataset.objects.raw(WITH_ROLE, [asking.user.pk, pk]):
        token = asking.token
        if token and (token.resource or token.project_id != dataset.project_id):
            break
        check_role(who, Role(dataset.callers_role), at_least=Role.LABELLER, scope="label")  # type: ignore[attr-defined]
        return dataset
    raise Http404


def image_for(who: Who, pk: int, *, at_least: Role = Role.VIEWER, scope: str = "read") -> Image:
    """The door to a picture; one in the trash can still be seen by those who could restore it."""
    image = (
        Image.objects.select_related("dataset__project").filter(pk=pk, dataset__in=datasets_of(who)).first()
    )
    if image is None:
        raise Http404
    check(who, image.dataset.project, at_least=at_least, scope=scope)
    return image


def import_for(who: Who, pk: int, *, at_least: Role = Role.VIEWER, scope: str = "read") -> Import:
    """The door to an import."""
    found = (
        Import.objects.select_related("dataset__project").filter(pk=pk, dataset__in=datasets_of(who)).first()
    )
    if found is None:
        raise Http404
    check(who, found.dataset.project, at_least=at_least, scope=scope)
    return found


def action_to_undo(who: Who, dataset_pk: int, pk: int) -> TagAction:
    """The door to a bulk change of a data set: labellers undo their own, engineers anybody's."""
    dataset = dataset_for(who, dataset_pk, at_least=Role.LABELLER, scope="label")
    action = TagAction.objects.select_related("dataset__project").filter(pk=pk, dataset=dataset).first()
    if action is None:
        raise Http404
    if action.created_by_id != caller(who).user.pk:
        check(who, dataset.project, at_least=Role.ENGINEER, scope="label")
    return action


def snapshot_of(dataset: Dataset, pk: int) -> Snapshot:
    """A snapshot of a data set whose door was passed."""
    found = Snapshot.objects.select_related("dataset__project").filter(pk=pk, dataset=dataset).first()
    if found is None:
        raise Http404
    return found


def export_for(who: Who, dataset_pk: int, pk: int) -> Export:
    """The door to an export: who may take data out is a setting of the project."""
    dataset = dataset_for(who, dataset_pk, scope="export")
    check(who, dataset.project, at_least=Role(dataset.project.exports_from), scope="export")
    found = Export.objects.select_related("job", "snapshot").filter(pk=pk, dataset=dataset).first()
    if found is None:
        raise Http404
    found.dataset = dataset
    return found
