"""The files in which acts in the background keep what was chosen."""

from datetime import timedelta

import pytest
from django.core.files.storage import default_storage

from datasets import chosen_files
from jobs.models import Job, State
from web import storage

NOW = timedelta(0)


def job(key: str, state: State) -> Job:
    return Job.objects.create(kind="datasets.tag", queue="quick", payload={"selection": key}, state=state)


@pytest.mark.django_db
def test_a_file_goes_once_its_job_has_ended_and_not_before() -> None:
    running, ended = chosen_files.keep([1]), chosen_files.keep([2])
    job(running, State.RUNNING)
    job(ended, State.SUCCEEDED)
    assert chosen_files.tidy(NOW) == 1
    assert chosen_files.read(running) == [1]
    assert not default_storage.exists(ended)


@pytest.mark.django_db
def test_one_that_was_set_aside_keeps_its_file_as_long_as_it_can_be_tried_again() -> None:
    from django.utils import timezone

    from jobs.models import KEPT_ASIDE

    key = chosen_files.keep([1])
    aside = job(key, State.PARKED)
    aside.finished_at = timezone.now()
    aside.save()
    assert chosen_files.tidy(NOW) == 0
    aside.finished_at -= KEPT_ASIDE
    aside.save()
    assert chosen_files.tidy(NOW) == 1


@pytest.mark.django_db
def test_what_was_only_just_written_waits_for_its_job_to_be_known() -> None:
    key = chosen_files.keep([1])
    assert chosen_files.tidy() == 0
    assert chosen_files.tidy(NOW) == 1 and not default_storage.exists(key)


@pytest.mark.django_db
def test_files_that_earlier_versions_named_by_their_content_go_too() -> None:
    key = storage.put_bytes("selections", b"[1]", ".json")
    assert chosen_files.tidy(NOW) == 1
    assert not default_storage.exists(key)


@pytest.mark.django_db
def test_two_acts_on_the_same_pictures_do_not_share_a_file() -> None:
    assert chosen_files.keep([1, 2]) != chosen_files.keep([1, 2])
