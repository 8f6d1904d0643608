"""Imports that meet trouble: killed, repeated, in parallel, cancelled, or asked for by somebody who left."""

import threading
from collections.abc import Callable
from types import ModuleType

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from datasets import ahead, importing
from datasets.imports import CannotUndo, cancel_import, undo_import
from datasets.models import Dataset, Image, Import, ImportState, NotTaken
from datasets.tagging import tag_images, trash_images
from jobs.models import State
from projects.models import Membership
from tests.datasets.makers import Work, begin, colours, make_dataset, outcomes, taken, zip_of
from tests.factories import Team, picture
from web.sentences import Refusal


def mixed(count: int = 23) -> dict[str, bytes]:
    """Pictures under two labels, a refusal and a repetition here and there."""
    files: dict[str, bytes] = {}
    for n, content in enumerate(colours(count)):
        files[f"{'cat' if n % 2 else 'dog'}/{n}.png"] = content
        if n % 5 == 0:
            files[f"cat/{n}.txt"] = b"text %d" % n
            files[f"dog/{n} again.png"] = content
    return files


def final_set(found: Import) -> tuple[object, ...]:
    """All that an import leaves behind, without numbers of rows."""
    found.refresh_from_db()
    images = found.images.order_by("position").values_list("position", "name", "sha256", "label__name", "key")
    refused = found.not_taken.order_by("position").values_list("position", "name", "outcome", "code")
    counts = (found.state, found.total, found.imported, found.duplicates, found.rejected)
    return counts, list(images), list(refused)


class Killed(BaseException):
    """As abrupt as a test can be."""


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BATCH_FILES", 4)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("written", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("moment", "nth"),
    [("begin", 1), ("prepare", 7), ("take", 1), ("record", 1), ("take", 3), ("record", 8), ("finish", 1)],
)
def test_a_killed_import_goes_on_and_ends_the_same(
    work: Work, team: Team, monkeypatch: pytest.MonkeyPatch, moment: str, nth: int, written: bool
) -> None:
    archive = ("a.zip", zip_of(mixed()))
    quiet = begin(team, make_dataset(team, "Quiet"), archive)
    work()
    dataset = make_dataset(team)
    found = begin(team, dataset, archive)
    place = place_of(moment)
    original, calls = getattr(place, moment), []

    def dies(*args: object, **kwargs: object) -> object:
        calls.append(1)
        if len(calls) == nth:
            if written:
                original(*args, **kwargs)
            raise Killed
        return original(*args, **kwargs)

    monkeypatch.setattr(place, moment, dies)
    run_once(found)
    assert len(calls) >= nth
    monkeypatch.setattr(place, moment, original)
    run_once(found)
    assert final_set(found) == final_set(quiet)
    assert found.total == found.imported + found.duplicates + found.rejected


def place_of(moment: str) -> ModuleType:
    """The module in which an import meets it."""
    return ahead if hasattr(ahead, moment) else importing


def run_once(found: Import) -> None:
    """One attempt at the job, without a worker around it to keep alive."""
    from jobs.attempts import Attempt
    from jobs.models import Job

    Job.objects.filter(pk=found.job_id).update(state=State.QUEUED)
    attempt = Attempt.claim(found.job_id)
    assert attempt is not None
    try:
        importing.run(attempt)
    except Killed:
        return


