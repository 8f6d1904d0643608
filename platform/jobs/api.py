"""A piece of background work in the JSON API: what was answered with 202 can be followed to its end."""

from datetime import datetime

from django.http import HttpRequest
from ninja import Router, Schema

from jobs.access import job_for
from jobs.models import Job
from web.api import PROBLEMS

router = Router(tags=["jobs"])


class JobOut(Schema):
    """`state`: queued, running, retrying, succeeded, failed, cancelled or parked; `progress` from 0 to 1."""

    id: int
    kind: str
    state: str
    progress: float
    message: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None

    @staticmethod
    def resolve_progress(job: Job) -> float:
        """The share that is done."""
        return job.fraction

    @staticmethod
    def resolve_message(job: Job) -> str:
        """What it is doing, or why it ended, in the caller's language."""
        return str(job.sentence)


@router.get("/jobs/{int:pk}", response={200: JobOut, **PROBLEMS})
def one_job(request: HttpRequest, pk: int) -> Job:
    """How far it is."""
    return job_for(request.auth, pk)  # type: ignore[attr-defined]
