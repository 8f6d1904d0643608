"""Services for the operator: everything to be seen, nothing to be changed but taking a service offline."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from serving.models import Feedback, PredictionRecord, Revision, Service, Validation
from serving.publication import WrongState, take_offline


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """The product's own pages change these; here they are looked at."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Service)
class ServiceAdmin(ReadOnly):
    """Services of all projects."""

    list_display = ["name", "slug", "state", "project", "model", "created_by", "created_at", "page"]
    list_filter = ["state", "project"]
    search_fields = ["name", "slug"]
    list_select_related = ["project", "model", "created_by"]
    actions = ["stop"]

    @admin.display(description=_("page"))
    def page(self, service: Service) -> str:
        """The product's page of it."""
        return format_html('<a href="{}">{}</a>', f"../../../services/{service.slug}/", service.slug)

    @admin.action(description=_("Take offline"), permissions=["view"])
    def stop(self, request: HttpRequest, services: QuerySet[Service]) -> None:
        """The same act as on the service's page, written to the project's audit trail."""
        stopped = 0
        for service in services.select_related("project"):
            try:
                take_offline(service=service, by=request.user)
                stopped += 1
            except WrongState as error:
                self.message_user(request, f"{service.slug}: {error}", messages.WARNING)
        text = ngettext("%(n)s service is offline.", "%(n)s services are offline.", stopped) % {"n": stopped}
        self.message_user(request, text)


@admin.register(Revision)
class RevisionAdmin(ReadOnly):
    """What services served when."""

    list_display = ["service", "number", "threshold", "created_by", "created_at"]
    search_fields = ["service__slug"]
    list_select_related = ["service", "created_by"]


@admin.register(PredictionRecord)
class PredictionRecordAdmin(ReadOnly):
    """Answered requests."""

    list_display = ["id", "service", "version", "milliseconds", "caller", "created_at"]
    list_filter = ["service"]
    date_hierarchy = "created_at"
    list_select_related = ["service", "version__model"]
    show_full_result_count = False


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly):
    """What callers said about answers."""

    list_display = ["prediction", "picture", "label", "created_by", "created_at"]
    search_fields = ["label"]


@admin.register(Validation)
class ValidationAdmin(ReadOnly):
    """Trials of pictures on versions."""

    list_display = ["version", "created_by", "created_at", "pictures"]
    list_select_related = ["version__model", "created_by"]

    @admin.display(description=_("pictures"))
    def pictures(self, validation: Validation) -> Any:
        """How many were tried."""
        return len(validation.results)
