"""Which pictures of a data set are meant: a filter that a link can carry, or a list of ids."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, cast, get_args
from urllib.parse import urlencode

from django.db import connection
from django.db.models import F, QuerySet
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_noop

from datasets.models import Dataset, Image
from web.sentences import Refusal

State = Literal["", "unlabelled", "labelled", "suggested", "trashed"]
Order = Literal[
    "id",
    "-id",
    "file",
    "-file",
    "bytes",
    "-bytes",
    "width",
    "-width",
    "height",
    "-height",
    "confidence",
    "-confidence",
]
STATES, ORDERS = get_args(State), get_args(Order)


class BadFilter(Refusal):
    """A filter that says nothing we know."""

    code = "bad-filter"
    status = 422


class UnknownImages(Refusal):
    """Ids that are not pictures of this data set."""

    code = "unknown-images"
    status = 404


@dataclass(frozen=True)
class Filter:
    """What `GET /datasets/{id}/images` and the bench filter by; empty means all.

    `label` is a label's name (or its number; of suggestions, the suggested one), `source` an import's number;
    `state` `trashed` shows the trash.
    """

    label: str = ""
    state: State = ""
    source: int | None = None
    order: Order = "id"

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> "Filter":
        """From a query string or JSON with the keys label, state, import, order. Raises BadFilter."""
        state, order = str(params.get("state") or ""), str(params.get("order") or "id")
        source = params.get("import")
        if state not in STATES:
            raise BadFilter(gettext_noop("“%(value)s” is not a state to filter by."), value=state[:40])
        if order not in ORDERS:
            raise BadFilter(gettext_noop("“%(value)s” is not an order."), value=order[:40])
        if source not in (None, "") and not (str(source).isdecimal() and len(str(source)) < 19):
            raise BadFilter(gettext_noop("An import is named by its number."))
        label = params.get("label")
        return cls(
            label="" if label is None else str(label),
            state=cast(State, state),
            source=int(source) if source not in (None, "") else None,
            order=cast(Order, order),
        )

    def params(self) -> dict[str, str]:
        """The keys that are set, as `from_params` reads them."""
        found = {"label": self.label, "state": self.state, "import": str(self.source or "")}
        if self.order != "id":
            found["order"] = self.order
        return {key: value for key, value in found.items() if value}

    def query(self, **changes: Any) -> str:
        """As a query string, perhaps with something changed: `filter.query(label="狗")`."""
        return urlencode(replace(self, **changes).params())

    @property
    def field(self) -> str:
        """The column that the order sorts by, with `-` downwards; ties go by id the same way."""
        return self.order.replace("file", "name")

    @property
    def by_confidence(self) -> bool:
        """Whether the order is one that only suggestions have."""
        return self.order.lstrip("-") == "confidence"

    def to_json(self) -> dict[str, Any]:
        """What a job's payload keeps."""
        return asdict(self)


def images_matching(dataset: Dataset, wanted: Filter) -> "QuerySet[Image]":
    """The pictures in the filter's order; those in the trash only where the filter asks for them."""
    if wanted.by_confidence and wanted.state != "suggested":
        raise BadFilter(gettext_noop("Only suggestions are ordered by confidence."))
    images: QuerySet[Image] = Image.objects.filter(dataset=dataset)
    images = images.exclude(trashed_at=None) if wanted.state == "trashed" else images.filter(trashed_at=None)
    if wanted.state == "unlabelled":
        images = images.filter(label=None)
    elif wanted.state == "labelled":
        images = images.exclude(label=None)
    elif wanted.state == "suggested":
        images = with_suggestion(images, dataset)
    if wanted.label:
        named = _labels(dataset, wanted.label)
        suggested = wanted.state == "suggested"
        images = images.filter(suggestion__label__in=named) if suggested else images.filter(label__in=named)
    if wanted.source is not None:
        images = images.filter(source=wanted.source)
    sign = "-" if wanted.field.startswith("-") else ""
    return (
        images.order_by(wanted.field)
        if wanted.field in ("id", "-id")
        else images.order_by(wanted.field, f"{sign}id")
    )


def with_suggestion(images: "QuerySet[Image]", dataset: Dataset) -> "QuerySet[Image]":
    """Those without a label for which one that is in use is suggested, with their `confidence`."""
    return images.filter(
        label=None,
        trashed_at=None,
        suggestion__dataset=dataset,
        suggestion__label__removed_at=None,
        suggestion__label__archived_at=None,
    ).annotate(confidence=F("suggestion__confidence"))


def _labels(dataset: Dataset, text: str) -> list[int]:
    named = list(dataset.labels.filter(name=text.strip()).values_list("pk", flat=True))
    if not named and text.isdecimal() and len(text) < 19:
        named = list(dataset.labels.filter(pk=int(text)).values_list("pk", flat=True))
    return named


def images_with_ids(dataset: Dataset, ids: Iterable[int]) -> "QuerySet[Image]":
    """The pictures with these ids. Any number of them: they travel as one JSON parameter."""
    unpack = (
        "SELECT value FROM json_each(%s)"
        if connection.vendor == "sqlite"
        else "SELECT value::bigint FROM jsonb_array_elements_text(%s::jsonb)"
    )
    return Image.objects.filter(dataset=dataset, pk__in=RawSQL(unpack, [json.dumps(list(ids))]))  # noqa: S611


class Selection:
    """Chosen pictures of one data set."""

    @staticmethod
    def of(
        dataset: Dataset,
        *,
        images: Iterable[int] | None = None,
        filter: "Filter | Mapping[str, Any] | None" = None,
    ) -> "QuerySet[Image]":
        """The chosen pictures; raises UnknownImages if an id is not one of this data set, BadFilter."""
        if (images is None) == (filter is None):
            raise BadFilter(gettext_noop("Name either pictures or a filter."))
        if filter is not None:
            return images_matching(
                dataset, filter if isinstance(filter, Filter) else Filter.from_params(filter)
            )
        ids = {int(each) for each in images or ()}
        if any(not 0 < each < 2**63 for each in ids):
            raise UnknownImages(
                gettext_noop("%(count)s of these pictures are not in this data set."), count=1
            )
        chosen = images_with_ids(dataset, ids)
        missing = len(ids) - chosen.count()
        if missing:
            raise UnknownImages(
                gettext_noop("%(count)s of these pictures are not in this data set."), count=missing
            )
        return chosen
