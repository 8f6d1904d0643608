"""Operators' view of data sets: to search and look; changes are made on the pages, which keep history."""

from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from datasets.models import (
    Dataset,
    Feature,
    FeatureShard,
    Image,
    Import,
    Label,
    LabelConflict,
    NotTaken,
    Snapshot,
    Suggestion,
    TagAction,
    TagChange,
)
from web.admin import ReadOnlyAdmin


def page_link(view: str, row: Model, number: int | None = None) -> str:
    """A link from a row to the product's page."""
    return format_html('<a href="{}">{}</a>', reverse(view, args=[number or row.pk]), _("Open"))


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    """Data sets, those in the trash too."""

    list_display = ["name", "project", "created_by", "created_at", "trashed_at", "page"]
    list_filter = ["created_at", "trashed_at", "project"]
    search_fields = ["name", "description", "project__name", "created_by__username"]
    list_select_related = ["project", "created_by"]
    date_hierarchy = "created_at"

    @admin.display(description=_("Page"))
    def page(self, dataset: Dataset) -> str:
        """The bench."""
        return page_link("datasets:detail", dataset)


@admin.register(Label)
class LabelAdmin(ReadOnlyAdmin):
    """Labels in use."""

    list_display = ["name", "dataset", "colour", "position", "created_at", "archived_at", "removed_at"]
    list_filter = ["dataset__project", "created_at"]
    search_fields = ["name", "dataset__name"]
    list_select_related = ["dataset"]


@admin.register(LabelConflict)
class LabelConflictAdmin(ReadOnlyAdmin):
    """Pictures that came again under another label, and what was decided."""

    list_display = ["image", "dataset", "label", "name", "created_at", "settled_at", "settled_by"]
    list_filter = ["created_at", "settled_at", "dataset__project"]
    search_fields = ["name", "image__name", "label__name"]
    list_select_related = ["image", "dataset", "label", "settled_by"]


@admin.register(Import)
class ImportAdmin(ReadOnlyAdmin):
    """Uploads and what became of them."""

    list_display = [
        "id", "dataset", "state", "total", "imported", "duplicates", "rejected", "created_by", "created_at",
        "finished_at", "page",
    ]  # fmt: skip
    list_filter = ["state", "created_at", "dataset__project"]
    search_fields = ["dataset__name", "created_by__username", "sources"]
    list_select_related = ["dataset", "created_by"]
    date_hierarchy = "created_at"

    @admin.display(description=_("Page"))
    def page(self, found: Import) -> str:
        """Its result."""
        return page_link("datasets:import-detail", found)


@admin.register(NotTaken)
class NotTakenAdmin(ReadOnlyAdmin):
    """Files that were refused, or that were there already."""

    list_display = ["name", "outcome", "code", "sentence", "source"]
    list_filter = ["outcome", "code"]
    search_fields = ["name", "source__dataset__name"]
    list_select_related = ["source__dataset"]


@admin.register(Image)
class ImageAdmin(ReadOnlyAdmin):
    """Pictures."""

    list_display = [
        "name",
        "dataset",
        "label",
        "format",
        "width",
        "height",
        "bytes",
        "created_at",
        "trashed_at",
    ]
    list_filter = ["format", "grey", "trashed_at", "created_at", "dataset__project"]
    search_fields = ["name", "sha256", "dataset__name", "label__name"]
    list_select_related = ["dataset", "label"]
    show_full_result_count = False


@admin.register(TagAction)
class TagActionAdmin(ReadOnlyAdmin):
    """Bulk changes, with who made and who undid them."""

    list_display = [
        "id",
        "dataset",
        "kind",
        "label_name",
        "changed",
        "suggested",
        "agreed",
        "created_by",
        "created_at",
        "undone_at",
    ]
    list_filter = ["kind", "created_at", "undone_at"]
    search_fields = ["dataset__name", "label_name", "created_by__username"]
    list_select_related = ["dataset", "created_by"]
    date_hierarchy = "created_at"


@admin.register(TagChange)
class TagChangeAdmin(ReadOnlyAdmin):
    """What one bulk change did to one picture."""

    list_display = ["action", "image", "before"]
    search_fields = ["image__name"]
    list_select_related = ["action", "image", "before"]
    show_full_result_count = False


@admin.register(Suggestion)
class SuggestionAdmin(ReadOnlyAdmin):
    """Which labels pictures without one probably have."""

    list_display = ["image", "dataset", "label", "confidence", "source", "created_at"]
    list_filter = ["source", "created_at"]
    search_fields = ["image__name", "label__name", "dataset__name"]
    list_select_related = ["image", "dataset", "label"]
    show_full_result_count = False


@admin.register(Snapshot)
class SnapshotAdmin(ReadOnlyAdmin):
    """Frozen contents."""

    list_display = ["content_hash", "name", "dataset", "images", "created_by", "created_at"]
    list_filter = ["created_at", "dataset__project"]
    search_fields = ["name", "content_hash", "dataset__name"]
    list_select_related = ["dataset", "created_by"]


@admin.register(FeatureShard)
class FeatureShardAdmin(ReadOnlyAdmin):
    """Files of embeddings."""

    list_display = ["extractor", "rows", "dimensions", "created_at"]
    list_filter = ["extractor", "created_at"]
    search_fields = ["extractor", "key"]


@admin.register(Feature)
class FeatureAdmin(ReadOnlyAdmin):
    """Where each picture's embedding lies."""

    list_display = ["sha256", "extractor", "shard", "row"]
    list_filter = ["extractor"]
    search_fields = ["sha256"]
    list_select_related = ["shard"]
    show_full_result_count = False
