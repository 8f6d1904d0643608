"""Which versions learned from a snapshot, for the page that lists snapshots."""

from collections.abc import Sequence

from django.urls import reverse

from datasets.models import Snapshot
from datasets.snapshots import Use
from training.models import ModelVersion


def versions_from(snapshots: Sequence[Snapshot]) -> dict[int, list[Use]]:
    """{snapshot: [a version with its page, …]}, latest first."""
    found: dict[int, list[Use]] = {each.pk: [] for each in snapshots}
    projects = {each.dataset.project_id for each in snapshots}
    versions = ModelVersion.objects.filter(model__project__in=projects).select_related("model")
    columns = ("pk", "number", "model", "snapshots", "model__name")
    for _, number, model, used, name in versions.order_by("-pk").values_list(*columns):
        for pk in set(used) & set(found):
            found[pk].append(Use(f"{name} {number}", reverse("training:version", args=[model, number])))
    return found
