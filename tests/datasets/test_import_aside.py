"""An import that was set aside keeps what was uploaded, until it is tried again, given up or too old."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.urls import reverse
from django.utils import timezone

from config.sweeping import sweep
from config.verify import findings
from datasets import ahead, importing
from datasets.imports import cancel_import, undo_import
from datasets.models import Import, ImportState
from jobs.ends import give_up_parked, try_again
from jobs.models import KEPT_ASIDE, Job, State
from tests.datasets.makers import begin, make_dataset, taken, zip_of
from tests.factories import Team, picture
from web.sentences import Refusal
from web.storage import StorageUnavailable

Work = Callable[[], None]


@pytest.fixture
def aside(work: Work, team: Team, monkeypatch: pytest.MonkeyPatch) -> Import:
    """An import whose storage stayed away after its first batch."""
    pictures = {f"cat/{colour}.png": picture(colour) for colour in ("red", "green", "blue")}
    found: Import = begin(team, make_dataset(team), ("a.zip", zip_of(pictures)))
    original = importing.take

    def take_one(*args: object) -> None:
        if Import.objects.get(pk=found.pk).imported:
            raise StorageUnavailable("images: no answer")
        original(*args)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(ahead, "BATCH_FILES", 1)
        patch.setattr(importing, "take", take_one)
        work()
    found.refresh_from_db()
    assert (found.state, found.imported, job_of(found).state) == (ImportState.FAILED, 1, State.PARKED)
    return found


def job_of(found: Import) -> Job:
    return Job.objects.get(pk=found.job_id or 0)


def kept(found: Import) -> bool:
    return all(default_storage.exists(source["key"]) for source in found.sources)


def test_its_page_says_what_happened_until_when_it_is_kept_and_offers_another_try(
    aside: Import, page: Callable[..., object]
) -> None:
    url = reverse("datasets:import-detail", args=[aside.pk])
    text = page("engineer").get(url).content.decode()  # type: ignore[attr-defined]
    assert "storage stayed away" in text and "is kept until" in text
    assert reverse("jobs:again", args=[aside.job_id]) in text
    assert "is kept until" in page("viewer").get(url).content.decode()  # type: ignore[attr-defined]
    assert reverse("jobs:again", args=[aside.job_id]) not in page("viewer").get(url).content.decode()  # type: ignore[attr-defined]


def test_tried_again_it_goes_on_where_it_stopped_and_then_forgets_the_upload(
    aside: Import, work: Work
) -> None:
    assert kept(aside) and try_again(job_of(aside))
    work()
    aside.refresh_from_db()
    assert (aside.state, aside.total, aside.imported) == (ImportState.READY, 3, 3)
    assert len(taken(aside.dataset)) == 3 and not kept(aside)
    assert not list(findings(grace=0))


def test_neither_a_start_nor_the_oracle_takes_its_upload_for_an_orphan(aside: Import) -> None:
    sweep()
    orphans = {each.where for each in findings(grace=0)}
    assert kept(aside) and not orphans & {source["key"] for source in aside.sources}


@pytest.mark.parametrize("act", ["cancel", "undo"])
def test_given_up_by_a_person_it_lets_go_of_the_upload(aside: Import, team: Team, act: str) -> None:
    if act == "cancel":
        assert cancel_import(aside)
    else:
        undo_import(found=aside, user=team.people["engineer"])
    aside.refresh_from_db()
    assert aside.state == (ImportState.CANCELLED if act == "cancel" else ImportState.UNDONE)
    assert not kept(aside) and job_of(aside).state == State.CANCELLED
    assert not try_again(job_of(aside))


def test_after_a_week_nobody_can_try_it_again_and_the_upload_goes(aside: Import) -> None:
    assert give_up_parked() == 0
    Job.objects.update(finished_at=timezone.now() - KEPT_ASIDE - timedelta(minutes=1))
    assert give_up_parked() == 1
    aside.refresh_from_db()
    assert (aside.state, aside.kept_until, kept(aside)) == (ImportState.FAILED, None, False)
    assert "storage stayed away" in str(aside.sentence) and not try_again(job_of(aside))


def test_without_its_upload_another_try_is_refused_with_a_sentence(aside: Import) -> None:
    default_storage.delete(aside.sources[0]["key"])
    with pytest.raises(Refusal, match="upload it again"):
        try_again(job_of(aside))
    assert job_of(aside).state == State.PARKED


def test_a_cancelled_job_that_names_no_import_is_no_error(team: Team) -> None:
    job = Job.objects.create(kind="datasets.import", queue="bulk", project=team.project)
    from jobs.queue import cancel

    assert cancel(job)
    job.refresh_from_db()
    assert (job.state, job.traceback) == (State.CANCELLED, "")
