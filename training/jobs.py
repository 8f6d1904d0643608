"""What the training worker does; the heavy parts load when a job runs, never with the site."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from jobs.models import Queue
from jobs.registry import Kind
from projects.models import Role
from training import own_files
from training.versions import KIND, job_ended, tried_again

if TYPE_CHECKING:
    from jobs.attempts import Attempt


def train(attempt: "Attempt") -> None:
    """One training, from the frozen data to the evaluated file."""
    from training.provenance import stamp
    from training.running import run

    run(attempt)
    stamp(attempt.payload["version"])


def judge(attempt: "Attempt") -> None:
    """A file that a person brought, tried and judged."""
    from training.judging import run
    from training.provenance import stamp

    run(attempt)
    stamp(attempt.payload["version"])


JUDGE = Kind(
    own_files.KIND, Queue.TRAINING, _("Judge a model file"), judge, job_ended,
    again=own_files.cannot_be_tried_again, at_least=Role.ENGINEER,
)  # fmt: skip
TRAIN = Kind(
    KIND, Queue.TRAINING, _("Train a version"), train, job_ended, again=tried_again, at_least=Role.ENGINEER
)  # fmt: skip
