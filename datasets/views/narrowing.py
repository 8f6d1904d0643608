"""The bench's address and what stands for it on the page: tabs, chips, the menu of filters, the orders."""

from dataclasses import dataclass, replace
from typing import Any

from django.http import Http404, HttpRequest
from django.template.defaultfilters import date as as_date
from django.template.defaultfilters import filesizeformat
from django.utils.translation import gettext as _

from datasets.counts import Counts
from datasets.filters import Filter
from datasets.models import Dataset, Image
from datasets.models.images import OPEN
from datasets.templatetags.labels import sure

# What says which pictures are meant; where none of these is said, the bench opens where the work is.
SAYS_WHICH = ("state", "label", "import", "like")
IN_THE_MENU = (
    "name", "uploader", "tagger", "since", "until", "min_width", "max_width", "min_height", "max_height",
    "min_bytes", "max_bytes", "min_brightness", "max_brightness", "min_sharpness", "max_sharpness",
    "confidence_below",
)  # fmt: skip
DOUBTS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95)


def filter_of(request: HttpRequest, dataset: Dataset) -> Filter:
    """From the address. `state=all` says all; nothing opens where the work is: what has no label yet."""
    params = request.GET.dict()
    if not any(params.get(key) for key in SAYS_WHICH):
        params["state"] = "unlabelled" if dataset.images.filter(OPEN).exists() else ""
    if params.get("state") == "all":
        params["state"] = ""
    if params.get("state") == "trashed":
        raise Http404
    if params.get("state") == "suggested" and not (params.get("order") or params.get("like")):
        params["order"] = "-confidence"
    return Filter.from_params(params)


def view_query(wanted: Filter, **changes: Any) -> str:
    """The address bar's form of a filter; all are said, because nothing said means the unlabelled."""
    changed = replace(wanted, **changes)
    if changed.like is None and changed.order == "similar":
        changed = replace(changed, order="id")
    if changed.state != "suggested":
        order = "id" if changed.by_confidence else changed.order
        changed = replace(changed, order=order, confidence_below=None)
    query = changed.query()
    if any(key in changed.params() for key in SAYS_WHICH):
        return query
    return "&".join(filter(None, ["state=all", query]))


def hidden_fields(wanted: Filter, *left_out: str) -> list[tuple[str, str]]:
    """What a form beside the grid carries along."""
    params = wanted.params()
    if not any(key in params for key in SAYS_WHICH):
        params = {"state": "all", **params}
    return [(key, value) for key, value in params.items() if key not in left_out]


def tabs(wanted: Filter, counts: Counts) -> list[dict[str, Any]]:
    """Unlabelled, To confirm, Not sure, Labelled, All: each keeps the other filters, but for a label where none is."""
    kinds = [
        ("unlabelled", _("Unlabelled"), counts.unlabelled, {"state": "unlabelled", "label": ""}),
        ("suggested", _("To confirm"), counts.suggested, {"state": "suggested"}),
        ("skipped", _("Not sure"), counts.skipped, {"state": "skipped", "label": ""}),
        ("labelled", _("Labelled"), counts.labelled, {"state": "labelled"}),
        ("total", _("All"), counts.total, {"state": "", "label": ""}),
    ]
    current = wanted.state or ("labelled" if wanted.label else "total")
    return [
        {
            "key": key,
            "name": name,
            "count": n,
            "query": view_query(wanted, **there),
            "active": key == current,
            "hidden": key == "skipped" and not n and key != current,
        }
        for key, name, n, there in kinds
    ]


def orders(wanted: Filter) -> list[tuple[str, str]]:
    """The orders that a person can choose."""
    of_suggestions = [("-confidence", _("Surest first")), ("margin", _("Most doubtful first"))]
    return [
        *([("similar", _("Most alike first"))] if wanted.like is not None else []),
        *(of_suggestions if wanted.state == "suggested" else []),
        ("id", _("First imported first")),
        ("-id", _("Last imported first")),
        ("cluster", _("Look-alikes together")),
        ("file", _("By file name")),
        ("-bytes", _("Largest file first")),
        ("width", _("Narrowest first")),
    ]


