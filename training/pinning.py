"""Pinning a test set to a model, unpinning it, and asking for a version beside it."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.models import Snapshot
from datasets.snapshots import Row, rows_of
from projects import audit
from training import manifest, pinned
from training.beside import beside, must_be_left
from training.models import ModelVersion, PinnedSet, RegisteredModel
from training.preview import Preview
from training.splitting import HELD_BACK
from training.wishes import Chosen
from web.sentences import Conflict


class AlreadyPinned(Conflict):
    """A model has one test set at a time."""

    code = "already-pinned"


class NothingPinned(Conflict):
    """There is no test set to unpin."""

    code = "nothing-pinned"


class NothingToPin(Conflict):
    """Nothing was held back (yet)."""

    code = "nothing-to-pin"


def test_set_of(model: RegisteredModel) -> PinnedSet | None:
    """The model's test set of now."""
    return model.pinned_sets.filter(ended_at=None).select_related("model", "pinned_by").first()


test_set_of.__test__ = False  # type: ignore[attr-defined]  # not one of pytest's


def pin_version(*, version: ModelVersion, user: User) -> PinnedSet:
    """What the version held back becomes its model's test set. Raises AlreadyPinned, NothingToPin."""
    if not version.manifest_key:
        raise NothingToPin(
            gettext_noop("Version %(number)s has held nothing back yet."), number=version.number
        )
    known = {row.sha256: row for snapshot in snapshots_of(version) for row in rows_of(snapshot)}
    rows = [
        known.get(entry.sha256)
        or Row(entry.image, entry.name, entry.sha256, entry.key, entry.label, None, None, 0)
        for entry in manifest.load(version.manifest_key).part(HELD_BACK)
    ]
    return _pin(version.model, rows, {"version": version.number}, user)


def pin_snapshot(*, model: RegisteredModel, snapshot: Snapshot, user: User) -> PinnedSet:
    """All pictures of a snapshot become the model's test set. Raises AlreadyPinned, NothingToPin."""
    about = {"snapshot": snapshot.pk, "name": snapshot.name, "dataset": snapshot.dataset.name}
    return _pin(model, rows_of(snapshot), about, user)


def snapshots_of(version: ModelVersion) -> Iterable[Snapshot]:
    """Those that are still there."""
    return Snapshot.objects.filter(pk__in=version.snapshots)


def _pin(model: RegisteredModel, rows: Iterable[Row], source: dict[str, Any], user: User) -> PinnedSet:
    found = {row.sha256: row for row in rows}
    if not found:
        raise NothingToPin(gettext_noop("There is not one picture to pin."))
    key = pinned.save(found.values())
    with transaction.atomic():
        RegisteredModel.objects.select_for_update().get(pk=model.pk)
        if test_set_of(model):
            raise AlreadyPinned(gettext_noop("This model has a pinned test set; unpin that one first."))
        audit.note(user, "model.pin", project=model.project, target=model.name, pictures=len(found), **source)
        return PinnedSet.objects.create(
            model=model,
            key=key,
            pictures=len(found),
            labels=dict(sorted(Counter(row.label for row in found.values()).items())),
            source=source,
            pinned_by=user,
        )


@transaction.atomic
def unpin(*, model: RegisteredModel, user: User) -> None:
    """Later versions hold back pictures of their own again; what was asked for before keeps the test set."""
    RegisteredModel.objects.select_for_update().get(pk=model.pk)
    found = test_set_of(model)
    if found is None:
        raise NothingPinned(gettext_noop("This model has no pinned test set."))
    PinnedSet.objects.filter(pk=found.pk).update(ended_at=timezone.now())
    audit.note(user, "model.unpin", project=model.project, target=model.name, pictures=found.pictures)


def fields_for(model: RegisteredModel, chosen: Sequence[Chosen], preview: Preview) -> dict[str, Any]:
    """What a version keeps of the test set that it is asked for beside; {} without one. Raises TooFew."""
    found = test_set_of(model)
    if found is None:
        return {}
    version = beside(found, chosen, preview)
    must_be_left(version)
    return {
        "pinned": found,
        "pinned_key": pinned.save(version.now.judged),
        "split_facts": {"pinned": version.now.facts},
        "split_counts": {each.name: each.sizes._asdict() for each in version.preview.labels},
    }


def fields_for_own_file(model: RegisteredModel, chosen: Sequence[Chosen]) -> dict[str, Any]:
    """The same for a file from elsewhere, whose labels may not be known yet."""
    found = test_set_of(model)
    if found is None:
        return {}
    now = pinned.as_of_now(found, None, [each.dataset.pk for each in chosen])
    return {"pinned": found, "pinned_key": pinned.save(now.judged), "split_facts": {"pinned": now.facts}}
