"""Jobs through the real queue: every end is written down."""

from collections.abc import Callable, Iterator

import pytest
from django.db import transaction

from jobs import registry
from jobs.attempts import Attempt, LostLease
from jobs.models import Job, State
from jobs.queue import cancel, enqueue
from jobs.reconcile import reconcile
from web.sentences import Refusal

Work = Callable[[], None]


@pytest.fixture
def kind() -> Iterator[Callable[..., None]]:
    """Register a kind of job for one test."""

    def make(run: Callable[[Attempt], None], **more: object) -> None:
        registry.register(registry.Kind("test", "quick", "Test", run, **more))  # type: ignore[arg-type]

    yield make
    registry._kinds.pop("test", None)


def start(**payload: int) -> Job:
    with transaction.atomic():
        return enqueue("test", payload)


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def test_a_job_runs_with_its_payload_and_succeeds(work: Work, kind: Callable[..., None]) -> None:
    seen = []
    kind(lambda attempt: seen.append(attempt.payload))
    job = start(thing=7)
    work()
    assert (state_of(job), seen, job.attempt) == (State.SUCCEEDED, [{"thing": 7}], 1)


def test_a_rolled_back_request_queues_nothing(work: Work, kind: Callable[..., None]) -> None:
    seen = []
    kind(seen.append)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        enqueue("test", {})
        raise ZeroDivisionError
    work()
    assert not seen and not Job.objects.exists()


def test_a_refusal_fails_the_job_with_its_sentence(work: Work, kind: Callable[..., None]) -> None:
    def refuse(attempt: Attempt) -> None:
        raise Refusal("Only %(n)s pictures.", n=2)

    ended = []
    kind(refuse, ended=ended.append)
    job = start()
    work()
    assert state_of(job) == State.FAILED
    assert str(job.sentence) == "Only 2 pictures."
    assert [told.pk for told in ended] == [job.pk]
    assert not job.traceback


def test_a_bug_is_tried_three_times_and_then_parked_with_its_traceback(
    work: Work, kind: Callable[..., None]
) -> None:
    tries, ended = [], []

    def crash(attempt: Attempt) -> None:
        tries.append(attempt.number)
        raise ValueError("broken")

    kind(crash, ended=ended.append)
    job = start()
    work()
    assert (state_of(job), tries) == (State.PARKED, [1, 2, 3])
    assert "ValueError: broken" in job.traceback and len(ended) == 1


def test_a_waiting_job_is_cancelled_at_once(work: Work, kind: Callable[..., None]) -> None:
    seen = []
    kind(seen.append)
    job = start()
    assert cancel(job)
    work()
    assert state_of(job) == State.CANCELLED and not seen


def test_an_overtaken_attempt_writes_nothing_more(work: Work, kind: Callable[..., None]) -> None:
    def overtaken(attempt: Attempt) -> None:
        Job.objects.filter(pk=attempt.job.pk).update(attempt=attempt.number + 1)
        with pytest.raises(LostLease):
            attempt.progress(1, 1)
        raise LostLease

    kind(overtaken)
    job = start()
    work()
    assert (state_of(job), job.attempt, job.done) == (State.RUNNING, 2, 0)


def test_a_job_whose_wake_up_was_lost_is_woken_by_the_reconciler(work: Work, kind: Callable[..., None]) -> None:
    seen = []
    kind(lambda attempt: seen.append(1))
    job = start()
    import django_rq

    django_rq.get_queue("quick").connection.flushall()
    work()
    assert not seen
    assert reconcile() == 1
    work()
    assert state_of(job) == State.SUCCEEDED


def test_a_job_whose_worker_is_gone_runs_again(work: Work, kind: Callable[..., None]) -> None:
    kind(lambda attempt: None)
    job = start()
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, attempt=1, lease_until=None)
    reconcile()
    work()
    assert (state_of(job), job.attempt) == (State.SUCCEEDED, 2)
