"""What a running training may write on its version: only while its attempt holds the job."""

import time
from typing import Any

from django.db import transaction
from django.utils import timezone

from jobs.attempts import Attempt, Cancelled
from jobs.models import Job
from training.models import ModelVersion, VersionState
from training.together import written_with
from web.sentences import Sentence

EVERY = 1.0
SPANS = {  # where each state begins and ends on the bar
    VersionState.PREPARING: (0.0, 0.25),
    VersionState.TRAINING: (0.25, 0.85),
    VersionState.EXPORTING: (0.85, 0.9),
    VersionState.EVALUATING: (0.9, 1.0),
}


class Writer:
    """A version and the attempt that makes it. What is written stands on those that follow it, too."""

    def __init__(self, attempt: Attempt, version: ModelVersion) -> None:
        self.attempt, self.version = attempt, version
        self._looked = self._wrote = 0.0

    def write(self, **fields: Any) -> None:
        """Change the version; raises LostLease where the job is somebody else's by now."""
        with transaction.atomic():
            self.attempt.hold()
            written_with(self.version, self.attempt.job).update(**fields)
        for name, value in fields.items():
            setattr(self.version, name, value)
        self._wrote = time.monotonic()

    def enter(self, state: VersionState, sentence: Sentence, **fields: Any) -> None:
        """Begin a state."""
        self.attempt.check()
        self.write(state=state, stage="", progress=SPANS[state][0], message=sentence.to_json(), **fields)
        self.attempt.progress(int(100 * SPANS[state][0]), 100, sentence)

    def say(self, sentence: Sentence) -> None:
        """Tell what happens now, within a state."""
        self.write(message=sentence.to_json())
        self.attempt.progress(int(100 * self.version.progress), 100, sentence)

    def progress(self, fraction: float, **fields: Any) -> None:
        """How far the present state is, from 0 to 1; cheap enough to call at every step."""
        self.attempt.check()
        low, high = SPANS[VersionState(self.version.state)]
        if fields or time.monotonic() - self._wrote >= EVERY:
            whole = low + (high - low) * min(max(fraction, 0.0), 1.0)
            self.write(progress=max(whole, self.version.progress), **fields)
            self.attempt.progress(int(100 * whole), 100)

    def stop_asked(self) -> bool:
        """Whether somebody wants the best so far; looks into the database once a second."""
        if not self.version.stop_requested and time.monotonic() - self._looked >= EVERY:
            self._looked = time.monotonic()
            self.version.refresh_from_db(fields=["stop_requested"])
        return self.version.stop_requested

    def end(self, state: VersionState, because: str, sentence: Sentence, **fields: Any) -> None:
        """The last write. A cancel that was taken in the last moment, with a word that nothing is kept, still holds."""
        message = sentence.to_json()
        with transaction.atomic():
            self.attempt.hold()  # from here on a cancel waits, and then hears that it came too late
            if Job.objects.filter(pk=self.attempt.job.pk, cancel_requested=True).exists():
                raise Cancelled
            self.write(
                state=state,
                ended_because=because,
                message=message,
                progress=1.0,
                stage="",
                finished_at=timezone.now(),
                **fields,
            )
