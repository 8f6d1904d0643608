"""Asking for versions, stopping and cancelling them: one version and one job for each application."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from django.contrib.auth.models import User
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.none_of_these import names_of
from datasets.snapshots import take_snapshot
from jobs.models import Job, State
from jobs.queue import enqueue
from projects import audit
from training import checkpoints, pinning, together, warm, wishes
from training.models import ENDED, Application, EndedBecause, ModelVersion, RegisteredModel, VersionState
from training.networks import networks_for
from training.removing import named_elsewhere
from training.together import BEGINNING, KIND, NO_FILES, NOTHING_KEPT, THROWN_AWAY, WAITING
from web.sentences import Conflict


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
    """One queued version for each application, all on the same frozen data; one training makes those that would
    come out the same (training/together.py). Raises Refusal.
    """
    wanted = wishes.applications_of(applications)
    metric, minutes = wishes.metric_of(optimise_for), wishes.minutes_of(max_minutes)
    chosen = wishes.chosen_of(model.project, data)
    options = wishes.options_of(options or {})
    preview = wishes.preview_of(model.project, chosen, options)
    wishes.must_be_enough(preview)
    networks = networks_for(wanted, options)
    source = warm.source_of(model, options)
    for network in networks.values():
        warm.must_fit(source, network)
    fields: dict[str, Any] = {
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
    } | pinning.fields_for(model, chosen, preview)
    outside = names_of([each.dataset.pk for each in chosen], fields["labels"])
    if outside:
        fields["split_facts"] = fields.get("split_facts", {}) | {"none_of_these": outside}
    made: list[ModelVersion] = []
    with transaction.atomic():
        for application in wanted:
            leader = together.leader_among(made, application, networks)
            made.append(_queued(model, user, application, fields, leader))
    return made


def _frozen(chosen: wishes.Chosen, user: User) -> int:
    return take_snapshot(dataset=chosen.dataset, label_names=list(chosen.labels), user=user).pk


def _queued(
    model: RegisteredModel,
    user: User,
    application: Application,
    fields: dict[str, Any],
    leader: ModelVersion | None,
) -> ModelVersion:
    locked = RegisteredModel.objects.select_for_update().get(pk=model.pk)  # numbers are given one at a time
    version = ModelVersion.objects.create(
        model=model,
        number=locked.last_number + 1,
        application=application,
        created_by=user,
        message=WAITING.to_json(),
        trained_with=leader,
        **fields,
    )
    version.job = (
        leader.job if leader else enqueue(KIND, {"version": version.pk}, project=model.project, user=user)
    )
    version.save(update_fields=["job"])
    audit.note(user, "version.train", project=model.project, target=f"{model.name} {version.number}")
    return version


def stop(version: ModelVersion, user: User) -> None:
    """Ask a training to end and keep its best so far, for all versions that it makes. One that has not begun ends at
    once, with nothing, and the versions that would have come of it beside this one wait on.
    """
    with transaction.atomic():
        job = _must_run(version)
        runs = job is not None and job.state == State.RUNNING
        asked = ModelVersion.objects.filter(job=job) if runs else ModelVersion.objects.filter(pk=version.pk)
        asked.exclude(state__in=ENDED).update(stop_requested=True)
        version.stop_requested = True
        audit.note(user, "version.stop", project=version.model.project, target=str(version))
        if not runs:
            together.leave(version)
    version.refresh_from_db()


def cancel(version: ModelVersion, user: User) -> None:
    """Ask a training to end and throw away what there is of this version; others that it makes are not harmed."""
    with transaction.atomic():
        _must_run(version)
        ModelVersion.objects.filter(pk=version.pk).update(stop_requested=False)
        version.stop_requested = False
        audit.note(user, "version.cancel", project=version.model.project, target=str(version))
        together.leave(version)
    version.refresh_from_db()


def _must_run(version: ModelVersion) -> Job | None:
    """Its job, locked before any version is, as a running training does it, too. Raises AlreadyEnded."""
    version.refresh_from_db()
    job = Job.objects.select_for_update().filter(pk=version.job_id or 0).first()
    version.refresh_from_db()
    if version.ended:
        raise AlreadyEnded(gettext_noop("This training has ended; there is nothing left to stop."))
    return job


def job_ended(job: Any) -> None:
    """The job ended other than well: say so on its versions. Called in the transaction that ends the job.

    Its checkpoints go, unless it was only set aside: then it can be tried again.
    """
    if job.attempt and job.state != State.PARKED and "version" in job.payload:
        transaction.on_commit(partial(checkpoints.forget, job.payload["version"]))
    for version in together.made_by(job).exclude(state__in=ENDED):
        _ended_with(version, job)


def _ended_with(version: ModelVersion, job: Any) -> None:
    fields: dict[str, Any] = {
        "state": VersionState.FAILED,
        "ended_because": EndedBecause.ERROR,
        "message": job.message,
    }
    if job.state == State.CANCELLED and version.stop_requested:
        fields = {
            "state": VersionState.STOPPED,
            "ended_because": EndedBecause.STOPPED,
            "message": NOTHING_KEPT.to_json(),
        }
    elif job.state == State.CANCELLED:
        fields = {"state": VersionState.CANCELLED, "ended_because": "", "message": THROWN_AWAY.to_json()}
    for key in filter(None, (version.file_key, version.weights_key)):
        transaction.on_commit(partial(forget_file, key))
    ModelVersion.objects.filter(pk=version.pk).update(
        **fields, **NO_FILES, stage="", finished_at=timezone.now()
    )


def tried_again(job: Any) -> None:
    """A training that was set aside waits for its turn anew. Called in the transaction that tries it again."""
    failed = together.made_by(job).filter(state=VersionState.FAILED)
    first = failed.first()
    if first and first.pk != job.payload.get("version"):  # the one that led was deleted meanwhile
        job.payload = {"version": first.pk}
        job.save(update_fields=["payload"])
    failed.update(**BEGINNING)


def forget_file(key: str) -> None:
    """Remove a file that no version has any more."""
    if not named_elsewhere(key):
        default_storage.delete(key)
