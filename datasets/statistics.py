"""What a data set's pictures are like, counted by the database: sizes, shapes, light, sharpness, labels, origin."""

import itertools
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Count, F, IntegerField, Q, QuerySet
from django.db.models.functions import Least
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

from datasets.filters import Filter
from datasets.looks import BLURRED, BRIGHT, DARK
from datasets.models import Dataset, Image
from web.sentences import Sentence

MOST_BARS = 12
SHORT_SIDE = (0, 96, 224, 512, 1024, 2048, None)
LIGHT = (0, DARK, 80, 120, 160, BRIGHT, None)
SHARP = (0, BLURRED, 100, 500, 2000, 8000, None)
SHAPES: tuple[tuple[str, Any, Q], ...] = (
    ("tall", gettext_lazy("taller than 1 : 2"), Q(height__gt=2 * F("width"))),
    ("upright", gettext_lazy("upright"), Q(height__lte=2 * F("width"), taller__gt=0)),
    ("square", gettext_lazy("about square"), Q(taller__lte=0, wider__lte=0)),
    ("lying", gettext_lazy("lying"), Q(width__lte=2 * F("height"), wider__gt=0)),
    ("wide", gettext_lazy("wider than 2 : 1"), Q(width__gt=2 * F("height"))),
)


@dataclass(frozen=True)
class Bar:
    """One bar: how many, its length in per cent of the longest, and where these pictures are to be seen."""

    name: str
    count: int
    query: str = ""
    length: float = 0.0
    hue: Any = None


@dataclass(frozen=True)
class Chart:
    """A small histogram."""

    key: str
    title: str
    bars: list[Bar]
    note: str = ""


@dataclass(frozen=True)
class Hint:
    """A sentence on what to look at, and the bench's filter for it."""

    sentence: Sentence
    query: str = ""


@dataclass(frozen=True)
class Statistics:
    """All of a data set's charts. `unmeasured`: pictures whose light and sharpness are not known yet."""

    total: int
    unmeasured: int = 0
    charts: list[Chart] = field(default_factory=list)
    hints: list[Hint] = field(default_factory=list)


def statistics_of(dataset: Dataset) -> Statistics:
    """Counted now, in four reads, whatever the number of pictures."""
    images = dataset.images.live().order_by()
    counts = counted(images)
    if not counts["total"]:
        return Statistics(0)
    known = counts["measured"]
    charts = [
        Chart("sizes", _("Shorter side in pixels"), ranged(counts, "size", SHORT_SIDE)),
        Chart("shapes", _("Shape"), [Bar(str(name), counts[key]) for key, name, _q in SHAPES]),
        labels_chart(dataset, images),
        Chart("light", _("Brightness (0 is black, 255 white)"), ranged(counts, "light", LIGHT, "brightness")),
        Chart(
            "sharp", _("Sharpness (soft pictures have little)"), ranged(counts, "sharp", SHARP, "sharpness")
        ),
        Chart("types", _("File types"), grouped(images, "format", str)),
        imports_chart(dataset, images),
    ]
    if not known:
        charts = [chart for chart in charts if chart.key not in ("light", "sharp")]
    return Statistics(
        counts["total"],
        counts["total"] - known,
        [Chart(each.key, each.title, scaled(each.bars), each.note) for each in charts],
        hints_on(counts),
    )


def counted(images: "QuerySet[Image]") -> dict[str, int]:
    """Every number of the charts in one pass over the rows."""
    short: Any = Least("width", "height", output_field=IntegerField())
    rows = images.annotate(
        short=short,
        # A ninth of the longer side apart still counts as square.
        taller=F("height") * 8 - F("width") * 9,
        wider=F("width") * 8 - F("height") * 9,
    )
    asked: dict[str, Any] = {"total": Count("pk"), "measured": Count("brightness")}
    for name, column, edges in (
        ("size", "short", SHORT_SIDE),
        ("light", "brightness", LIGHT),
        ("sharp", "sharpness", SHARP),
    ):
        for at, condition in enumerate(conditions(column, edges)):
            asked[f"{name}_{at}"] = Count("pk", filter=condition)
    asked |= {key: Count("pk", filter=condition) for key, _name, condition in SHAPES}
    return rows.aggregate(**asked)


def conditions(column: str, edges: tuple[int | None, ...]) -> list[Q]:
    """From each edge up to the next."""
    found = []
    for low, high in itertools.pairwise(edges):
        condition = Q(**{f"{column}__gte": low})
        found.append(condition if high is None else condition & Q(**{f"{column}__lt": high}))
    return found