@pytest.mark.usefixtures("small_batches")
def test_an_overtaken_import_writes_nothing_more(
    work: Work, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    from jobs.attempts import Attempt, LostLease
    from jobs.models import Job

    found = begin(team, make_dataset(team), ("a.zip", zip_of(mixed())))
    attempt = Attempt.claim(found.job_id)
    original = importing.take

    def overtaken(*args: object) -> None:
        Job.objects.filter(pk=found.job_id).update(attempt=attempt.number + 1)
        original(*args)

    monkeypatch.setattr(importing, "take", overtaken)
    with pytest.raises(LostLease):
        importing.run(attempt)
    assert not Image.objects.exists() and not NotTaken.objects.exists()


@pytest.mark.usefixtures("small_batches")
def test_a_file_that_the_batch_before_brings_is_prepared_once_and_a_duplicate(
    work: Work, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared: list[bytes] = []
    original = ahead.prepare

    def counted(content: bytes, sha256: str) -> object:
        prepared.append(content)
        return original(content, sha256)

    monkeypatch.setattr(ahead, "prepare", counted)
    pictures = colours(6)
    files = [*pictures[:4], b"no picture", pictures[3], pictures[4], pictures[3], pictures[5], b"no picture"]
    names = {f"cat/{number}.png": content for number, content in enumerate(files)}
    found = begin(team, make_dataset(team), ("a.zip", zip_of(names)))
    work()
    found.refresh_from_db()
    assert (found.total, found.imported, found.duplicates, found.rejected) == (10, 6, 2, 2)
    assert sorted(prepared) == sorted([*pictures, b"no picture"])


def test_the_same_zip_again_brings_only_duplicates(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    archive = ("a.zip", zip_of(mixed(5)))
    first = begin(team, dataset, archive)
    second = begin(team, dataset, archive)
    work()
    for found in (first, second):
        found.refresh_from_db()
    assert (first.total, first.imported, first.duplicates, first.rejected) == (7, 5, 1, 1)
    assert (second.total, second.imported, second.duplicates, second.rejected) == (7, 0, 6, 1)
    assert dataset.images.count() == 5


def test_a_repetition_under_another_label_says_so(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    found = begin(team, dataset, ("a.zip", zip_of({"cat/1.png": picture(), "dog/2.png": picture()})))
    work()
    row = found.not_taken.get()
    assert (row.name, row.code, row.same_as) == ("dog/2.png", "duplicate-other-label", dataset.images.get())
    assert "cat" in str(row.sentence) and "dog" in str(row.sentence)


def test_two_imports_at_the_same_moment_store_each_picture_once(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    archive = ("a.zip", zip_of(mixed(30)))
    imports = [begin(team, dataset, archive) for _ in range(3)]
    failures: list[BaseException] = []

    def one(found: Import) -> None:
        try:
            run_once(found)
        except BaseException as error:  # noqa: BLE001
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=one, args=(found,)) for found in imports]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    for found in imports:
        found.refresh_from_db()
        assert found.state == ImportState.READY
        assert found.total == found.imported + found.duplicates + found.rejected
    assert sum(found.imported for found in imports) == dataset.images.count() == 30


def test_a_picture_in_the_trash_comes_back_by_its_upload(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    begin(team, dataset, ("1.png", picture()), label_name="cat")
    work()
    action = trash_images(dataset=dataset, user=team.people["engineer"], chosen=dataset.images.all())
    assert action.changed == 1
    again = begin(team, dataset, ("again.zip", zip_of({"dog/2.png": picture()})))
    work()
    again.refresh_from_db()
    assert (again.imported, again.duplicates) == (1, 0)
    assert taken(dataset) == {"2.png": "dog"}


def test_uploads_are_removed_once_they_are_imported(work: Work, team: Team) -> None:
    found = begin(team, make_dataset(team), ("1.png", picture()))
    key = found.sources[0]["key"]
    assert default_storage.exists(key)
    work()
    assert not default_storage.exists(key)


def test_cancelling_a_waiting_import_ends_it_and_removes_its_uploads(work: Work, team: Team) -> None:
    found = begin(team, make_dataset(team), ("1.png", picture()))
    assert cancel_import(found)
    found.refresh_from_db()
    assert found.state == ImportState.CANCELLED
    assert not default_storage.exists(found.sources[0]["key"])
    work()
    assert not found.dataset.images.exists()


@pytest.mark.usefixtures("small_batches")
def test_cancelling_a_running_import_keeps_what_it_took(
    work: Work, team: Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = begin(team, make_dataset(team), ("a.zip", zip_of(mixed())))
    original: Callable[..., None] = importing.take

    def take_and_cancel(attempt: object, *args: object) -> None:
        original(attempt, *args)
        found.job.refresh_from_db()
        cancel_import(found)
        attempt._cancel.set()  # type: ignore[attr-defined]

    monkeypatch.setattr(importing, "take", take_and_cancel)
    work()
    found.refresh_from_db()
    assert (found.state, found.imported + found.duplicates + found.rejected) == (ImportState.CANCELLED, 4)
    assert found.job.state == State.CANCELLED


def test_whoever_lost_the_right_to_upload_imports_nothing(work: Work, team: Team) -> None:
    found = begin(team, make_dataset(team), ("1.png", picture()))
    Membership.objects.filter(project=team.project, user=team.people["labeller"]).delete()
    work()
    found.refresh_from_db()
    assert (found.state, found.imported) == (ImportState.FAILED, 0)
    assert "may no longer do so" in str(found.sentence)


def test_a_data_set_in_the_trash_takes_nothing_more(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    found = begin(team, dataset, ("1.png", picture()))
    Dataset.objects.filter(pk=dataset.pk).update(trashed_at="2026-01-01T00:00Z")
    work()
    found.refresh_from_db()
    assert found.state == ImportState.FAILED


def test_an_import_is_taken_back_as_a_whole(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    begin(team, dataset, ("keep.png", picture("blue")))
    found = begin(team, dataset, ("1.png", picture("red")), ("2.png", picture("green")))
    with pytest.raises(CannotUndo):
        undo_import(found=found, user=team.people["engineer"])
    work()
    found.refresh_from_db()
    assert undo_import(found=found, user=team.people["engineer"]).changed == 2
    found.refresh_from_db()
    assert (found.state, set(taken(dataset))) == (ImportState.UNDONE, {"keep.png"})


def test_folders_that_cannot_be_labels_refuse_their_files(work: Work, team: Team, settings) -> None:
    settings.MAX_LABELS = 2
    files = {
        "a:b/1.png": "red",
        "c/2.png": "green",
        "d/3.png": "blue",
        "e/4.png": "white",
        "x" * 65 + "/5.png": "pink",
    }
    found = begin(
        team, make_dataset(team), ("a.zip", zip_of({name: picture(c) for name, c in files.items()}))
    )
    work()
    assert sorted(outcomes(found).values()) == ["bad-label", "bad-label", "too-many-labels"]
    assert found.dataset.labels.count() == 2


def test_a_bad_label_or_encoding_is_refused_at_once(team: Team) -> None:
    dataset = make_dataset(team)
    for more in ({"label_name": "a/b"}, {"encoding": "utf-7"}):
        with pytest.raises(Refusal):
            begin(team, dataset, ("1.png", picture()), **more)
    with pytest.raises(Refusal):
        begin(team, dataset)
    assert not Import.objects.exists()


def test_tagging_while_an_import_runs_is_kept(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    begin(team, dataset, ("1.png", picture("red")))
    work()
    label = dataset.labels.create(name="cat")
    tag_images(dataset=dataset, user=team.people["labeller"], chosen=dataset.images.all(), label=label)
    begin(team, dataset, ("1.png", picture("red")), ("2.png", picture("blue")), label_name="dog")
    work()
    assert taken(dataset) == {"1.png": "cat", "2.png": "dog"}
