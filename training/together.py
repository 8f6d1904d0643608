"""Versions of one request that one training makes: who may, how one of them leaves, what becomes of the others.

`cloud-general` and `edge-general` ask for the same network where its weights are the ones at hand. Then the first of
the two leads: it has the job, and what the job writes is written on all of them in one statement. A stop ends the one
training and each keeps its best so far. Whoever is cancelled leaves alone: a follower is dropped and the training does
not notice; where the leader leaves, the first follower is trained anew, with a job and a time limit of its own.
"""

from collections.abc import Sequence
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs.models import Job
from jobs.queue import cancel as cancel_job
from jobs.queue import enqueue
from training.models import ENDED, Application, EndedBecause, ModelVersion, VersionState
from training.notices import version_ended
from training.profiles import profile_of
from web.sentences import Sentence

KIND = "training.run"
PAIR = (Application.CLOUD_GENERAL, Application.EDGE_GENERAL)
WAITING = Sentence(gettext_noop("Waiting for its turn."))
NOTHING_KEPT = Sentence(gettext_noop("Stopped before there was anything to keep."))
THROWN_AWAY = Sentence(gettext_noop("Cancelled; nothing was kept."))
NO_FILES: dict[str, Any] = {
    "usable": False, "file_key": "", "file_sha256": "", "file_bytes": 0, "weights_key": "",
}  # fmt: skip
BEGINNING: dict[str, Any] = {
    "state": VersionState.QUEUED, "ended_because": "", "message": WAITING.to_json(), "finished_at": None,
    "progress": 0.0,
}  # fmt: skip


def leader_among(
    made: Sequence[ModelVersion], application: Application, network: dict[Application, str]
) -> ModelVersion | None:
    """The version of this request whose training makes one for `application`, too. `network`: what each would
    take, empty for none of the pretrained ones."""
    if application not in PAIR:
        return None
    size = profile_of(application).size
    for version in made:
        other = Application(version.application)
        if other in PAIR and network[other] == network[application] and profile_of(other).size == size:
            return version
    return None


def made_by(job: Job) -> QuerySet[ModelVersion]:
    """All versions that a job makes, the leader first."""
    return ModelVersion.objects.filter(Q(pk=job.payload.get("version")) | Q(job=job)).order_by("pk")


def written_with(version: ModelVersion, job: Job) -> QuerySet[ModelVersion]:
    """The rows that a running job writes on: its version, and those that follow it."""
    return ModelVersion.objects.filter(Q(pk=version.pk) | Q(trained_with=version.pk, job=job.pk))


def followers_of(version: ModelVersion, job: Job) -> list[ModelVersion]:
    """Those that the job makes beside its own."""
    return list(written_with(version, job).exclude(pk=version.pk).order_by("pk"))


def others_of(version: ModelVersion) -> list[ModelVersion]:
    """The versions that came, or are to come, of the same training."""
    head = version.trained_with_id or version.pk
    same = ModelVersion.objects.filter(Q(pk=head) | Q(trained_with=head)).exclude(pk=version.pk)
    return list(same.order_by("number"))


def leave(version: ModelVersion) -> None:
    """End it with nothing, and let the others be. Call it with the job's row locked."""
    others = [each for each in others_of(version) if not each.ended]
    if others and version.trained_with_id:
        drop(version)
        return
    if others:
        alone(others)
    if version.job:
        cancel_job(version.job)


def drop(version: ModelVersion) -> None:
    """A follower goes; its leader's training goes on."""
    if version.stop_requested:
        fields: dict[str, Any] = {
            "state": VersionState.STOPPED,
            "ended_because": EndedBecause.STOPPED,
            "message": NOTHING_KEPT.to_json(),
        }
    else:
        fields = {"state": VersionState.CANCELLED, "ended_because": "", "message": THROWN_AWAY.to_json()}
    fields |= NO_FILES | {"stage": "", "finished_at": timezone.now(), "trained_with": None, "job": None}
    ModelVersion.objects.filter(pk=version.pk).exclude(state__in=ENDED).update(**fields)
    version_ended(version.pk)


def alone(followers: Sequence[ModelVersion]) -> None:
    """A training of their own for versions whose leader leaves, from the beginning: the first of them leads."""
    first, *rest = followers
    job = enqueue(KIND, {"version": first.pk}, project=first.model.project, user=first.created_by)
    anew = BEGINNING | NO_FILES | {"job": job, "stop_requested": False, "started_at": None, "stage": ""}
    anew |= {"history": [], "live": {}, "backbone": "", "weights": "", "choice": {}}
    ModelVersion.objects.filter(pk=first.pk).update(trained_with=None, **anew)
    ModelVersion.objects.filter(pk__in=[each.pk for each in rest]).update(trained_with=first, **anew)
