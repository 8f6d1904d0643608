"""What people write about a version, and putting versions away: both can be taken back."""

import unicodedata

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from projects import audit
from training.models import ModelVersion
from training.removing import NotOver, uses_of
from web.sentences import Conflict, Refusal

LONGEST = 4000


class NotesTooLong(Refusal):
    """More than a note."""

    code = "notes-too-long"
    status = 422


class InUse(Conflict):
    """A service serves it."""

    code = "version-in-use"


@transaction.atomic
def write_notes(*, version: ModelVersion, user: User, text: str) -> None:
    """Plain text; who wrote it last and when is kept beside it. Raises NotesTooLong."""
    text = cleaned(text)
    if len(text) > LONGEST:
        raise NotesTooLong(gettext_noop("Notes have at most %(most)s characters."), most=LONGEST)
    if text == version.notes:
        return
    version.notes, version.noted_by, version.noted_at = text, user, timezone.now()
    version.save(update_fields=["notes", "noted_by", "noted_at"])
    audit.note(user, "version.notes", project=version.model.project, target=str(version))


def cleaned(text: str) -> str:
    """One kind of line end, composed letters, and no characters that control a terminal."""
    text = unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n"))
    kept = (letter for letter in text if letter in "\n\t" or unicodedata.category(letter) not in ("Cc", "Cs"))
    return "".join(kept).strip()


@transaction.atomic
def archive(*, version: ModelVersion, user: User) -> None:
    """Out of the lists and out of the choice for services. Raises NotOver, InUse.

    Who publishes it holds its row (`serving.revisions.held`), so either is seen by the other.
    """
    ModelVersion.objects.select_for_update().filter(pk=version.pk).first()
    if version.archived_at:
        return
    if not version.ended:
        raise NotOver(gettext_noop("This training still runs; cancel it first, or wait."))
    live = [use.name for use in uses_of(version) if use.live]
    if live:
        raise InUse(
            gettext_noop("It is served by %(services)s; switch to another version first."),
            services=", ".join(live),
        )
    version.archived_at = timezone.now()
    version.save(update_fields=["archived_at"])
    audit.note(user, "version.archive", project=version.model.project, target=str(version))


@transaction.atomic
def bring_back(*, version: ModelVersion, user: User) -> None:
    """Into the lists again."""
    if version.archived_at:
        version.archived_at = None
        version.save(update_fields=["archived_at"])
        audit.note(user, "version.bring-back", project=version.model.project, target=str(version))
