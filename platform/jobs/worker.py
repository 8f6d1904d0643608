"""The RQ worker: it reconciles when it starts, and its work does not outlive it."""

import ctypes
import os
import signal
import sys
from typing import Any

from rq import Worker as RQWorker

PR_SET_PDEATHSIG = 1


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent goes (Linux; elsewhere the lease decides)."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class Worker(RQWorker):
    """One queue, one worker."""

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Put right what an earlier worker left behind, then serve the queue."""
        from jobs.reconcile import reconcile

        reconcile()
        return super().work(*args, **kwargs)

    def main_work_horse(self, job: Any, queue: Any) -> None:
        """Runs in the forked child: the parent's database connections are not ours to use."""
        from django.db import connections

        parent = os.getppid()
        die_with_parent()
        if os.getppid() != parent:  # it went while we were asking
            os._exit(1)
        for connection in connections.all(initialized_only=True):
            connection.connection = None
        super().main_work_horse(job, queue)
