"""A data set of a million pictures: how long the server takes for pages of the grid, counts and bulk acts.

    python -m pytest tests/benchmarks/bench_million.py -o python_files="bench_*.py" -s
    TAXON_TEST_DATABASE=postgresql python -m pytest …        the same on a PostgreSQL server of the tests' own
    TAXON_BENCH_IMAGES=50000                                 fewer pictures
    TAXON_BENCH_PARTS=pages,whole,counts,acts,job            some of it; TAXON_BENCH_ROUNDS, TAXON_BENCH_JOB: how many

The rows are made by the database itself, without files: what is measured is what a person waits for before pictures
come. Nothing is asserted about time; the percentile is the 95th of ROUNDS, and each part begins warm. Beside the time
stands the processor time of Django and the database together (PostgreSQL's process for our connection is counted in):
on a busy machine it is what would be left.
"""

import os
import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

import pytest
from django.contrib.auth.models import User
from django.db import connection, models
from django.db.models import QuerySet
from django.test import Client

from datasets.bulk_tagging import tag_in_background
from datasets.counts import counts_of
from datasets.filters import Filter
from datasets.grid import page_of
from datasets.models import Dataset, Image, Import, ImportState, Label, Suggestion, TagAction
from datasets.selection import Selection, images_matching
from datasets.tagging import tag_images, undo
from tests.datasets.makers import Work, make_dataset
from tests.factories import Team
from web.sqlite import planning

COUNT = int(os.environ.get("TAXON_BENCH_IMAGES", "1000000"))
LABELS, IMPORTS, ACTIONS, SUGGESTED = 20, 100, 1000, 20_000
PARTS = set(os.environ.get("TAXON_BENCH_PARTS", "pages,whole,counts,acts,job").split(","))
ROUNDS, ACTS = int(os.environ.get("TAXON_BENCH_ROUNDS", "20")), 5
IN_JOB = int(os.environ.get("TAXON_BENCH_JOB", str(COUNT)))
SQLITE = {
    "numbers": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %s)",
    "from": "n",
    "sha256": "printf('%%064d', i)",
    "name": "printf('IMG_%%07d.jpg', (i * 7919) %% 1000003)",
    "created_at": "datetime('2026-01-01', '+' || i || ' seconds')",
    "false": "0",
}
POSTGRESQL = {
    "numbers": "WITH n AS (SELECT generate_series(1, %s)::bigint AS i)",
    "from": "n",
    "sha256": "lpad(i::text, 64, '0')",
    "name": "'IMG_' || lpad(((i * 7919) %% 1000003)::text, 7, '0') || '.jpg'",
    "created_at": "timestamptz '2026-01-01' + i * interval '1 second'",
    "false": "false",
}


def nothing_in(field: models.Field) -> str:  # type: ignore[type-arg]
    """What a column holds that does not matter here."""
    if field.null:
        return "NULL"
    return "''" if isinstance(field, models.CharField | models.TextField) else "0"


def fill(dataset: Dataset, team: Team) -> None:
    """Six in ten labelled, some skipped, some in the trash; widths repeat, names and sizes are mixed."""
    labels = [Label.objects.create(dataset=dataset, name=f"label {n}", position=n) for n in range(LABELS)]
    who = [team.people["labeller"], team.people["owner"]]
    imports = [
        Import.objects.create(dataset=dataset, created_by=who[n % 2], state=ImportState.READY)
        for n in range(IMPORTS)
    ]
    acts = TagAction.objects.bulk_create(
        TagAction(dataset=dataset, created_by=who[n % 2]) for n in range(ACTIONS)
    )
    say = SQLITE if connection.vendor == "sqlite" else POSTGRESQL
    columns = {
        "dataset": str(dataset.pk),
        "source": f"{imports[0].pk} + (i * {IMPORTS} / {COUNT + 1})",
        "position": "i",
        "name": say["name"],
        "sha256": say["sha256"],
        "bytes": "20000 + (i * 104729) %% 4000000",
        "width": "640 + 128 * (i %% 4)",
        "height": "480 + 128 * (i %% 3)",
        "grey": say["false"],
        "label": f"CASE WHEN i %% 10 < 6 THEN {labels[0].pk} + (i / 10) %% {LABELS} END",
        "last_action": f"CASE WHEN i %% 10 < 6 THEN {acts[0].pk} + i %% {ACTIONS} END",
        "created_at": say["created_at"],
        "trashed_at": f"CASE WHEN i %% 50 = 7 THEN {say['created_at']} END",
        "skipped_at": f"CASE WHEN i %% 200 = 9 THEN {say['created_at']} END",
        "cluster": "1 + (i * 31) %% 400",
    }
    fields = [field for field in Image._meta.local_fields if not field.primary_key]
    names = ", ".join(f'"{field.column}"' for field in fields)
    values = ", ".join(columns.get(field.name, nothing_in(field)) for field in fields)
    with connection.cursor() as cursor:
        cursor.execute(
            f"{say['numbers']} INSERT INTO datasets_image ({names}) SELECT {values} FROM {say['from']}"
            if connection.vendor == "postgresql"
            else f"INSERT INTO datasets_image ({names}) {say['numbers']} SELECT {values} FROM n",
            [COUNT],
        )
    open_ones = images_matching(dataset, Filter(state="unlabelled")).values_list("pk", flat=True)[:SUGGESTED]
    Suggestion.objects.bulk_create(
        Suggestion(
            dataset=dataset, image_id=pk, label=labels[pk % LABELS], confidence=(pk * 7919 % 1000) / 1000,
            margin=(pk * 104729 % 1000) / 1000, source="benchmark",
        )
        for pk in open_ones
    )  # fmt: skip
    planning.refresh()  # as after each job
    if connection.vendor == "postgresql":  # as autovacuum does by itself within a minute
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


