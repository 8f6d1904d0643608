"""The history of a model: changes on the same pictures, two versions beside each other, notes, archive, deletion."""

from collections.abc import Callable

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client

from datasets.models import Dataset, Image
from projects.models import AuditEntry
from serving.models import ServiceState
from serving.publication import request_service
from serving.revisions import add_revision, whole
from tests.factories import Team
from tests.training.makers import finished
from training import comparing, provenance, removing
from training.comparing import Paired
from training.history import rows_of_model
from training.models import ModelVersion, RegisteredModel

Page = Callable[[str], Client]
V1 = "versions/1/"
# Red, red, blue, blue: the first version takes the second red for blue; this one the first blue for red.
OTHER = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.3, 0.7]], dtype=np.float32)


def at(model: RegisteredModel, rest: str = "") -> str:
    return f"/models/{model.pk}/{rest}"


def api_at(model: RegisteredModel, number: int = 1) -> str:
    return f"/api/v1/models/{model.pk}/versions/{number}"


@pytest.fixture
def second(team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion) -> ModelVersion:
    """A second version on the same pictures."""
    return finished(model, discs, team.people["engineer"], OTHER)


def test_a_change_is_measured_on_the_pictures_of_both(
    model: RegisteredModel, version: ModelVersion, second: ModelVersion
) -> None:
    newest, first = rows_of_model(model)
    assert newest.paired == Paired(n=4, won=1, lost=1) and newest.change == 0 and newest.way == ""
    assert first.before is None and first.paired is None


def test_a_version_for_another_application_is_not_compared_with(
    model: RegisteredModel, version: ModelVersion, second: ModelVersion
) -> None:
    ModelVersion.objects.filter(pk=second.pk).update(application="edge-fast")
    assert rows_of_model(model)[0].before is None


def test_other_pictures_are_called_other_pictures(
    page: Page, model: RegisteredModel, version: ModelVersion, second: ModelVersion
) -> None:
    from training import predictions

    rows = [
        predictions.Prediction(900 + at, row.file, row.true, row.predicted, row.scores)
        for at, row in enumerate(predictions.load(second.predictions_key))
    ]
    ModelVersion.objects.filter(pk=second.pk).update(predictions_key=predictions.save(rows))
    assert rows_of_model(model)[0].paired is None
    assert "1 was judged on other pictures" in page("viewer").get(at(model)).content.decode()


@pytest.mark.parametrize(
    ("won", "lost", "p", "sure"), [(0, 0, 1.0, False), (5, 1, 0.21875, False), (10, 1, 0.01171875, True)]
)
def test_the_exact_test_says_what_chance_explains(won: int, lost: int, p: float, sure: bool) -> None:
    change = Paired(n=100, won=won, lost=lost)
    assert change.p == pytest.approx(p) and change.sure is sure
    low, high = change.interval
    assert low <= change.change <= high


def test_the_interval_of_a_change_is_the_published_one() -> None:
    # Bonett and Price 2012: p12 = 10/52, p21 = 3/52 for 9 and 2 of 50.
    low, high = Paired(n=50, won=9, lost=2).interval
    assert [low, high] == pytest.approx([0.003734, 0.265496], abs=1e-6)


def test_verdicts_read_names_with_commas_and_quotes() -> None:
    from training import predictions

    key = predictions.save([predictions.Prediction(7, 'a", [b].png', "x, y", "狗", (0.5, 0.5))])
    assert list(comparing.verdicts(key)) == [comparing.Verdict(7, 'a", [b].png', "x, y", "狗")]


def test_two_ticks_lead_to_the_compare_page(
    page: Page, model: RegisteredModel, version: ModelVersion, second: ModelVersion
) -> None:
    assert "Compare version 2" in page("viewer").get(at(model)).content.decode()
    content = page("viewer").get(at(model, "compare/?version=2&version=1")).content.decode()
    assert "version 2 names 1 right that version 1 got wrong, and 1 wrong" in content
    assert content.count('class="thumb"') == 2 and "McNemar, p = 1.00" in content
    won = page("viewer").get(at(model, "compare/?version=1&version=2&only=won")).content.decode()
    assert won.count('class="thumb"') == 1


