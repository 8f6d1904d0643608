"""Wake-ups: the little that Redis knows. Losing one is never an error, the reconciler sends another."""

import logging
import time
from functools import cache

from django.conf import settings
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue as WakeQueue
from rq.exceptions import DuplicateJobError
from rq.job import Job as Wake
from rq.serializers import JSONSerializer
from rq.worker_registration import get_keys

log = logging.getLogger(__name__)
PATIENCE = 0.5  # seconds: a Redis that hangs must not take a page with it
REST = 5.0  # seconds in which nobody waits for it again
_resting_until = 0.0


@cache
def client(url: str) -> Redis:
    """One connection pool a process. One retry, for a connection that went stale; never for a timeout."""
    retry = Retry(NoBackoff(), 1, supported_errors=(RedisConnectionError,))
    return Redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=retry)


def queue_of(name: str) -> WakeQueue:
    """RQ's queue, over our impatient connection."""
    return WakeQueue(name, connection=client(settings.REDIS_URL), serializer=JSONSerializer)


def wake_id(job_id: int, attempt: int) -> str:
    """The queue's own id of one wake-up: the same wake-up twice is one."""
    return f"job-{job_id}-{attempt}"


def wake(job_id: int, queue: str, attempt: int) -> bool:
    """Put the job's number into Redis. Without Redis the row waits and the reconciler comes back to it."""
    global _resting_until  # noqa: PLW0603
    if time.monotonic() < _resting_until:
        return False
    try:
        send(job_id, queue, attempt)
    except RedisError as error:
        _resting_until = time.monotonic() + REST
        log.warning("job %s waits: the queue cannot be reached (%s)", job_id, error)
        return False
    return True


def send(job_id: int, queue: str, attempt: int) -> None:
    """The wake-up itself; what was interrupted goes first. RQ's time limit, result and retry are not used."""
    try:
        queue_of(queue).enqueue(
            "jobs.running.perform",
            job_id,
            job_id=wake_id(job_id, attempt),
            unique=True,
            at_front=attempt > 0,
            job_timeout=-1,
            result_ttl=0,
            failure_ttl=86_400,
        )
    except DuplicateJobError:
        log.debug("job %s was woken already", job_id)


def waiting_wakes(queue: str) -> set[str]:
    """The wake-ups that a worker will still take."""
    return set(queue_of(queue).get_job_ids())


def send_anew(job_id: int, queue: str, attempt: int) -> None:
    """A wake-up in place of one that was taken and came to nothing; what is left of that one makes room.

    Where a worker has taken it this very instant there are two, and the second finds nothing to claim.
    """
    rq, name = queue_of(queue), wake_id(job_id, attempt)
    rq.intermediate_queue.remove(name)
    rq.connection.delete(Wake.key_for(name))
    send(job_id, queue, attempt)


def listened(queue: str) -> bool | None:
    """Whether a worker takes jobs from this queue; None where Redis does not answer.

    A worker that was killed is told of for as long as its entry lives, a minute or so.
    """
    connection = client(settings.REDIS_URL)
    try:
        names = get_keys(connection=connection, queue=queue_of(queue))
        return bool(names and connection.exists(*names))
    except RedisError:
        return None


def degraded() -> str:
    """For /readyz: what is wrong with the queue; empty where it answers."""
    try:
        client(settings.REDIS_URL).ping()
    except RedisError:
        return "cannot be reached"
    return ""
