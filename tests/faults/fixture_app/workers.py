"""A worker that dies at a chosen instant, once."""

import os
import signal
from pathlib import Path
from typing import Any

from jobs.worker import Worker


class Mortal(Worker):
    """Dies at FAULTS_DIE_AT (dequeued, prepared, forked, claiming); FAULTS_DIED remembers that it did."""

    def die_at(self, instant: str) -> None:
        """Ends this process, and its parent where it is the horse, without a word."""
        done = Path(os.environ["FAULTS_DIED"])
        if os.environ["FAULTS_DIE_AT"] == instant and not done.exists():
            done.touch()
            if self.pid != os.getpid():
                os.kill(self.pid, signal.SIGKILL)
            os.kill(os.getpid(), signal.SIGKILL)

    def execute_job(self, job: Any, queue: Any) -> None:
        self.die_at("dequeued")
        super().execute_job(job, queue)

    def fork_work_horse(self, job: Any, queue: Any) -> None:
        self.die_at("prepared")
        super().fork_work_horse(job, queue)

    def main_work_horse(self, job: Any, queue: Any) -> None:
        self.die_at("forked")
        super().main_work_horse(job, queue)

    def prepare_job_execution(self, job: Any, remove_from_intermediate_queue: bool = False) -> None:
        super().prepare_job_execution(job, remove_from_intermediate_queue)
        self.die_at("claiming")
