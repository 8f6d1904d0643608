"""How attempts failed: what the operator reads, what the person is told, and when it is time to give up."""

import traceback
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_noop

from jobs.deaths import how_it_ended
from jobs.models import Job
from web.sentences import Sentence
from web.storage import StorageUnavailable

ALIKE_FAILURES = 3
STORAGE_FAILURES = 6  # a storage that is away comes back by itself more often than a bug goes away
MOST_FAILURES = 30
STORAGE = "storage"  # all its troubles are alike, wherever they were met


class Cause(Enum):
    """What kind of failure, as far as people need to know: what is said at first, and at last."""

    ERROR = (
        gettext_noop("Something went wrong; it is being tried again."),
        gettext_noop("It failed three times in the same way and was set aside; the operator can see why."),
    )
    LOST = (
        gettext_noop("Its worker went away; it goes on by itself."),
        gettext_noop(
            "It lost its worker three times at one point and was set aside; the operator can see why."
        ),
    )
    MEMORY = (
        gettext_noop("It ran out of memory; it is being tried again."),
        gettext_noop("It ran out of memory three times and was set aside: ask for less, or add memory."),
    )
    STORAGE = (
        gettext_noop("The file storage does not answer; it goes on once that is back."),
        gettext_noop(
            "The file storage stayed away, so this was set aside. "
            "Nothing is lost: once the storage answers, try it again."
        ),
    )


TOO_OFTEN = gettext_noop("It failed again and again and was set aside; the operator can see why.")


@dataclass(frozen=True)
class Failure:
    """Why one attempt ended badly. `like` is equal for failures of the same make."""

    reason: str
    like: str
    cause: Cause
    trace: str = ""

    @classmethod
    def of_error(cls, error: Exception) -> "Failure":
        """A bug or a missing resource: the same where the same exception was raised at the same place."""
        frames = traceback.extract_tb(error.__traceback__)
        place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        cause = cause_of(error)
        name, trace = type(error).__name__, "".join(traceback.format_exception(error))
        like = STORAGE if cause == Cause.STORAGE else f"{name}@{place}"
        return cls(f"{name}: {error}"[:300], like, cause, trace)

    @classmethod
    def of_exit(cls, status: int | None, *, memory: bool) -> "Failure":
        """The process ended under the work. `status` is what wait() said."""
        how = how_it_ended(status)
        if memory:
            return cls(f"Out of memory: {how}", "memory", Cause.MEMORY)
        return cls(how, "lost", Cause.LOST)

    @classmethod
    def lost(cls, why: str) -> "Failure":
        """The holder is gone, nobody saw how."""
        return cls(f"The worker went away: {why}.", "lost", Cause.LOST)

    @classmethod
    def silent(cls, seconds: float) -> "Failure":
        """The handler hangs."""
        return cls(f"No sign of life for {seconds:.0f} seconds.", "silent", Cause.ERROR)

    def entry(self, job: Job) -> dict[str, Any]:
        """What the row keeps."""
        return {
            "attempt": job.attempt,
            "at": timezone.now().isoformat(timespec="seconds"),
            "reason": self.reason,
            "like": self.like,
            "holder": job.holder,
            "done": job.done,
            "total": job.total,
        }

    def sentence(self, failures: list[dict[str, Any]]) -> Sentence:
        """What the person reads, the failure itself being the last of `failures`."""
        again, aside = self.cause.value
        if not gives_up(failures):
            return Sentence(again)
        return Sentence(aside if too_many_alike(failures) else TOO_OFTEN)


def cause_of(error: Exception) -> Cause:
    """A bug, unless the machine ran out of memory or the storage is away."""
    if isinstance(error, MemoryError):
        return Cause.MEMORY
    return Cause.STORAGE if isinstance(error, StorageUnavailable) else Cause.ERROR


def alike_in_a_row(failures: list[dict[str, Any]]) -> int:
    """How many of the last failures are of one make, the job having come no further in between."""
    count, furthest, last = 0, -1, None
    for each in failures:
        if "mark" in each:  # the job got further since (Attempt.got_further)
            count, last = 0, None
            continue
        same = last == (each["like"], each["total"])
        count = count + 1 if same and each["done"] <= furthest else 1
        furthest = max(furthest, each["done"]) if same else each["done"]
        last = (each["like"], each["total"])
    return count


def gives_up(failures: list[dict[str, Any]]) -> bool:
    """Time to park it."""
    return too_many_alike(failures) or len(failures) >= MOST_FAILURES


def too_many_alike(failures: list[dict[str, Any]]) -> bool:
    """The last ones are of one make, and it is no use to go on."""
    patience = STORAGE_FAILURES if failures[-1]["like"] == STORAGE else ALIKE_FAILURES
    return alike_in_a_row(failures) >= patience
