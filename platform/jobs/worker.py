"""The RQ worker: its work does not outlive it, and it looks after the process that does the work."""

import logging
import os
import signal
import time
from contextlib import suppress
from typing import Any

from django.db import Error as DatabaseTrouble
from django.db import connections
from redis.exceptions import RedisError
from rq import Worker as RQWorker
from rq.serializers import JSONSerializer

from jobs import attempts
from jobs.deaths import out_of_memory_kills
from jobs.ends import fail, give_back
from jobs.failures import Failure
from jobs.leases import identity
from jobs.leash import die_with_parent
from jobs.models import Job, State
from jobs.reconcile import reconcile

__all__ = ["Worker", "die_with_parent"]
log = logging.getLogger(__name__)
LOOK_EVERY = 2
GRACE = 6.0  # seconds that a handler has to hear that its job was cancelled or taken away


class Worker(RQWorker):  # type: ignore[misc]
    """One queue, one worker."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs |= {
            "serializer": JSONSerializer,
            "worker_ttl": 60,  # so that a dead connection is noticed within a minute
            "maintenance_interval": 60,
            "job_monitoring_interval": LOOK_EVERY,
        }
        super().__init__(*args, **kwargs)
        self.horse = ""

    def work(self, *args: Any, **kwargs: Any) -> bool:
        """Put right what an earlier worker left behind, then serve the queue."""
        reconcile()
        return super().work(*args, **kwargs)  # type: ignore[no-any-return]

    def fork_work_horse(self, job: Any, queue: Any) -> None:
        """The child must not inherit our database connections."""
        connections.close_all()
        self.kills, self.claimed, self.unheard_since = out_of_memory_kills(), False, 0.0
        super().fork_work_horse(job, queue)
        self.horse = identity(self.horse_pid)

    def main_work_horse(self, job: Any, queue: Any) -> None:
        """In the child: end when the worker ends."""
        die_with_parent(self.pid)
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        """In the child: asked to stop, it gives the job back instead of dying on the spot."""
        super().setup_work_horse_signals()
        signal.signal(signal.SIGTERM, lambda *_: attempts.stopping.set())

    def handle_warm_shutdown_request(self) -> None:
        """A training may take hours, a stop may not: pass it on to the child."""
        super().handle_warm_shutdown_request()
        if self.horse_pid:
            with suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)

    def maintain_heartbeats(self, job: Any, execution: Any) -> None:
        """Each two seconds while the child works. Redis may be away: the work goes on without it."""
        try:
            self.look_after(job.args[0])
        except DatabaseTrouble as error:
            log.warning("the database cannot be reached: %s", error)
            connections.close_all()
        try:
            super().maintain_heartbeats(job, execution)
        except RedisError as error:
            log.warning("the queue cannot be reached: %s", error)

    def look_after(self, job_id: int) -> None:
        """End a child that goes on although its job was taken away, or that does not hear a cancel."""
        held = Job.objects.filter(pk=job_id, state=State.RUNNING, holder=self.horse)
        cancelled = held.values_list("cancel_requested", flat=True).first()
        self.claimed = self.claimed or cancelled is not None
        if cancelled is False or not self.claimed:
            self.unheard_since = 0.0
            return
        self.unheard_since = self.unheard_since or time.monotonic()
        if time.monotonic() - self.unheard_since >= GRACE:
            log.warning("job %s: its process did not end by itself and is killed", job_id)
            self.kill_horse(signal.SIGKILL)

    def handle_work_horse_killed(self, job: Any, retpid: Any, ret_val: int | None, rusage: Any) -> None:
        """The child ended under its work: put the row back at once, with what is known of the reason."""
        super().handle_work_horse_killed(job, retpid, ret_val, rusage)
        signalled = os.WTERMSIG(ret_val) if ret_val is not None and os.WIFSIGNALED(ret_val) else 0
        memory = signalled == signal.SIGKILL and out_of_memory_kills() > self.kills
        try:
            for row in Job.objects.filter(pk=job.args[0], state=State.RUNNING, holder=self.horse):
                if signalled == signal.SIGTERM:
                    give_back(row.pk, row.attempt)
                else:
                    fail(row.pk, row.attempt, Failure.of_exit(ret_val, memory=memory), holder=self.horse)
        except DatabaseTrouble as error:  # the reconciler comes back to it
            log.warning("the database cannot be reached: %s", error)
