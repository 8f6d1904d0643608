"""What people began and left: imports that wait for a choice and uploads that stopped end, though nobody looks."""

from datetime import timedelta

from datasets import uploads
from datasets.choosing import give_up_abandoned
from jobs.attempts import Attempt

KIND = "datasets.tidy"
EVERY = timedelta(hours=1)


def run(attempt: Attempt) -> None:
    """Each ends by itself, so a kill leaves the rest to the next hour."""
    give_up_abandoned()
    attempt.check()
    uploads.sweep()
