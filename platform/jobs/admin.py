"""The operator's job page: how each attempt failed, who holds it, the ways to cancel and to try again."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy, ngettext

from jobs.ends import try_again
from jobs.models import Job
from jobs.queue import cancel
from web.admin import ReadOnlyAdmin
from web.sentences import Refusal


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Durable jobs."""

    list_display = [
        *("id", "kind", "queue", "state", "attempt", "project", "created_by", "created_at", "finished_at"),
    ]
    list_filter = ["state", "queue", "kind", "created_at"]
    search_fields = ["id", "kind", "project__name", "created_by__username", "traceback"]
    list_select_related = ["project", "created_by"]
    actions = ["cancel_jobs", "run_again"]
    readonly_fields = [
        *("kind", "queue", "project", "created_by", "payload", "state", "said", "how_far"),
        *("attempt", "holder", "lease_until", "wake_at", "cancel_requested"),
        *("created_at", "started_at", "finished_at", "failed_attempts", "last_traceback"),
    ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """All of them, in this order."""
        return self.readonly_fields

    @admin.display(description=gettext_lazy("what people read"))
    def said(self, job: Job) -> str:
        """Its sentence."""
        return str(job.sentence) or "–"

    @admin.display(description=gettext_lazy("progress"))
    def how_far(self, job: Job) -> str:
        """Counts."""
        return f"{job.done} / {job.total}"

    @admin.display(description=gettext_lazy("failed attempts"))
    def failed_attempts(self, job: Job) -> SafeString | str:
        """Each with its time, reason and holder."""
        rows = (
            (each["attempt"], each["at"], each["reason"], each["holder"], each["done"], each["total"])
            for each in job.failures
        )
        return format_html_join("", "<p>{}. {} · {}<br><small>{} · {} / {}</small></p>", rows) or "–"

    @admin.display(description=gettext_lazy("traceback"))
    def last_traceback(self, job: Job) -> SafeString | str:
        """As Python printed it."""
        return format_html("<pre>{}</pre>", job.traceback) if job.traceback else "–"

    @admin.action(description=gettext_lazy("Cancel the chosen jobs"), permissions=["view"])
    def cancel_jobs(self, request: HttpRequest, jobs: Any) -> None:
        """Ask them to end."""
        count = sum(cancel(job) for job in jobs)
        text = ngettext("%(count)s job is being cancelled.", "%(count)s jobs are being cancelled.", count)
        messages.success(request, text % {"count": count})

    @admin.action(description=gettext_lazy("Try parked jobs again"), permissions=["view"])
    def run_again(self, request: HttpRequest, jobs: Any) -> None:
        """Put parked jobs back in line."""
        count = 0
        for job in jobs:
            try:
                count += try_again(job)
            except Refusal as refusal:
                messages.error(request, f"{job}: {refusal}")
        text = ngettext("%(count)s job is tried again.", "%(count)s jobs are tried again.", count)
        messages.success(request, text % {"count": count})
