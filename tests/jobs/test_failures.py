"""When a job is given up: three alike in a row without getting further, or too many altogether."""

from typing import Any

from jobs.failures import MOST_FAILURES, Cause, Failure, alike_in_a_row, gives_up
from web.storage import StorageUnavailable


def failure(like: str = "lost", done: int = 0, total: int = 100) -> dict[str, Any]:
    return {"like": like, "done": done, "total": total}


def test_three_alike_at_the_same_place_are_enough() -> None:
    assert not gives_up([failure(done=7)] * 2)
    assert gives_up([failure(done=7)] * 3)


def test_a_different_one_in_between_starts_the_count_anew() -> None:
    assert alike_in_a_row([failure("a"), failure("a"), failure("b"), failure("a")]) == 1


def test_a_job_that_gets_further_each_time_is_not_given_up() -> None:
    assert not gives_up([failure(done=number) for number in range(MOST_FAILURES - 1)])


def test_a_job_that_fails_a_little_earlier_or_later_without_resuming_is() -> None:
    assert gives_up([failure(done=done) for done in (500, 530, 498, 512)])


def test_what_was_overcome_by_lasting_work_does_not_count() -> None:
    overcome = failure() | {"mark": 7}
    assert alike_in_a_row([overcome] * 5) == 0
    assert not gives_up([*[overcome] * 5, failure(), failure()])
    assert gives_up([*[overcome] * 5, failure(), failure(), failure()])


def test_even_a_job_that_gets_further_is_given_up_at_some_time() -> None:
    assert gives_up([failure(done=number) for number in range(MOST_FAILURES)])


def test_the_same_error_with_another_text_is_alike_and_at_another_place_is_not() -> None:
    def at_one_place(text: str) -> Failure:
        try:
            raise ValueError(text)
        except ValueError as error:
            return Failure.of_error(error)

    try:
        raise ValueError("a")
    except ValueError as error:
        elsewhere = Failure.of_error(error)
    assert at_one_place("a").like == at_one_place("b").like != elsewhere.like


def test_running_out_of_memory_is_said_to_the_person() -> None:
    told = Failure.of_exit(9, memory=True)
    assert told.cause == Cause.MEMORY
    assert "out of memory" in str(told.sentence([failure("memory")] * 3))
    assert "signal 9 (SIGKILL)" in told.reason
    assert Failure.of_exit(3 << 8, memory=False).reason == "Its process ended with code 3."


def test_a_storage_that_stays_away_is_said_so_and_is_waited_for_longer() -> None:
    told = Failure.of_error(StorageUnavailable("images/ab: no answer"))
    once = failure("storage")
    assert told.like == "storage"
    assert str(told.sentence([once])) == "The file storage does not answer; it goes on once that is back."
    assert not gives_up([once] * 5) and gives_up([once] * 6)
    last = str(told.sentence([once] * 6))
    assert "storage stayed away" in last and "Nothing is lost" in last and "try it again" in last
