"""Between reading and storing: an import waits for a person to say what its labels are to be.

No worker is held meanwhile. The choice queues a job of its own; what nobody chooses about is forgotten.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from datasets.archive_names import ENCODINGS
from datasets.choices import Choices, IfHere
from datasets.imports import KIND, UnknownEncoding, close
from datasets.labels import BadLabel, TooManyLabels, clean_name
from datasets.models import Dataset, Import, ImportState, Review
from datasets.planning import Plan
from jobs import queue
from jobs.attempts import Attempt
from web.sentences import Conflict, Refusal, Sentence

KEPT = timedelta(days=7)
NOT_WAITING = gettext_noop("This import waits for no choice; it has gone on or has ended.")
ABANDONED = gettext_noop("Nobody chose its labels within %(days)s days, so what was uploaded was removed.")


class NotChoosing(Conflict):
    """The import has gone on, or was never asked about."""

    code = "import-not-choosing"


class UnknownChoice(Refusal):
    """A choice about files that the upload does not have, or of a kind that there is not."""

    code = "unknown-choice"
    status = 422


def wait_for_choice(attempt: Attempt, found: Import, plan: Plan) -> None:
    """Show the plan to a person; the job is done."""
    with transaction.atomic():
        attempt.hold()
        found.state, found.total, found.plan = ImportState.CHOOSING, plan.total, plan.to_json()
        found.choose_until = timezone.now() + KEPT
        found.save(update_fields=["state", "total", "plan", "choose_until"])


def choices_from(
    found: Import, labels: Mapping[str, str], left_out: Iterable[str], conflicts: str = IfHere.LATER
) -> Choices:
    """What a person sent, checked. Raises BadLabel (naming the label), UnknownChoice, TooManyLabels."""
    names = {row.name for row in Plan.from_json(found.plan).rows}
    left = frozenset(left_out)
    unknown = next(iter((set(labels) | left) - names), None)
    if unknown is not None:
        raise UnknownChoice(gettext_noop("Nothing in this upload is called “%(name)s”."), name=unknown[:80])
    if conflicts not in IfHere.values:
        raise UnknownChoice(gettext_noop("What to do with labels that differ is one of: %(names)s."),
                            names=", ".join(IfHere.values))  # fmt: skip
    wanted = {key: cleaned(key, name) for key, name in labels.items() if key not in left}
    refuse_too_many(found.dataset, wanted.values())
    return Choices(wanted, left, conflicts)


def cleaned(key: str, name: str) -> str:
    """The label's name; empty stays empty. Raises BadLabel."""
    if not name.strip():
        return ""
    try:
        return clean_name(name)
    except BadLabel as error:
        raise BadLabel(
            gettext_noop(
                "“%(key)s” cannot become the label “%(name)s”: at most 64 characters,"
                " without / \\ : and control characters."
            ),
            key=key[:80],
            name=name[:80],
        ) from error


def refuse_too_many(dataset: Dataset, names: Iterable[str]) -> None:
    """Raises TooManyLabels where the data set would get more than it may have."""
    existing = set(dataset.labels.values_list("name", flat=True))
    count = len(existing | (set(names) - {""}))
    if count > settings.MAX_LABELS:
        raise TooManyLabels(
            gettext_noop("The data set would have %(count)s labels; at most %(limit)s are possible."),
            count=count,
            limit=settings.MAX_LABELS,
        )


def choose(*, found: Import, user: User, choices: Choices) -> None:
    """Take the import in as chosen. Raises NotChoosing."""
    go_on(found, user, choices=choices.to_json(), plan={})


def read_again(*, found: Import, user: User, encoding: str) -> None:
    """Read the names otherwise and ask again. Raises NotChoosing, UnknownEncoding."""
    if encoding not in ENCODINGS:
        raise UnknownEncoding(
            gettext_noop("Names in a zip are one of: %(names)s."), names=", ".join(ENCODINGS)
        )
    go_on(found, user, encoding=encoding, review=Review.ALWAYS, plan={}, total=0)


@transaction.atomic
def go_on(found: Import, user: User, **changes: object) -> None:
    """Queue the next job of an import that waited, for whoever was first to ask."""
    waiting = Import.objects.filter(pk=found.pk, state=ImportState.CHOOSING)
    if not waiting.update(
        state=ImportState.QUEUED, choose_until=None, chosen_by=user, **(changes | {"job": None})
    ):
        raise NotChoosing(NOT_WAITING)
    job = queue.enqueue(KIND, {"import": found.pk}, project=found.dataset.project, user=user)
    Import.objects.filter(pk=found.pk).update(job=job)
    found.refresh_from_db()


def give_up_abandoned(now: datetime | None = None) -> int:
    """Imports that waited too long end, and their uploads go. How many there were."""
    due = Import.objects.filter(state=ImportState.CHOOSING, choose_until__lte=now or timezone.now())
    message = Sentence(ABANDONED, days=KEPT.days)
    return sum(close(found, message) for found in due.defer("plan"))
