"""Imports of links in the JSON API: as a list, or in the body."""

import json

import pydantic
from django.http import HttpRequest
from django.utils.translation import gettext_noop
from ninja import Schema
from ninja.errors import ValidationError

from datasets.imports import MAX_MANIFEST_BYTES, ManifestTooLarge, said_in
from datasets.links.beginning import begin_import_of_links
from datasets.links.lists import MOST_LINKS, given, links_in
from datasets.models import Dataset, Import
from projects.access import caller

LINKS = {
    "type": "array",
    "maxItems": MOST_LINKS,
    "description": "Instead of `upload`: public http(s) links of pictures, which the import fetches.",
    "items": {
        "type": "object",
        "required": ["url"],
        "properties": {"url": {"type": "string"}, "label": {"type": "string"}},
    },
}


class LinkIn(Schema):
    """A link and the label of its picture."""

    url: str
    label: str | None = None


class LinksIn(Schema):
    """What the import fetches."""

    links: list[LinkIn]
    label: str = ""
    source_note: str = ""
    licence: str = ""
    group: str = ""


def import_of_links(request: HttpRequest, dataset: Dataset) -> Import | None:
    """The JSON form with `links`; None for any other body. Raises what begin_import_of_links raises."""
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(body, dict) or "links" not in body:
        return None
    try:
        asked = LinksIn.model_validate(body)
    except pydantic.ValidationError as error:
        raise ValidationError(
            [{**each, "loc": ("body", "body", *each["loc"])} for each in error.errors()]
        ) from error
    return begin_import_of_links(
        dataset=dataset,
        user=caller(request.auth).user,  # type: ignore[attr-defined]
        links=given((each.url, each.label or "") for each in asked.links),
        label_name=asked.label,
        source_note=asked.source_note,
        licence=asked.licence,
        group=asked.group,
    )


def import_of_list(request: HttpRequest, dataset: Dataset) -> Import:
    """The multipart form with a manifest alone: its rows are links."""
    manifest = request.FILES.getlist("manifest")[0]
    if (manifest.size or 0) > MAX_MANIFEST_BYTES:
        raise ManifestTooLarge(
            gettext_noop("A file of labels may have at most %(mb)s MB."), mb=MAX_MANIFEST_BYTES // 1024**2
        )
    return begin_import_of_links(
        dataset=dataset,
        user=caller(request.auth).user,  # type: ignore[attr-defined]
        links=links_in(manifest.name or "", manifest.read()),
        name=manifest.name or "",
        **said_in(request.POST),
    )