def test_tables_without_links_are_scrolled_by_keyboard(
    page: Page, model: RegisteredModel, second: ModelVersion
) -> None:
    content = page("viewer").get(at(model, "compare/?version=1&version=2")).content.decode()
    boxes = content.split('<div class="table-box"')[1:]
    assert len(boxes) == 3
    assert all('tabindex="0"' in box[:90] and 'aria-labelledby="' in box[:90] for box in boxes)


@pytest.mark.parametrize(
    "query", ["", "?version=1", "?version=1&version=1", "?version=a&version=99", "?version=²"]
)
def test_other_than_two_versions_lead_back_with_a_sentence(
    page: Page, model: RegisteredModel, version: ModelVersion, query: str
) -> None:
    answer = page("viewer").get(at(model, f"compare/{query}"), follow=True)
    assert "Tick two versions" in answer.content.decode()


def test_the_training_set_shows_labels_parts_effect_and_pictures(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    content = page("viewer").get(at(model, V1 + "data/")).content.decode()
    assert content.count('class="thumb"') == 20 and "50.0\N{NO-BREAK SPACE}%" in content
    held = page("viewer").get(at(model, V1 + "data/?label=red&part=held_back")).content.decode()
    assert held.count('class="thumb"') == 2


def test_pictures_that_are_gone_are_shown_as_gone(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    Image.objects.filter(label__name="red").first().delete()  # type: ignore[union-attr]
    content = page("viewer").get(at(model, V1 + "data/?label=red")).content.decode()
    assert content.count("thumb-gone") == 1 and "1 is gone since" in content


def test_a_changed_tag_shows_beside_the_one_it_learned(
    page: Page, model: RegisteredModel, version: ModelVersion, discs: Dataset
) -> None:
    image = Image.objects.filter(label__name="red").first()
    assert image
    image.label = discs.labels.get(name="blue")
    image.save()
    assert "now blue" in page("viewer").get(at(model, V1 + "data/?label=red")).content.decode()


def test_training_again_fills_the_form_as_it_was(
    page: Page, team: Team, model: RegisteredModel, version: ModelVersion
) -> None:
    options = {"patience": 7, "class_weights": "none"}
    ModelVersion.objects.update(application="edge-fast", optimise_for="f1", max_minutes=3, options=options)
    answer = page("engineer").get(at(model, V1 + "again/"), follow=True)
    form = answer.context["form"]
    assert (form.applications, form.optimise_for, form.minutes, form.patience) == (
        ["edge-fast"],
        "f1",
        3.0,
        "7",
    )
    assert form.class_weights == "off" and form.existing == model
    assert form.wanted_data == [{"dataset": version.data[0]["dataset"], "labels": ["red", "blue"]}]


def test_notes_are_written_by_engineers_and_say_who_and_when(
    page: Page, model: RegisteredModel, version: ModelVersion
) -> None:
    page("engineer").post(at(model, V1 + "notes/"), {"notes": "Brighter discs.\r\n<b>Next</b>"})
    version.refresh_from_db()
    assert version.notes == "Brighter discs.\n<b>Next</b>" and version.noted_at
    content = page("viewer").get(at(model, V1 + "details/")).content.decode()
    assert "&lt;b&gt;Next" in content and "engineer" in content and "Save notes" not in content
    assert page("labeller").post(at(model, V1 + "notes/"), {"notes": "x"}).status_code == 403
    assert AuditEntry.objects.filter(action="version.notes").count() == 1


def test_notes_that_are_too_long_are_refused(api: Callable[[str], Client], model: RegisteredModel,
                                             version: ModelVersion) -> None:  # fmt: skip
    answer = api("engineer").patch(api_at(model), {"notes": "x" * 4001}, content_type="application/json")
    assert answer.status_code == 422


def test_an_archived_version_leaves_the_lists_and_comes_back(
    page: Page, api: Callable[[str], Client], model: RegisteredModel, version: ModelVersion
) -> None:
    page("engineer").post(at(model, V1 + "archive/"))
    assert at(model, V1) + '"' not in page("viewer").get(at(model)).content.decode()
    assert at(model, V1) in page("viewer").get(at(model, "?archived")).content.decode()
    assert not ModelVersion.objects.usable().exists()
    listing = f"/api/v1/models/{model.pk}/versions"
    assert api("viewer").get(listing).json()["items"] == []
    assert api("viewer").get(f"{listing}?archived=true").json()["items"][0]["archived"] is True
    body = {"archived": False, "notes": "Back."}
    answer = api("engineer").patch(api_at(model), body, content_type="application/json").json()
    assert (answer["archived"], answer["notes"]) == (False, "Back.")


def test_a_version_that_a_service_serves_is_neither_archived_nor_deleted(
    page: Page, api: Callable[[str], Client], team: Team, model: RegisteredModel, version: ModelVersion,
    second: ModelVersion,
) -> None:  # fmt: skip
    service = request_service(
        project=team.project, version=version, name="Discs", slug="discs", by=team.people["owner"]
    )
    answer = api("engineer").patch(api_at(model), {"archived": True}, content_type="application/json")
    assert answer.status_code == 409 and "discs" in answer.json()["detail"]
    assert api("engineer").delete(api_at(model)).status_code == 409
    add_revision(service, [whole(second)], threshold=None, by=team.people["owner"])
    assert (
        api("engineer").delete(api_at(model)).json()["code"] == "version-in-use"
    )  # a roll back would need it
    assert "cannot be deleted" in page("engineer").get(at(model, V1 + "delete/")).content.decode()
    assert service.state == ServiceState.REQUESTED and ModelVersion.objects.filter(pk=version.pk).exists()


def test_deleting_releases_the_files_and_never_gives_the_number_again(
    page: Page, team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion,
    django_capture_on_commit_callbacks: Callable[..., object],
) -> None:  # fmt: skip
    before = removing.frees(version)
    shown = page("engineer").get(at(model, V1 + "delete/")).content.decode()
    assert before > 4 and "Delete version 1 and release" in shown
    assert ModelVersion.objects.exists()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        answer = page("engineer").post(at(model, V1 + "delete/"), {"confirmed": "1"})
    assert answer["Location"] == at(model) and not ModelVersion.objects.exists()
    assert not any(default_storage.exists(key) for key in (version.file_key, version.predictions_key))
    assert AuditEntry.objects.get(action="version.delete").detail == {"bytes": before}
    assert finished(model, discs, team.people["engineer"], OTHER).number == 2


def test_files_that_another_version_has_stay(
    model: RegisteredModel, version: ModelVersion, second: ModelVersion,
    django_capture_on_commit_callbacks: Callable[..., object], team: Team,
) -> None:  # fmt: skip
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[attr-defined]
        removing.remove(version=second, user=team.people["engineer"])
    assert second.file_key == version.file_key and default_storage.exists(version.file_key)
    assert not default_storage.exists(second.predictions_key)


def test_a_running_training_is_not_deleted(
    api: Callable[[str], Client], model: RegisteredModel, version: ModelVersion
) -> None:
    ModelVersion.objects.update(state="training")
    assert api("engineer").delete(api_at(model)).json()["code"] == "not-over"


def test_what_produced_a_version_is_complete(
    page: Page, api: Callable[[str], Client], model: RegisteredModel, version: ModelVersion
) -> None:
    provenance.stamp(version.pk)
    made = api("viewer").get(api_at(model)).json()["produced_by"]
    assert made["code_sha256"] == provenance.code_version() and made["machine"]["cores"] >= 1
    assert made["manifest_sha256"] in version.manifest_key and made["file"]["sha256"] == version.file_sha256
    assert made["settings"]["data"] == version.data and "onnxruntime" in made["libraries"]
    answer = page("viewer").get(api_at(model) + "/provenance.json")
    assert answer.json() == made and "attachment" in answer["Content-Disposition"]
    assert made["code_sha256"] in page("viewer").get(at(model, V1 + "details/")).content.decode()


@pytest.mark.parametrize("rest", ["compare/", V1 + "data/", V1 + "details/", V1 + "again/", V1 + "delete/"])
def test_a_stranger_gets_404(page: Page, model: RegisteredModel, version: ModelVersion, rest: str) -> None:
    assert page("stranger").get(at(model, rest)).status_code == 404
    assert page("engineer").put(at(model, rest)).status_code == 405


@pytest.mark.parametrize("verb", ["notes", "archive", "bring-back"])
def test_acts_are_for_engineers_and_by_post(
    page: Page, model: RegisteredModel, version: ModelVersion, verb: str
) -> None:
    assert page("engineer").get(at(model, f"{V1}{verb}/")).status_code == 405
    assert page("labeller").post(at(model, f"{V1}{verb}/")).status_code == 403
    assert page("stranger").post(at(model, f"{V1}{verb}/")).status_code == 404