@dataclass(frozen=True)
class Chip:
    """A filter that is set: its name, what it is set to, and the address without it."""

    name: str
    value: str
    without: str


def chips(dataset: Dataset, wanted: Filter) -> list[Chip]:
    """One for each part of the filter but for the state, which the tabs show, and an import, which has its own."""
    found: list[tuple[str, str, dict[str, Any]]] = [
        (_("Label"), wanted.label if wanted.state != "suggested" else "", {"label": "", "state": "labelled"}),
        (_("Looks like"), name_of(dataset, wanted.like), {"like": None}),
        (_("Name contains"), wanted.name, {"name": ""}),
        (_("Imported by"), wanted.uploader, {"uploader": ""}),
        (_("Tagged by"), wanted.tagger, {"tagger": ""}),
        (_("Imported from"), as_date(wanted.since, "SHORT_DATE_FORMAT"), {"since": None}),
        (_("Imported until"), as_date(wanted.until, "SHORT_DATE_FORMAT"), {"until": None}),
        (_("Width"), span(wanted.min_width, wanted.max_width), {"min_width": None, "max_width": None}),
        (_("Height"), span(wanted.min_height, wanted.max_height), {"min_height": None, "max_height": None}),
        (_("File"), span(wanted.min_bytes, wanted.max_bytes, filesizeformat), {"min_bytes": None, "max_bytes": None}),
        (_("Brightness"), span(wanted.min_brightness, wanted.max_brightness, str),
         {"min_brightness": None, "max_brightness": None}),
        (_("Sharpness"), span(wanted.min_sharpness, wanted.max_sharpness, str),
         {"min_sharpness": None, "max_sharpness": None}),
        (_("Less sure than"), doubt(wanted.confidence_below), {"confidence_below": None}),
    ]  # fmt: skip
    return [Chip(name, value, view_query(wanted, **without)) for name, value, without in found if value]


def name_of(dataset: Dataset, picture: int | None) -> str:
    """The picture that others are compared with."""
    if picture is None:
        return ""
    return Image.objects.filter(dataset=dataset, pk=picture).values_list("name", flat=True).first() or str(
        picture
    )


def span(least: int | None, most: int | None, told: Any = lambda pixels: f"{pixels} px") -> str:
    """“100 px to 200 px”, “at least 100 px”, “at most 200 px”."""
    if least is not None and most is not None:
        return _("%(least)s to %(most)s") % {"least": told(least), "most": told(most)}
    if least is not None:
        return _("at least %(least)s") % {"least": told(least)}
    return _("at most %(most)s") % {"most": told(most)} if most is not None else ""


def doubt(below: float | None) -> str:
    """A confidence in per cent."""
    return "" if below is None else sure(below)


def menu_of_filters(dataset: Dataset, wanted: Filter) -> dict[str, Any]:
    """What the form “Add filter” offers and holds."""
    people = list(
        dataset.project.memberships.order_by("user__username").values_list("user__username", flat=True)
    )
    return {
        "hidden_of_filters": hidden_fields(wanted, *IN_THE_MENU),
        "hidden_of_order": hidden_fields(wanted, "order"),
        "uploaders": with_chosen(people, wanted.uploader),
        "taggers": with_chosen(people, wanted.tagger),
        "doubts": [(str(each), sure(each)) for each in DOUBTS] if wanted.state == "suggested" else [],
        "chosen_doubt": str(wanted.confidence_below),
        "chips": chips(dataset, wanted),
        "narrowed": wanted.source is not None or wanted.like is not None or bool(menu_parts(wanted)),
    }


def menu_parts(wanted: Filter) -> list[str]:
    """Which fields of the menu are set."""
    return [key for key in wanted.params() if key in IN_THE_MENU]


def with_chosen(people: list[str], chosen: str) -> list[str]:
    """The members, and whoever is asked for though they left."""
    return people if not chosen or chosen in people else [*people, chosen]
