"""Asking for versions, stopping and cancelling them: one version and one job for each application."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.snapshots import take_snapshot
from jobs.models import State
from jobs.queue import cancel as cancel_job
from jobs.queue import enqueue
from projects import audit
from training import checkpoints, wishes
from training.models import ENDED, Application, EndedBecause, ModelVersion, RegisteredModel, VersionState
from web.sentences import Conflict, Sentence

KIND = "training.run"


class AlreadyEnded(Conflict):
    """Nothing is left to stop."""

    code = "already-ended"


def request_versions(
    *,
    model: RegisteredModel,
    user: User,
    applications: Sequence[str],
    optimise_for: str,
    data: Sequence[dict[str, Any]],
    max_minutes: float,
    options: dict[str, Any] | None = None,
) -> list[ModelVersion]:
    """One queued version for each application, all on the same frozen data. Raises Refusal."""
    wanted = wishes.applications_of(applications)
    metric, minutes = wishes.metric_of(optimise_for), wishes.minutes_of(max_minutes)
    chosen = wishes.chosen_of(model.project, data)
    options = wishes.options_of(options or {})
    preview = wishes.preview_of(model.project, chosen, options)
    wishes.must_be_enough(preview)
    fields = {
        "optimise_for": metric,
        "max_minutes": minutes,
        "data": [
            {"dataset": each.dataset.pk, "name": each.dataset.name, "labels": list(each.labels)}
            for each in chosen
        ],
        "options": options | ({"split": preview.by} if preview.by_wishes else {}),
        "labels": [each.name for each in preview.labels],
        "split_counts": {each.name: each.sizes._asdict() for each in preview.labels},
        "snapshots": [_frozen(each, user) for each in chosen],
    }
    with transaction.atomic():
        return [_queued(model, user, application, fields) for application in wanted]


def _frozen(chosen: wishes.Chosen, user: User) -> int:
    return take_snapshot(dataset=chosen.dataset, label_names=list(chosen.labels), user=user).pk


def _queued(
    model: RegisteredModel, user: User, application: Application, fields: dict[str, Any]
) -> ModelVersion:
    locked = RegisteredModel.objects.select_for_update().get(pk=model.pk)  # numbers are given one at a time
    version = ModelVersion.objects.create(
        model=model,
        number=locked.last_number + 1,
        application=application,
        created_by=user,
        message=Sentence(gettext_noop("Waiting for its turn.")).to_json(),
        **fields,
    )
    version.job = enqueue(KIND, {"version": version.pk}, project=model.project, user=user)
    version.save(update_fields=["job"])
    audit.note(user, "version.train", project=model.project, target=f"{model.name} {version.number}")
    return version


def stop(version: ModelVersion, user: User) -> None:
    """Ask a training to end and keep its best so far. One that has not begun ends at once, with nothing."""
    with transaction.atomic():
        _must_run(version)
        ModelVersion.objects.filter(pk=version.pk).update(stop_requested=True)
        audit.note(user, "version.stop", project=version.model.project, target=str(version))
        if version.job and version.job.state != State.RUNNING:
            cancel_job(version.job)
    version.refresh_from_db()


def cancel(version: ModelVersion, user: User) -> None:
    """Ask a training to end and throw away what there is."""
    with transaction.atomic():
        _must_run(version)
        ModelVersion.objects.filter(pk=version.pk).update(stop_requested=False)
        audit.note(user, "version.cancel", project=version.model.project, target=str(version))
        if version.job:
            cancel_job(version.job)
    version.refresh_from_db()


def _must_run(version: ModelVersion) -> None:
    version.refresh_from_db()
    if version.ended:
        raise AlreadyEnded(gettext_noop("This training has ended; there is nothing left to stop."))


def job_ended(job: Any) -> None:
    """The job ended other than well: say so on the version. Called in the transaction that ends the job.

    Its checkpoints go, unless it was only set aside: then it can be tried again.
    """
    if job.attempt and job.state != State.PARKED and "version" in job.payload:
        transaction.on_commit(partial(checkpoints.forget, job.payload["version"]))
    version = ModelVersion.objects.filter(pk=job.payload.get("version")).exclude(state__in=ENDED).first()
    if version is None:
        return
    fields: dict[str, Any] = {
        "state": VersionState.FAILED,
        "ended_because": EndedBecause.ERROR,
        "message": job.message,
    }
    if job.state == State.CANCELLED and version.stop_requested:
        nothing = Sentence(gettext_noop("Stopped before there was anything to keep."))
        fields = {
            "state": VersionState.STOPPED,
            "ended_because": EndedBecause.STOPPED,
            "message": nothing.to_json(),
        }
    elif job.state == State.CANCELLED:
        thrown = Sentence(gettext_noop("Cancelled; nothing was kept."))
        fields = {"state": VersionState.CANCELLED, "ended_because": "", "message": thrown.to_json()}
    if version.file_key:
        transaction.on_commit(partial(forget_file, version.file_key))
    ModelVersion.objects.filter(pk=version.pk).update(
        **fields,
        usable=False,
        file_key="",
        file_sha256="",
        file_bytes=0,
        stage="",
        finished_at=timezone.now(),
    )


def tried_again(job: Any) -> None:
    """A training that was set aside waits for its turn anew. Called in the transaction that tries it again."""
    waiting = Sentence(gettext_noop("Waiting for its turn."))
    ModelVersion.objects.filter(pk=job.payload.get("version"), state=VersionState.FAILED).update(
        state=VersionState.QUEUED,
        ended_because="",
        message=waiting.to_json(),
        finished_at=None,
        progress=0.0,
    )


def forget_file(key: str) -> None:
    """Remove a model file that no version has any more."""
    if not ModelVersion.objects.filter(file_key=key).exists():
        default_storage.delete(key)
