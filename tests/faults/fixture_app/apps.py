"""Registers the kinds, and makes time pass quicker unless the long form asks for the real numbers."""

import os
from datetime import timedelta

from django.apps import AppConfig


class FixtureConfig(AppConfig):
    """See the package."""

    name = "tests.faults.fixture_app"

    def ready(self) -> None:
        from jobs.registry import register
        from tests.faults.fixture_app.kinds import KINDS

        for kind in KINDS:
            register(kind)
        if os.environ.get("FAULTS_PACE") != "real":
            hurry()


def hurry() -> None:
    """The same machinery with shorter waits."""
    from jobs import attempts, leases, reconcile, worker

    leases.LEASE, leases.RENEW_EVERY = timedelta(seconds=4), 1.0
    attempts.LOOK_EVERY = 0.3
    reconcile.EVERY_SECONDS = 1.0
    worker.LOOK_EVERY, worker.GRACE = 1, 2.0
