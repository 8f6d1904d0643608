"""Jobs on pages: what people see of them, and what the operator can do."""

from collections.abc import Callable
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django.fixtures import Settings

from jobs.models import Job, State
from tests.factories import Team
from web.sentences import Sentence

Page = Callable[[str], Client]


@pytest.fixture
def job(team: Team) -> Job:
    return Job.objects.create(
        project=team.project,
        kind="datasets.import",
        queue="bulk",
        state=State.RETRYING,
        message=Sentence("Its worker went away; it goes on by itself.").to_json(),
        failures=[
            {"attempt": 1, "at": "2026-01-01", "reason": "<b>gone</b>", "holder": "h", "done": 1, "total": 2}
        ],
    )


def test_a_recovering_job_says_so_on_the_list_and_on_its_bar(page: Page, team: Team, job: Job) -> None:
    for url in (reverse("jobs:list", args=[team.project.pk]), reverse("jobs:progress", args=[job.pk])):
        text = page("viewer").get(url).content.decode()
        assert "Recovering" in text and "it goes on by itself" in text


def test_a_bar_polls_until_its_job_has_ended(page: Page, job: Job) -> None:
    url = reverse("jobs:progress", args=[job.pk])
    assert "data-poll-url" in page("viewer").get(url).content.decode()
    Job.objects.update(state=State.PARKED)
    assert "data-poll-url" not in page("viewer").get(url).content.decode()


def test_a_cancel_is_a_post_of_somebody_who_may(page: Page, job: Job) -> None:
    url = reverse("jobs:cancel", args=[job.pk])
    assert page("labeller").get(url).status_code == 405
    assert page("stranger").post(url).status_code == 404
    assert page("viewer").post(url).status_code == 403
    assert page("labeller").post(url).status_code == 403  # it is somebody else's
    assert page("engineer").post(url).status_code == 302
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_a_labeller_cancels_what_they_started(page: Page, job: Job, team: Team) -> None:
    Job.objects.filter(pk=job.pk).update(created_by=team.people["labeller"])
    assert page("labeller").post(reverse("jobs:cancel", args=[job.pk])).status_code == 302
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_a_site_without_its_queue_is_ready_but_degraded(
    client: Client, db: None, settings: Settings, tmp_path: Path
) -> None:
    settings.REDIS_URL = f"unix://{tmp_path / 'none.sock'}"
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["degraded"]["queue"]) == (200, "cannot be reached")


def test_a_stranger_sees_no_job(page: Page, team: Team, job: Job) -> None:
    for name, number in (("list", team.project.pk), ("count", team.project.pk), ("progress", job.pk)):
        assert page("stranger").get(reverse(f"jobs:{name}", args=[number])).status_code == 404


def test_the_operator_reads_every_failure_and_tries_a_parked_job_again(
    client: Client, team: Team, job: Job
) -> None:
    client.force_login(User.objects.create_superuser("operator", password="secret-word-1"))
    Job.objects.update(kind="datasets.embed", state=State.PARKED, traceback="Traceback: <script>")
    text = client.get(reverse("admin:jobs_job_change", args=[job.pk])).content.decode()
    assert "&lt;b&gt;gone&lt;/b&gt;" in text and "Traceback: &lt;script&gt;" in text
    chosen = {"_selected_action": [job.pk], "action": "run_again"}
    client.post(reverse("admin:jobs_job_changelist"), chosen)
    job.refresh_from_db()
    assert (job.state, job.failures) == (State.QUEUED, [])
    client.post(reverse("admin:jobs_job_changelist"), chosen | {"action": "cancel_jobs"})
    job.refresh_from_db()
    assert job.state == State.CANCELLED


def test_upkeep_is_listed_only_where_it_went_wrong(page: Page, team: Team) -> None:
    for state in (State.SUCCEEDED, State.RUNNING, State.PARKED):
        Job.objects.create(project=team.project, kind="datasets.suggest", queue="quick", state=state)
    shown = page("viewer").get(reverse("jobs:list", args=[team.project.pk])).context["jobs"]
    assert [each.state for each in shown] == [State.PARKED]


def test_a_job_that_was_set_aside_is_tried_again_by_its_asker_or_an_engineer(
    page: Page, team: Team, job: Job
) -> None:
    Job.objects.update(kind="datasets.embed", state=State.PARKED)
    url = reverse("jobs:again", args=[job.pk])
    assert page("labeller").get(url).status_code == 405
    assert page("stranger").post(url).status_code == 404
    assert page("viewer").post(url).status_code == 403
    assert page("labeller").post(url).status_code == 403  # it is somebody else's
    assert (
        "Try again" not in page("viewer").get(reverse("jobs:list", args=[team.project.pk])).content.decode()
    )
    text = page("engineer").post(url, follow=True).content.decode()
    job.refresh_from_db()
    assert "It is tried again." in text and (job.state, job.failures) == (State.QUEUED, [])
