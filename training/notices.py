"""What is told when a training ends: to who started it, and to the project's webhook."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from projects.notices import tell
from training.models import EndedBecause, ModelVersion
from web.addresses import link_to
from web.sentences import Sentence

EVENT = "training.ended"
READY = gettext_noop("%(model)s, version %(number)s is ready")
STOPPED = gettext_noop("%(model)s, version %(number)s was stopped; the best so far is kept")
NOTHING = gettext_noop("%(model)s, version %(number)s ended without a model")
RIGHT_FOR = gettext_noop(
    "Right for %(share)s %% of %(n)s pictures that it had not seen (%(low)s to %(high)s %%)."
)


def version_ended(pk: int) -> None:
    """Tell it once, whoever calls however often; nothing while the version is still being made."""
    version = ModelVersion.objects.select_related("model__project", "created_by").filter(pk=pk).first()
    if version is None or not version.ended or version.finished_at is None:
        return
    name = "training:report" if version.usable else "training:version"
    url = link_to(name, version.model_id, version.number)
    with transaction.atomic():
        tell(
            project=version.model.project,
            user=version.created_by,
            about=f"{EVENT}:{version.pk}:{version.finished_at.timestamp():.0f}",
            subject=headline(version).to_json(),
            body=facts(version) | {"url": url, "say": [each.to_json() for each in sentences(version)]},
        )


def headline(version: ModelVersion) -> Sentence:
    """The subject of an e-mail."""
    stopped = version.ended_because == EndedBecause.STOPPED
    text = NOTHING if not version.usable else STOPPED if stopped else READY
    return Sentence(text, model=version.model.name, number=version.number)


def sentences(version: ModelVersion) -> list[Sentence]:
    """What became of it, and how good it is."""
    found = [headline(version), version.sentence]
    accuracy = version.metrics.get("accuracy") if version.usable else None
    if accuracy and accuracy.get("value") is not None:
        shares = {name: f"{100 * accuracy[name]:.1f}" for name in ("low", "high")}
        share = f"{100 * accuracy['value']:.1f}"
        found.append(Sentence(RIGHT_FOR, share=share, n=version.metrics.get("n"), **shares))
    return found


def facts(version: ModelVersion) -> dict[str, Any]:
    """What a program is told; fields are added, never changed."""
    project, accuracy = version.model.project, version.metrics.get("accuracy")
    return {
        "event": EVENT,
        "project": {"id": project.pk, "name": project.name},
        "model": {"id": version.model_id, "name": version.model.name},
        "version": version.number,
        "application": version.application,
        "state": version.state,
        "ended_because": version.ended_because or None,
        "usable": version.usable,
        "accuracy": accuracy if version.usable else None,
    }
