"""What people began and left, and what jobs left lying: imports that wait for a choice, uploads, chosen pictures."""

from datetime import timedelta

from datasets import chosen_files, uploads
from datasets.choosing import give_up_abandoned
from jobs.attempts import Attempt

KIND = "datasets.tidy"
EVERY = timedelta(hours=1)


def run(attempt: Attempt) -> None:
    """Each ends by itself, so a kill leaves the rest to the next hour."""
    give_up_abandoned()
    attempt.check()
    uploads.sweep()
    attempt.check()
    chosen_files.tidy()
