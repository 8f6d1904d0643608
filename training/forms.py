"""The training form: parsed leniently, so that a half-filled one can be shown again with its preview."""

from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from datasets.labels import labels_with_counts
from datasets.models import Dataset, Label
from projects.models import Project
from training.models import Application, Metric, ModelVersion, RegisteredModel
from training.warm import possible_sources
from training.wishes import Chosen, balancing_of

DEFAULT_MINUTES = 12
MOST_SOURCES = 20  # of a model, the newest
METRIC_TEXTS = {
    Metric.TOP1: _("How often the first answer is right. The usual choice."),
    Metric.TOP5: _("How often the right label is among the first five. For very many labels."),
    Metric.PRECISION: _("How often a named label is right, each label counting the same."),
    Metric.RECALL: _("How many of a label's pictures are found, each label counting the same."),
    Metric.F1: _("Precision and recall in one number. For labels of very unequal size."),
}


@dataclass
class DataChoice:
    """A data set on the form with its labels: [(label, chosen?)…]."""

    dataset: Dataset
    chosen: bool
    labels: list[tuple[Label, bool]] = field(default_factory=list)

    @property
    def pictures(self) -> int:
        """Tagged pictures."""
        return sum(label.images_count for label, _ in self.labels)  # type: ignore[attr-defined]


@dataclass
class TrainForm:
    """What the page shows and what was sent."""

    project: Project
    data: list[DataChoice]
    applications: list[str]
    optimise_for: str
    max_minutes: str
    model: str  # an id, or "new"
    name: str
    patience: str
    class_weights: str
    fine_tuning: str
    split: str  # empty: as the rule says
    max_latency_ms: str
    warm_start: str  # model and version, as `MODEL.NUMBER`

    @classmethod
    def read(cls, project: Project, sent: QueryDict) -> "TrainForm":
        """From the address or the form; what is missing gets its default."""
        models = [str(pk) for pk in project.models.order_by("-id").values_list("pk", flat=True)]
        asked = sent.get("model", models[0] if models else "new")
        return cls(
            project=project,
            data=data_choices(project, sent),
            applications=sent.getlist("applications")
            if "sent" in sent
            else [Application.CLOUD_GENERAL.value],
            optimise_for=sent.get("optimise_for", Metric.TOP1.value),
            max_minutes=sent.get("max_minutes", str(DEFAULT_MINUTES)),
            model=asked if asked in models else "new",
            name=sent.get("name", "" if models else project.name),
            patience=sent.get("patience", ""),
            class_weights=str(balancing_of(sent.dict())),
            fine_tuning=sent.get("fine_tuning", "auto"),
            split=sent.get("split", ""),
            max_latency_ms=sent.get("max_latency_ms", ""),
            warm_start=sent.get("warm_start", ""),
        )

    @property
    def chosen(self) -> list[Chosen]:
        """The data sets and labels with a tick."""
        found = [
            (each.dataset, tuple(str(label) for label, on in each.labels if on))
            for each in self.data
            if each.chosen
        ]
        return [Chosen(dataset, labels) for dataset, labels in found if labels]

    @property
    def wanted_data(self) -> list[dict[str, Any]]:
        """As `request_versions` takes it."""
        return [{"dataset": each.dataset.pk, "labels": list(each.labels)} for each in self.chosen]

    @property
    def wanted(self) -> dict[str, Any]:
        """Everything that `request_versions` asks for but the model and who asks."""
        return {
            "applications": self.applications,
            "optimise_for": self.optimise_for,
            "data": self.wanted_data,
            "max_minutes": self.minutes,
            "options": self.options,
        }

    @property
    def minutes(self) -> float:
        """The time limit; 0 where it is not a number, which is refused further on."""
        try:
            return float(self.max_minutes.replace(",", "."))
        except ValueError:
            return 0.0

    @property
    def options(self) -> dict[str, Any]:
        """What stands under Advanced; text that is no number is passed on to be refused."""
        patience: dict[str, Any] = {}
        if self.patience.strip():
            number = self.patience.isdecimal() and len(self.patience) < 10
            patience = {"patience": int(self.patience) if number else self.patience}
        split = {"split": self.split} if self.split else {}
        fits = {"class_weights": self.class_weights, "fine_tuning": self.fine_tuning}
        quick = {"max_latency_ms": number_of(self.max_latency_ms)} if self.max_latency_ms.strip() else {}
        return patience | split | fits | quick | self.start

    @property
    def start(self) -> dict[str, Any]:
        """The version to go on from; the text itself where it is none of this model, to be refused further on."""
        model, _, number = self.warm_start.partition(".")
        mine = model == self.model and number.isdecimal() and len(number) < 10
        return {"warm_start": int(number) if mine else self.warm_start} if self.warm_start else {}

    @property
    def sources(self) -> list[tuple[RegisteredModel, list[tuple[str, ModelVersion]]]]:
        """What can be gone on from, by model: [(model, [(value, version)…])…]."""
        found = [
            (model, [(f"{model.pk}.{each.number}", each) for each in possible_sources(model)[:MOST_SOURCES]])
            for model in self.project.models.order_by("name")
        ]
        return [(model, some) for model, some in found if some]

    @property
    def at_most(self) -> float | None:
        """The milliseconds that a picture may take, where they are a number."""
        most = number_of(self.max_latency_ms)
        return most if isinstance(most, float) and most > 0 else None

    @property
    def existing(self) -> RegisteredModel | None:
        """The model that gets another version."""
        known = self.model.isdecimal() and len(self.model) < 19
        return self.project.models.filter(pk=int(self.model)).first() if known else None


def number_of(text: str) -> float | str:
    """A number as people write it; the text itself where it is none, to be refused further on."""
    try:
        return float(text.strip().replace(",", "."))
    except ValueError:
        return text


def data_choices(project: Project, sent: QueryDict) -> list[DataChoice]:
    """Every data set with tagged pictures. At first the one in the address, or the newest, is ticked."""
    first_time, named = "sent" not in sent, sent.getlist("dataset")
    found: list[DataChoice] = []
    for dataset in Dataset.objects.filter(project=project, trashed_at=None).order_by("-id"):
        in_use = [label for label in labels_with_counts(dataset) if label.images_count]  # type: ignore[attr-defined]
        if not in_use:
            continue
        chosen = str(dataset.pk) in named or (first_time and not named and not found)
        ticked = set(sent.getlist(f"labels-{dataset.pk}"))
        listed = (
            f"listed-{dataset.pk}" in sent
        )  # the form that was sent showed the labels: no tick is a choice
        all_on = first_time or not (ticked or listed)
        found.append(DataChoice(dataset, chosen, [(each, on_at(each, all_on, ticked)) for each in in_use]))
    return sorted(found, key=lambda each: not each.chosen)  # among many, what is ticked is seen first


def on_at(label: Label, all_on: bool, ticked: set[str]) -> bool:
    """Whether a label is ticked; where all are, those that a person archived are not."""
    return not label.archived_at if all_on else label.name in ticked
