"""Jobs through the real queue: every end is written down."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django.fixtures import Settings

from jobs import attempts, registry
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


def test_a_job_whose_wake_up_was_lost_is_woken_by_the_reconciler(
    work: Work, kind: Callable[..., None]
) -> None:
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


def test_an_error_waits_before_it_is_tried_again_and_the_reconciler_comes_back_to_it(
    work: Work, kind: Callable[..., None], settings: Settings
) -> None:
    settings.JOB_RETRY_SECONDS = (3600.0,)
    tries: list[int] = []

    def crash(attempt: Attempt) -> None:
        tries.append(attempt.number)
        raise ValueError("broken")

    kind(crash)
    job = start()
    work()
    assert reconcile() == 1, "a pause longer than any we set was set by another clock"
    Job.objects.update(wake_at=timezone.now() + timedelta(seconds=60))
    assert reconcile() == 0
    Job.objects.update(wake_at=timezone.now() - timedelta(seconds=1))
    reconcile()
    work()
    assert (state_of(job), tries) == (State.RETRYING, [1, 2])
    assert str(job.sentence) == "Something went wrong; it is being tried again."


def test_a_handler_that_says_nothing_for_too_long_loses_the_job(
    work: Work, kind: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "LOOK_EVERY", 0.05)
    seen: list[int] = []

    def hang_once(attempt: Attempt) -> None:
        seen.append(attempt.number)
        while attempt.number == 1 and not attempt.must_end:
            pass
        attempt.check()

    kind(hang_once, silence=0.3)
    job = start()
    work()
    assert (state_of(job), seen) == (State.SUCCEEDED, [1, 2])
    assert job.failures[0]["reason"] == "No sign of life for 0 seconds."


def test_a_bug_in_what_is_told_of_the_end_does_not_keep_the_job_from_ending(
    work: Work, kind: Callable[..., None]
) -> None:
    def refuse(attempt: Attempt) -> None:
        raise Refusal("No.")

    def broken(job: Job) -> None:
        raise KeyError("told wrongly")

    kind(refuse, ended=broken)
    job = start()
    work()
    assert state_of(job) == State.FAILED and "told wrongly" in job.traceback


def test_work_that_this_version_does_not_know_fails_with_a_sentence_and_can_be_cancelled(work: Work) -> None:
    job, other = (Job.objects.create(kind="from-the-future", queue="quick") for _ in range(2))
    assert cancel(other)
    reconcile()
    work()
    assert state_of(job) == State.FAILED and "from-the-future" in str(job.sentence)
    assert state_of(other) == State.CANCELLED


def test_a_cancel_is_heard_at_the_next_check(
    work: Work, kind: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "LOOK_EVERY", 0.05)

    def until_told(attempt: Attempt) -> None:
        assert cancel(attempt.job)
        while True:
            attempt.check()

    kind(until_told)
    job = start()
    work()
    assert state_of(job) == State.CANCELLED and str(job.sentence) == "Cancelled."


def test_holding_outside_of_a_transaction_is_a_bug_that_is_said(
    work: Work, kind: Callable[..., None]
) -> None:
    kind(lambda attempt: attempt.hold())
    job = start()
    work()
    assert state_of(job) == State.PARKED and "hold() fences nothing" in job.traceback


def test_what_breaks_while_the_service_stops_is_not_held_against_the_job(
    work: Work, kind: Callable[..., None]
) -> None:
    def broken_by_the_stop(attempt: Attempt) -> None:
        if attempt.number == 1:
            attempts.stopping.set()
            raise ValueError("its child was ended by the same signal")
        attempts.stopping.clear()

    kind(broken_by_the_stop)
    job = start()
    try:
        work()
    finally:
        attempts.stopping.clear()
    assert (state_of(job), job.attempt, job.failures) == (State.SUCCEEDED, 2, [])


def test_a_job_that_keeps_something_before_each_crash_is_not_set_aside(
    work: Work, kind: Callable[..., None]
) -> None:
    def crash_after_a_checkpoint(attempt: Attempt) -> None:
        attempt.got_further(attempt.number if attempt.payload["growing"] else 1)
        if attempt.number < 6:
            raise ValueError("broken")

    kind(crash_after_a_checkpoint)
    job, stuck = start(growing=1), start(growing=0)
    work()
    assert (state_of(job), job.attempt, len(job.failures)) == (State.SUCCEEDED, 6, 5)
    assert (state_of(stuck), stuck.attempt) == (State.PARKED, 4)


def test_two_reconcilers_at_once_put_a_job_right_once(work: Work, kind: Callable[..., None]) -> None:
    kind(lambda attempt: None)
    job = start()
    Job.objects.filter(pk=job.pk).update(state=State.RUNNING, attempt=1, lease_until=None)
    with ThreadPoolExecutor(4) as threads:
        put_right = sum(threads.map(lambda _: in_a_thread(reconcile), range(4)))
    work()
    assert put_right >= 1 and state_of(job) == State.SUCCEEDED
    assert (job.attempt, len(job.failures)) == (2, 1)


def in_a_thread(act: Callable[[], int]) -> int:
    try:
        return act()
    finally:
        connection.close()


@pytest.mark.skipif(connection.vendor != "postgresql", reason="only a server can end a connection")
def test_a_database_that_ends_the_connection_is_told_as_the_reason_and_the_job_goes_on(
    work: Work, kind: Callable[..., None]
) -> None:
    def disturbed(attempt: Attempt) -> None:
        if attempt.number == 1:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")

    kind(disturbed)
    job = start()
    work()
    assert state_of(job) == State.SUCCEEDED
    assert job.failures[0]["reason"].startswith("OperationalError")
