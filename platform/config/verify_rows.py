"""Verify's looks at rows: the database itself, jobs and what waits for them, sums of imports, services."""

from collections.abc import Iterator

from django.db import connection, models
from django.db.models import Count, F, Q

from config.verify import Looking, Wrong
from datasets.imports import UNFINISHED
from datasets.models import Feature, Import, ImportState, Outcome
from jobs.models import ENDED, Job, State
from serving.models import Service, ServiceState
from training.models import ModelVersion

WAITS_FOR_NOBODY = (ImportState.RECEIVING, ImportState.CHOOSING)


def database(how: Looking) -> Iterator[Wrong]:
    """SQLite's own look at its pages and foreign keys (PostgreSQL enforces the latter itself)."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA quick_check" if how.quick else "PRAGMA integrity_check")
        for (line,) in cursor.fetchall():
            if line != "ok":
                yield Wrong("database", "sqlite", line)
        cursor.execute("PRAGMA foreign_key_check")
        for table, row, parent, _index in cursor.fetchall():
            yield Wrong("database", f"{table} {row}", f"points to a row of {parent} that does not exist")


def jobs(how: Looking) -> Iterator[Wrong]:
    """A running job has a holder with a lease; any other has neither."""
    unheld = Q(lease_until=None) | Q(holder="")
    for job in Job.objects.filter(unheld, state=State.RUNNING):
        yield Wrong("job-without-lease", f"jobs.job {job.pk}", "running, but nobody holds it")
    for job in Job.objects.exclude(state=State.RUNNING).exclude(lease_until=None, holder=""):
        yield Wrong("job-still-held", f"jobs.job {job.pk}", f"{job.state}, but somebody holds it")
    for job in Job.objects.filter(state__in=ENDED, finished_at=None):
        yield Wrong("job-without-end", f"jobs.job {job.pk}", f"{job.state} at no time")


def stranded(how: Looking) -> Iterator[Wrong]:
    """What is under way has a job that is under way."""
    over = Q(job=None) | Q(job__state__in=ENDED)
    under_way: tuple[models.QuerySet[Import] | models.QuerySet[ModelVersion], ...] = (
        Import.objects.filter(state__in=UNFINISHED).exclude(state__in=WAITS_FOR_NOBODY),
        ModelVersion.objects.active(),
    )
    for rows in under_way:
        for row in rows.filter(over):
            yield Wrong("stranded", f"{row._meta.label_lower} {row.pk}", f"{row.state}, but its job is over")


def imports(how: Looking) -> Iterator[Wrong]:
    """total = imported + duplicates + rejected, and each file not taken has its row."""
    refused = Count("not_taken", filter=Q(not_taken__outcome=Outcome.REJECTED))
    repeated = Count("not_taken", filter=Q(not_taken__outcome=Outcome.DUPLICATE))
    rows = Import.objects.annotate(
        refused=refused, repeated=repeated, done=F("imported") + F("duplicates") + F("rejected")
    )
    for row in rows:
        where = f"datasets.import {row.pk}"
        if row.done > row.total or (row.state == ImportState.READY and row.done != row.total):
            yield Wrong("import-sum", where, f"{row.total} files, but {row.done} accounted for")
        if (row.refused, row.repeated) != (row.rejected, row.duplicates):
            yield Wrong(
                "import-rows",
                where,
                f"{row.rejected} + {row.duplicates} counted, {row.refused} + {row.repeated} kept",
            )


def features(how: Looking) -> Iterator[Wrong]:
    """Each embedding's place exists."""
    for row in Feature.objects.filter(row__gte=F("shard__rows"))[:100]:
        yield Wrong("feature-place", f"datasets.feature {row.pk}", "its row is beyond the end of its shard")


def services(how: Looking) -> Iterator[Wrong]:
    """What is online has a live revision of its own, whose shares make a whole."""
    for service in Service.objects.filter(state=ServiceState.ONLINE).select_related("revision"):
        where, live = f"serving.service {service.pk}", service.revision
        if live is None or live.service_id != service.pk:
            yield Wrong("service-without-revision", where, "online, but it has no live revision")
        elif not live.versions or sum(each.get("share", 0) for each in live.versions) != 100:
            yield Wrong("revision-shares", where, "the shares of its live revision do not make 100")


LOOKS = (database, jobs, stranded, imports, features, services)
