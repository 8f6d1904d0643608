"""The training form filled in as it was for a version, so that the next one differs by what is changed alone."""

from urllib.parse import urlencode

from datasets.labels import labels_with_counts
from datasets.models import Dataset
from training.models import ModelVersion

LONGEST = 3000  # servers refuse longer addresses; the labels are left to the form's default then
IN_THE_FORM = ("patience", "class_weights", "split", "fine_tuning", "max_latency_ms")


def query_of(version: ModelVersion) -> str:
    """The form's fields as an address has them. Data sets that are gone since are left out."""
    wanted = {item["dataset"]: list(item["labels"]) for item in version.data}
    here = Dataset.objects.filter(project=version.model.project_id, trashed_at=None, pk__in=wanted)
    fields: list[tuple[str, str]] = [
        ("sent", "1"),
        ("model", str(version.model_id)),
        ("applications", version.application),
        ("optimise_for", version.optimise_for),
        ("max_minutes", f"{version.max_minutes:g}"),
        *((name, str(version.options[name])) for name in IN_THE_FORM if name in version.options),
        *(
            [("warm_start", f"{version.model_id}.{start}")]
            if (start := version.options.get("warm_start"))
            else []
        ),
        *(("dataset", str(dataset.pk)) for dataset in here),
    ]
    labels = [
        (f"labels-{dataset.pk}", name)
        for dataset in here
        if set(wanted[dataset.pk]) != usual(dataset)
        for name in wanted[dataset.pk]
    ]
    whole = urlencode(fields + labels)
    return whole if len(whole) <= LONGEST else urlencode(fields)


def usual(dataset: Dataset) -> set[str]:
    """The labels that the form ticks where nothing is said."""
    return {
        label.name
        for label in labels_with_counts(dataset)
        if label.images_count and not label.archived_at  # type: ignore[attr-defined]
    }
