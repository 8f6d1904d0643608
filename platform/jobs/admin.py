"""The operator's job page: every attempt's end with its traceback, and the way to try again."""

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from jobs.ends import try_again
from jobs.models import Job
from jobs.queue import cancel
from web.admin import ReadOnlyAdmin


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Durable jobs."""

    list_display = [
        *("id", "kind", "queue", "state", "attempt", "project", "created_by", "created_at", "finished_at"),
    ]
    list_filter = ["state", "queue", "kind", "created_at"]
    search_fields = ["id", "kind", "project__name", "created_by__username", "traceback"]
    actions = ["cancel_jobs", "run_again"]

    @admin.action(description=gettext_lazy("Cancel the chosen jobs"), permissions=["view"])
    def cancel_jobs(self, request: HttpRequest, jobs: Any) -> None:
        """Ask them to end."""
        count = sum(cancel(job) for job in jobs)
        text = ngettext("%(count)s job is being cancelled.", "%(count)s jobs are being cancelled.", count)
        messages.success(request, text % {"count": count})

    @admin.action(description=gettext_lazy("Try parked jobs again"), permissions=["view"])
    def run_again(self, request: HttpRequest, jobs: Any) -> None:
        """Put parked jobs back in line."""
        count = sum(try_again(job) for job in jobs)
        messages.success(request, _("%(count)s jobs are tried again.") % {"count": count})