Took = tuple[float, float]  # milliseconds: by the clock, of the processor


def timed(act: Callable[[], object]) -> Took:
    """How long it takes once."""
    began, worked = time.perf_counter(), time_of_processor()
    act()
    return 1000 * (time.perf_counter() - began), 1000 * (time_of_processor() - worked)


def time_of_processor() -> float:
    """Seconds, of this process and of the one that PostgreSQL keeps for our connection."""
    mine = time.process_time()
    if connection.vendor != "postgresql" or connection.connection is None:
        return mine
    spent = Path(f"/proc/{connection.connection.info.backend_pid}/schedstat").read_text().split()[0]
    return mine + int(spent) / 1e9


def told(what: str, took: list[Took], more: str = "") -> None:
    """A line of the report: median and 95th percentile by the clock, then those of the processor."""
    columns = [sorted(each) for each in zip(*took, strict=True)]
    figures = [f(each) for each in columns for f in (median, lambda all_: all_[int(0.95 * (len(all_) - 1))])]
    print(f"{what:<50}" + "".join(f"{each:>9.1f}" for each in figures) + f"  {more}", flush=True)


VIEWS = {
    "all": "state=all",
    "unlabelled": "state=unlabelled",
    "one label": "label=label 3",
    "labelled": "state=labelled",
    "not sure": "state=skipped",
    "one import": "state=all&import={import}",
    "suggested, surest first": "state=suggested&order=-confidence",
    "suggested, most doubtful first": "state=suggested&order=margin",
    "suggested, one label": "state=suggested&label=label 8&order=-confidence",
    "by name": "state=all&order=file",
    "largest first": "state=all&order=-bytes",
    "narrowest first": "state=all&order=width",
    "look-alikes together": "state=all&order=cluster",
    "unlabelled, by name": "state=unlabelled&order=file",
    "one label of one import": "label=label 3&import={import}",
    "name contains 99": "state=all&name=99",
    "a name that is nowhere": "state=all&name=nowhere",
    "tagged by somebody": "state=all&tagger=owner",
    "imported by somebody": "state=all&uploader=labeller",
    "a day, wide ones": "state=all&since=2026-01-03&until=2026-01-03&min_width=1000",
    "largest first, tagged by somebody, unlike name": "state=all&order=-bytes&tagger=owner&name=42",
}


@pytest.mark.slow
def test_a_million_pictures(team: Team, work: Work) -> None:
    dataset = make_dataset(team, "Million")
    print(f"\n{connection.vendor}, {COUNT:,} pictures, {', '.join(sorted(PARTS))}")
    busy()
    print(f"made in {timed(lambda: fill(dataset, team))[0] / 1000:.0f} s")
    client = Client()
    client.force_login(team.people["owner"])
    first = dataset.imports.order_by("pk").values_list("pk", flat=True)[IMPORTS // 2]
    views = {what: template.replace("{import}", str(first)) for what, template in VIEWS.items()}
    print(f"{'milliseconds':<50}{'median':>9}{'95 %':>9}{'cpu':>9}{'95 %':>9}")
    if "pages" in PARTS:
        for what, query in views.items():
            pages_of(client, dataset, what, query)
    if "whole" in PARTS:
        whole_pages(client, dataset, views)
    if "counts" in PARTS:
        numbers(dataset, views)
    if "acts" in PARTS:
        acts(dataset, team)
    if "job" in PARTS:
        job(dataset, team, work)
    busy()


def busy() -> None:
    """How many programs wanted a core in the last minute, this one among them."""
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)