def ranged(counts: dict[str, int], name: str, edges: tuple[int | None, ...], column: str = "") -> list[Bar]:
    """Bars between edges; with a column, each leads to its pictures on the bench."""
    bars = []
    for at, (low, high) in enumerate(itertools.pairwise(edges)):
        text = f"≥ {low:,}" if high is None else f"{low:,} – {high - 1:,}"
        query = ""
        if column:
            limits: dict[str, Any] = {f"min_{column}": low or None}
            limits |= {f"max_{column}": high - 1 if high else None}
            query = everywhere(Filter(**limits))
        bars.append(Bar(text, counts[f"{name}_{at}"], query))
    return bars


def everywhere(wanted: Filter) -> str:
    """The bench's address for it, with a label or without; nothing said would mean those without."""
    return f"state=all&{wanted.query()}"


def scaled(bars: list[Bar]) -> list[Bar]:
    """With their lengths."""
    most = max((bar.count for bar in bars), default=0) or 1
    return [Bar(bar.name, bar.count, bar.query, round(100 * bar.count / most, 1), bar.hue) for bar in bars]


def grouped(images: "QuerySet[Image]", column: str, name: Any) -> list[Bar]:
    """The most frequent values of a column."""
    rows = images.values_list(column).annotate(n=Count("pk")).order_by("-n")[:MOST_BARS]
    return [Bar(name(key), count) for key, count in rows]


def labels_chart(dataset: Dataset, images: "QuerySet[Image]") -> Chart:
    """How even the labels are: the largest and, where they are many, how many more there are."""
    counts = dict(images.values_list("label").annotate(n=Count("pk")))
    unlabelled = counts.pop(None, 0)
    labels = {label.pk: label for label in dataset.labels.all()}
    order = sorted(counts, key=lambda pk: -counts[pk])
    bars = [
        Bar(labels[pk].name, counts[pk], Filter(label=labels[pk].name).query(), hue=labels[pk])
        for pk in order[:MOST_BARS]
        if pk in labels
    ]
    if unlabelled:
        bars.append(Bar(_("Unlabelled"), unlabelled, Filter(state="unlabelled").query()))
    more = len(order) - MOST_BARS
    note = _("%(count)s more labels have fewer pictures.") % {"count": more} if more > 0 else ""
    return Chart("labels", _("Pictures of each label"), bars, note)


def imports_chart(dataset: Dataset, images: "QuerySet[Image]") -> Chart:
    """Where the pictures came from, the largest imports first."""
    rows = list(images.values_list("source").annotate(n=Count("pk")).order_by("-n")[:MOST_BARS])
    begun = {each.pk: each for each in dataset.imports.filter(pk__in=[pk for pk, _n in rows if pk])}
    bars = []
    for pk, count in rows:
        if pk in begun:
            when = date_format(begun[pk].created_at, "SHORT_DATETIME_FORMAT")
            files = ", ".join(str(source.get("name", "")) for source in begun[pk].sources[:1])
            bars.append(Bar(f"{when} · {files}", count, Filter(source=pk).query()))
        else:
            bars.append(Bar(_("Elsewhere"), count))
    return Chart("imports", _("Imports"), bars)


def hints_on(counts: dict[str, int]) -> list[Hint]:
    """What light and sharpness say; the general advice stands in datasets.advice."""
    asked = (
        (
            counts["light_0"],
            gettext_noop("Very dark pictures: %(count)s. Look at them."),
            Filter(max_brightness=DARK - 1),
        ),
        (
            counts[f"light_{len(LIGHT) - 2}"],
            gettext_noop("Very bright pictures: %(count)s. Look at them."),
            Filter(min_brightness=BRIGHT),
        ),
        (
            counts["sharp_0"],
            gettext_noop("Pictures that are blurred, or show a plain surface: %(count)s. Look at them."),
            Filter(max_sharpness=BLURRED - 1),
        ),
    )
    found = [Hint(Sentence(text, count=count), everywhere(wanted)) for count, text, wanted in asked if count]
    odd = counts["tall"] + counts["wide"]
    if 0 < odd < counts["total"] / 2:
        text = gettext_noop(
            "Pictures more than twice as long as wide: %(count)s. They are squeezed most when a model sees them."
        )
        found.append(Hint(Sentence(text, count=odd)))
    return found
