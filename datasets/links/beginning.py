"""Beginning an import of links."""

import uuid
from collections.abc import Sequence

from django.conf import settings
from django.contrib.auth.models import User
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext_noop

from datasets.archive_names import shown
from datasets.formats.documents import Said
from datasets.imports import Said as AboutAll
from datasets.imports import queue_import
from datasets.links.lists import packed
from datasets.models import Dataset, Import
from web import storage
from web.sentences import Refusal


class LinksOff(Refusal):
    """This installation fetches nothing."""

    code = "links-off"
    status = 403


def begin_import_of_links(
    *, dataset: Dataset, user: User, links: Sequence[Said], name: str = "", **said: str
) -> Import:
    """Keep the list and queue its import. What else is said of the pictures: see datasets.imports.Said.

    Nobody is asked first, since looking would fetch everything twice. Raises LinksOff, NoLinks, TooManyLinks and
    what Said raises.
    """
    if not settings.LINKS:
        raise LinksOff(
            gettext_noop(
                "Fetching links is switched off on this installation. Upload the pictures themselves."
            )
        )
    checked = AboutAll(**said).checked() | {"review": ""}
    key = storage.put(f"uploads/{uuid.uuid4().hex}", ContentFile(packed(links)))
    kept = {"key": key, "name": shown(name or "links", 255), "archive": False, "links": True}
    with transaction.atomic():
        return queue_import(dataset, user, [kept], **checked)