def whole_pages(client: Client, dataset: Dataset, views: dict[str, str]) -> None:
    """The bench with all that stands around the grid."""
    for what in ("all", "unlabelled", "one label", "suggested, surest first", "name contains 99"):
        path = f"/datasets/{dataset.pk}/?{views[what]}"
        got(client, path)
        told(f"the whole page: {what}", [timed(partial(got, client, path)) for _ in range(ROUNDS)])


def numbers(dataset: Dataset, views: dict[str, str]) -> None:
    """Those beside tabs and labels, and how many pictures a filter means."""
    for what, query in views.items():
        wanted = filter_in(query)
        found = counts_of(dataset, wanted)
        took = [timed(partial(counts_of, dataset, wanted)) for _ in range(ROUNDS)]
        told(f"counts: {what}", took, f"{'more than ' if found.more else ''}{found.matching:,}")


def filter_in(query: str) -> Filter:
    """As the address says it."""
    params = dict(part.split("=") for part in query.split("&"))
    return Filter.from_params({key: value for key, value in params.items() if value != "all"})


def got(client: Client, path: str) -> bytes:
    """A page, which must be there."""
    answer = client.get(path)
    assert answer.status_code == 200, (path, answer.status_code)
    return answer.content


def pages_of(client: Client, dataset: Dataset, what: str, query: str) -> None:
    """Page after page, then one from far down."""
    base = f"/datasets/{dataset.pk}/images/?{query}"
    cursor, shown = "", 0

    def next_page() -> None:
        nonlocal cursor, shown
        answer = client.get(f"{base}&cursor={cursor}")
        assert answer.status_code == 200, answer.text
        shown += answer.text.count("data-image=")
        cursor = (re.findall(r"cursor=([\w-]+)", answer.text) or [""])[-1]

    got(client, base)
    took = [timed(next_page) for _ in range(ROUNDS)]
    told(f"page: {what}", took, f"{shown:,} pictures in {ROUNDS} pages")
    far = far_down(dataset, query)
    if far:
        told(
            f"  far down: {what}", [timed(lambda: got(client, f"{base}&cursor={far}")) for _ in range(ROUNDS)]
        )


def far_down(dataset: Dataset, query: str) -> str:
    """The cursor in the middle of an order that an index knows; else nothing."""
    wanted = filter_in(query)
    params = wanted.params()
    if set(params) - {"state", "order", "label"} or (len(params) > 1 and wanted.state != "suggested"):
        return ""
    middle = counts_of(dataset, wanted).matching // 2
    image = images_matching(dataset, wanted)[middle : middle + 1].first()
    if image is None:
        return ""
    from datasets.grid import place
    from datasets.selection import ordering
    from web.pagination import encode

    return encode(place(image, ordering(wanted)))


def acts(dataset: Dataset, team: Team) -> None:
    """Ten thousand pictures at once, and back, some times over."""
    person: User = team.people["engineer"]
    label = dataset.labels.get(name="label 0")
    found = images_matching(dataset, Filter(state="unlabelled"))
    ids = list(found.values_list("pk", flat=True)[:10_000])
    ways = {
        "their ids": lambda: Selection.of(dataset, images=ids),
        "a filter": lambda: found.filter(pk__lte=ids[-1]),
    }
    for what, chosen in ways.items():
        done: list[TagAction] = []

        def act(chosen: "Callable[[], QuerySet[Image]]" = chosen, done: list[TagAction] = done) -> None:
            done.append(tag_images(dataset=dataset, user=person, chosen=chosen(), label=label))

        tagged, undone = [], []
        for _ in range(ACTS):
            tagged.append(timed(act))
            assert done[-1].changed == len(ids)
            undone.append(timed(partial(undo, action=done[-1], user=person)))
        told(f"tag {len(ids):,} pictures by {what}", tagged)
        told("  and undo it", undone)


def job(dataset: Dataset, team: Team, work: Work) -> None:
    """All of them, or as many as TAXON_BENCH_JOB says, in the background."""
    person: User = team.people["engineer"]
    label = dataset.labels.get(name="label 0")
    some = list(images_matching(dataset, Filter()).order_by("pk").values_list("pk", flat=True)[:IN_JOB])
    chosen = images_matching(dataset, Filter()).filter(pk__lte=some[-1])
    count = chosen.count()
    ask = partial(tag_in_background, dataset=dataset, user=person, chosen=chosen, label=label)
    told(f"ask for {count:,} to be tagged", [timed(ask)])
    took = timed(work)
    told("  the job", [took], f"{1000 * count / took[0]:,.0f} pictures a second")
    assert chosen.exclude(label=label).count() == 0
    shown, _ = page_of(dataset, Filter(label="label 0"), limit=100)
    assert len(shown) == 100
