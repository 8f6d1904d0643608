"""Acts on so many pictures that a request should not wait for them: a job, in batches, resumable."""

from collections import defaultdict
from collections.abc import Iterator

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet, Value
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets import chosen_files
from datasets.models import ActionKind, Dataset, Image, Label, TagAction, TagChange
from datasets.models.images import OPEN, SKIPPED
from datasets.selection import images_with_ids, with_suggestion
from datasets.tagging import one_at_a_time, refuse_label_gone, remember_and_change, start, without
from jobs import queue
from jobs.attempts import Attempt, Cancelled
from jobs.models import Job
from jobs.rights import check_right
from projects.models import Role
from web.sentences import Sentence

KIND = "datasets.tag"
MOST_AT_ONCE = 100_000
BATCH = 10_000
LIVE_ONES = {ActionKind.SKIP: OPEN, ActionKind.UNSKIP: SKIPPED}
TAGGING = Sentence(gettext_noop("Tagging the pictures"))
CHANGING = Sentence(gettext_noop("Changing the pictures"))
Part = tuple[int | None, list[int]]  # the label that is given, where each has its own; pictures


def is_large(chosen: "QuerySet[Image]") -> bool:
    """Whether these are more pictures than a request should wait for."""
    return chosen.order_by()[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE


def tag_in_background(
    *, dataset: Dataset, user: User, chosen: "QuerySet[Image]", label: Label | None
) -> tuple[TagAction, Job]:
    """Queue the act on the pictures that are chosen now; what matches the filter later is not meant."""
    return queued(dataset, user, ActionKind.TAG, [(None, numbers(chosen.filter(trashed_at=None)))], label)


def act_in_background(
    *, dataset: Dataset, user: User, kind: ActionKind, chosen: "QuerySet[Image]"
) -> tuple[TagAction, Job]:
    """As `tag_in_background`, of an act that gives no label: to the trash, not sure, sure again."""
    return queued(dataset, user, kind, [(None, numbers(chosen))], None)


def accept_in_background(
    *, dataset: Dataset, user: User, chosen: "QuerySet[Image]", at_least: float = 0.0
) -> tuple[TagAction, Job]:
    """What is suggested now; what is suggested for the same pictures while it goes on is not meant."""
    sure = with_suggestion(chosen, dataset).filter(suggestion__confidence__gte=at_least)
    wanted: dict[int, list[int]] = defaultdict(list)
    for label, image in sure.order_by("pk").values_list("suggestion__label_id", "pk").iterator():
        wanted[label].append(image)
    return queued(dataset, user, ActionKind.ACCEPT, sorted(wanted.items()), None)


def numbers(chosen: "QuerySet[Image]") -> list[int]:
    """Of the pictures, in their order."""
    return list(chosen.order_by("pk").values_list("pk", flat=True))


def queued(
    dataset: Dataset, user: User, kind: ActionKind, wanted: "list[Part]", label: Label | None
) -> tuple[TagAction, Job]:
    """The act's row and the job that carries it out. Raises LabelGone, LabelArchived."""
    key = chosen_files.keep(wanted)
    with transaction.atomic():
        refuse_label_gone(dataset, label)
        action = start(dataset, user, kind, label)
        payload = {"action": action.pk, "selection": key}
        return action, queue.enqueue(KIND, payload, project=dataset.project, user=user)


def run(attempt: Attempt) -> None:
    """Batch after batch, leaving alone what this act changed already: a second run ends the first."""
    action = TagAction.objects.select_related("dataset", "label").get(pk=attempt.payload["action"])
    wanted = chosen_files.read(attempt.payload["selection"])
    if wanted and isinstance(wanted[0], int):  # an earlier version kept the numbers alone
        wanted = [(None, wanted)]
    done, total = 0, sum(len(ids) for _, ids in wanted)
    if action.kind == ActionKind.TRASH:
        check_right(attempt.job, Role.ENGINEER)
    told = TAGGING if action.kind in (ActionKind.TAG, ActionKind.ACCEPT) else CHANGING
    for label, ids in in_batches(wanted):
        attempt.check()
        tag_batch(attempt, action, ids, label)
        done += len(ids)
        attempt.progress(done, total, told)


def in_batches(wanted: "list[Part]") -> Iterator[Part]:
    """At most BATCH pictures each."""
    for label, ids in wanted:
        for first in range(0, len(ids), BATCH):
            yield label, ids[first : first + BATCH]


def tag_batch(attempt: Attempt, action: TagAction, ids: list[int], own: int | None = None) -> None:
    """One transaction's worth. Raises Cancelled where somebody undid the act meanwhile."""
    with transaction.atomic():
        attempt.hold()
        one_at_a_time(action.dataset)
        if TagAction.objects.filter(pk=action.pk).exclude(undone_at=None).exists():
            raise Cancelled
        change(action, images_with_ids(action.dataset, not_yet(action, ids)).filter(trashed_at=None), own)


def change(action: TagAction, chosen: "QuerySet[Image]", own: int | None) -> None:
    """What this kind of act does to a picture; `own`: the label that was suggested. Raises LabelGone."""
    if action.kind == ActionKind.TRASH:
        remember_and_change(action, chosen, trashed_at=timezone.now())
    elif action.kind in LIVE_ONES:
        marked = timezone.now() if action.kind == ActionKind.SKIP else None
        remember_and_change(action, chosen.filter(LIVE_ONES[ActionKind(action.kind)]), skipped_at=marked)
    elif action.kind == ActionKind.ACCEPT:
        label = action.dataset.labels.filter(pk=own or 0).first()
        if label:  # else it went meanwhile: its pictures wait on
            remember_and_change(action, chosen.filter(OPEN), after=Value(label.pk))
    else:
        refuse_label_gone(action.dataset, action.label)
        remember_and_change(action, without(chosen, action.label), label=action.label)


def not_yet(action: TagAction, ids: list[int]) -> list[int]:
    """Those that the act did not change in an attempt before; `ids` in their order, at least one.

    Asked as a range: what the act changed so far grows to a million rows, of which PostgreSQL's planner knows nothing
    while they are new, and a join it would do the long way.
    """
    changed = TagChange.objects.filter(action=action, image__gte=ids[0], image__lte=ids[-1])
    done = set(changed.values_list("image", flat=True))
    return [each for each in ids if each not in done]
