"""The operators' view of models, versions and extractors."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from training.models import ENDED, Extractor, ModelVersion, RegisteredModel
from training.versions import cancel
from web.admin import ReadOnlyAdmin


@admin.register(RegisteredModel)
class RegisteredModelAdmin(ReadOnlyAdmin):
    """Named models."""

    list_display = ["name", "project", "created_by", "created_at", "on_site"]
    list_filter = ["project"]
    search_fields = ["name", "description"]

    @admin.display(description=_("page"))
    def on_site(self, model: RegisteredModel) -> SafeString:
        """A link into the product."""
        return format_html('<a href="{}">{}</a>', reverse("training:model", args=[model.pk]), model.name)


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    """Trainings; what produced a version is not to be edited."""

    list_display = [
        "model",
        "number",
        "application",
        "state",
        "usable",
        "backbone",
        "created_at",
        "finished_at",
        "archived_at",
    ]
    list_filter = ["state", "usable", "application", "model__project"]
    search_fields = ["model__name", "backbone"]
    list_select_related = ["model"]
    actions = ["cancel_selected"]

    @admin.action(description=_("Cancel the selected trainings"), permissions=["view"])
    def cancel_selected(self, request: HttpRequest, chosen: QuerySet[ModelVersion]) -> None:
        """The same act as on the version's page; operators alone may cancel any."""
        if not request.user.is_superuser:
            return
        for version in chosen.exclude(state__in=ENDED).select_related("model__project", "job"):
            cancel(version, request.user)


@admin.register(Extractor)
class ExtractorAdmin(ReadOnlyAdmin):
    """Feature extractors that were built."""

    list_display = ["name", "backbone", "weights", "dimensions", "created_at"]
