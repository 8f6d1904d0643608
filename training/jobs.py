"""What the training worker does; the heavy parts load when a job runs, never with the site."""

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from jobs.models import Queue
from jobs.registry import Kind
from projects.models import Role
from training import own_files
from training.together import KIND, made_by
from training.versions import job_ended, tried_again

if TYPE_CHECKING:
    from jobs.attempts import Attempt
    from jobs.models import Job


def train(attempt: "Attempt") -> None:
    """One training, from the frozen data to the evaluated file."""
    from training.extractors import work_folder
    from training.logs import Watcher
    from training.notices import version_ended
    from training.provenance import stamp
    from training.running import run

    version = attempt.payload["version"]
    with Watcher(version, work_folder() / f"training-{version}"):
        run(attempt)
    for each in made_by(attempt.job):
        stamp(each.pk)
        version_ended(each.pk)


def ended(job: "Job") -> None:
    """It ended other than well: the version says so, and who waits for it is told."""
    from training.notices import version_ended

    job_ended(job)
    for version in made_by(job):
        version_ended(version.pk)


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
    KIND, Queue.TRAINING, _("Train a version"), train, ended, again=tried_again, at_least=Role.ENGINEER
)  # fmt: skip
