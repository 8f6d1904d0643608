"""Deleting a version for good, with its files; what a higher room still needs stands in the way."""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext_noop

from projects import audit
from training.models import ModelVersion, PinnedSet, RegisteredModel
from web import storage
from web.sentences import Conflict

log = logging.getLogger(__name__)
KEYS = ("file_key", "manifest_key", "predictions_key", "weights_key", "pinned_key")
SHOWN = 5


@dataclass(frozen=True)
class Use:
    """Something of a higher room that needs a version. `live`: now, not only in its past."""

    name: str
    url: str
    live: bool


Uses = Callable[[ModelVersion], list[Use]]
_uses: list[Uses] = []


class NotOver(Conflict):
    """The training still runs."""

    code = "not-over"


class Needed(Conflict):
    """Something that people rely on was made from it."""

    code = "version-in-use"


def register_uses(uses: Uses) -> None:
    """A higher room tells, at start-up, how to find what it made from a version."""
    if uses not in _uses:
        _uses.append(uses)


def uses_of(version: ModelVersion) -> list[Use]:
    """What all rooms made from it, what lives first."""
    found = [use for uses in _uses for use in uses(version)]
    return sorted(found, key=lambda use: (not use.live, use.name))


def frees(version: ModelVersion) -> int:
    """Bytes that go with it: its files that no other version has."""
    return sum(storage.size_of(key) or 0 for key in own_keys(version))


def own_keys(version: ModelVersion) -> list[str]:
    """The keys of its files that no other version names."""
    keys = [getattr(version, name) for name in KEYS if getattr(version, name)]
    return [key for key in keys if not named_elsewhere(key, version.pk)]


def named_elsewhere(key: str, pk: int = 0) -> bool:
    """Whether a version (but this one) has the file."""
    named = Q.create([(name, key) for name in KEYS], connector=Q.OR)
    versions = ModelVersion.objects.filter(named).exclude(pk=pk)
    return versions.exists() or PinnedSet.objects.filter(key=key).exists()


@transaction.atomic
def remove(*, version: ModelVersion, user: User) -> int:
    """Delete it for good and release its files; the bytes released. Raises NotOver, Needed.

    Its number is never given again. The audit trail keeps who, what and how much.
    """
    model = RegisteredModel.objects.select_for_update().get(pk=version.model_id)
    version = model.versions.select_for_update().select_related("model__project").get(pk=version.pk)
    if not version.ended:
        raise NotOver(gettext_noop("This training still runs; cancel it first, or wait."))
    uses = uses_of(version)
    if uses:
        raise Needed(
            gettext_noop(
                "It cannot be deleted: services serve it or can be rolled back to it: %(services)s."
            ),
            services=", ".join(use.name for use in uses[:SHOWN]),
        )
    keys, released = own_keys(version), frees(version)
    audit.note(user, "version.delete", project=model.project, target=str(version), bytes=released)
    model.last_removed = max(model.last_removed, version.number)
    model.save(update_fields=["last_removed"])
    version.delete()
    transaction.on_commit(partial(forget, keys))
    return released


def forget(keys: list[str]) -> None:
    """Remove files that no version has any more; what another asked for meanwhile stays."""
    for key in keys:
        try:
            if not named_elsewhere(key):
                default_storage.delete(key)
        except OSError as error:  # swept later
            log.warning("%s of a deleted version stays for now (%s)", key, " ".join(str(error).split()))
