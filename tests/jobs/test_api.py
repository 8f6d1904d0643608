"""A job over the API: what was answered with 202 can be followed."""

from collections.abc import Callable

from django.test import Client

from jobs.models import Job, State
from tests.factories import Team
from web.sentences import Sentence

Api = Callable[[str], Client]


def test_a_job_says_its_state_how_far_it_is_and_why(api: Api, team: Team) -> None:
    said = Sentence("Setting the pictures back").to_json()
    job = Job.objects.create(
        project=team.project,
        kind="datasets.restore",
        queue="bulk",
        state=State.RUNNING,
        message=said,
        done=1,
        total=4,
    )
    answer = api("viewer").get(f"/api/v1/jobs/{job.pk}").json()
    assert answer["state"] == "running"
    assert answer["progress"] == 0.25
    assert answer["message"] == "Setting the pictures back"
    assert answer["finished_at"] is None


def test_a_strangers_job_is_not_there_and_nothing_else_can_be_done_with_it(api: Api, team: Team) -> None:
    job = Job.objects.create(project=team.project, kind="datasets.restore", queue="bulk")
    assert api("stranger").get(f"/api/v1/jobs/{job.pk}").status_code == 404
    assert api("viewer").get(f"/api/v1/jobs/{2**70}").status_code == 404
    assert api("owner").delete(f"/api/v1/jobs/{job.pk}").status_code == 405
