"""A test set that is pinned to a model: later versions are judged on it and never learn from it."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from datasets.models import Dataset, Image, Label
from datasets.snapshots import take_named
from projects.models import AuditEntry
from tests.factories import Team
from tests.training.makers import add_picture, asked, drawn, finished, tagged
from training import manifest, pinned
from training.comparing import paired
from training.models import ModelVersion, PinnedSet, RegisteredModel
from training.splitting import HELD_BACK

RIGHT = np.array([[0.9, 0.1]] * 2 + [[0.2, 0.8]] * 20, dtype=np.float32)


def url(model: RegisteredModel) -> str:
    return f"/api/v1/models/{model.pk}/test-set"


def held_back(version: ModelVersion) -> set[str]:
    """The contents that it is judged on."""
    return {entry.sha256 for entry in manifest.load(version.manifest_key).part(HELD_BACK)}


def learned(version: ModelVersion) -> set[str]:
    """The contents that it learned from or was chosen by."""
    entries = manifest.load(version.manifest_key).entries
    return {entry.sha256 for entry in entries if entry.part != HELD_BACK}


def more(dataset: Dataset, label: str, start: int, count: int) -> None:
    for number in range(start, start + count):
        add_picture(dataset, drawn(label, number), label, f"{label}-{number}.png")


@pytest.fixture
def pin(model: RegisteredModel, version: ModelVersion, api: Callable[..., Client]) -> Callable[..., Any]:
    """Pin by the API what the first version held back, or something else."""

    def ask(**what: int) -> Any:
        body = what or {"version": version.number}
        return api("engineer").post(url(model), body, "application/json")

    return ask


def test_later_versions_are_judged_on_the_pinned_pictures_and_never_learn_from_them(
    team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion, pin: Callable[..., Any]
) -> None:
    answer = pin()
    assert answer.status_code == 201
    assert answer.json()["pictures"] == 4 and answer.json()["labels"] == {"blue": 2, "red": 2}
    more(discs, "red", 100, 10)
    more(discs, "blue", 100, 10)
    second = finished(model, discs, team.people["engineer"], RIGHT)
    assert held_back(second) == held_back(version)
    assert not learned(second) & held_back(version) and len(learned(second)) == 36
    assert second.split_facts["pinned"]["judged"] == 4 and second.report["overall"]["n"] == 4
    assert second.split_counts["red"] == {"train": 16, "validation": 2, "held_back": 2}
    change = paired(version, second)
    assert change and (change.n, change.won, change.lost) == (4, 1, 0)


def test_a_picture_that_looks_like_a_pinned_one_is_left_out_of_the_training(
    team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion, pin: Callable[..., Any]
) -> None:
    entry = next(e for e in manifest.load(version.manifest_key).part(HELD_BACK) if e.label == "red")
    Image.objects.filter(pk=entry.image).update(difference_hash=0b1011, group="burst-1")
    take_named(dataset=discs, user=team.people["engineer"], name="Autumn")
    snapshot = discs.snapshots.get(name="Autumn")
    assert pin(snapshot=snapshot.pk).status_code == 201  # all twenty
    more(discs, "red", 100, 6)
    more(discs, "blue", 100, 6)
    copy = add_picture(discs, drawn("red", 200), "red", "copy.png", difference_hash=0b1111)
    mate = add_picture(discs, drawn("red", 201), "red", "mate.png", group="burst-1")
    other = add_picture(discs, drawn("red", 202), "red", "other.png", difference_hash=2**40 - 1)
    second = finished(model, discs, team.people["engineer"], np.tile(RIGHT[:1], (20, 1)))
    assert not {copy.sha256, mate.sha256} & (learned(second) | held_back(second))
    assert other.sha256 in learned(second)
    facts = second.split_facts["pinned"]
    assert (facts["pictures"], facts["judged"], facts["kept_out"]) == (20, 20, 2)
    assert any("look like pictures of the test set: 2" in str(each) for each in second.split_sentences)


def test_what_became_of_pinned_pictures_is_said(
    team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion, pin: Callable[..., Any],
    api: Callable[..., Client],
) -> None:  # fmt: skip
    pin()
    blue = Label.objects.get(name="blue")
    red = Image.objects.filter(label__name="red", sha256__in=held_back(version)).order_by("pk")
    wrong, untagged = red[0], red[1]
    Image.objects.filter(pk=wrong.pk).update(label=blue)
    Image.objects.filter(pk=untagged.pk).update(label=None)
    gone = Image.objects.filter(label=blue, sha256__in=held_back(version)).exclude(pk=wrong.pk)[0]
    Image.objects.filter(pk=gone.pk).update(trashed_at=timezone.now())
    second = finished(model, discs, team.people["engineer"], np.tile(RIGHT[-1:], (20, 1)))
    facts = second.split_facts["pinned"]
    assert {name: facts[name] for name in ("pictures", "judged", "gone", "untagged", "relabelled")} == {
        "pictures": 4, "judged": 2, "gone": 1, "untagged": 1, "relabelled": 1,
    }  # fmt: skip
    entries = manifest.load(second.manifest_key).part(HELD_BACK)
    assert {e.label for e in entries if e.sha256 == wrong.sha256} == {"blue"}
    # Red lost both of its pinned pictures, so it is measured on some of its own.
    assert facts["uncovered"] == ["red"] and facts["beside"] == len(entries) - 2
    assert not {wrong.sha256, untagged.sha256, gone.sha256} & learned(second)
    said = api("viewer").get(f"/api/v1/models/{model.pk}/versions/2/report").json()["conclusion"]
    assert "not clearly better than always answering" in said.pop(1)  # of four pictures
    assert said[1] == "Judged on the pinned test set of 4 pictures."
    assert "2 could be judged on; 1 are deleted, 1 have no label any more" in said[2]
    assert said[3].endswith("judged under their label of now: 1.") and "(red): " in said[4]


def test_a_copy_of_a_pinned_picture_stands_in_for_it(
    team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion, pin: Callable[..., Any]
) -> None:
    pin()
    copied = tagged(team.project, {"red": 10, "blue": 10}, name="Copies")
    Dataset.objects.filter(pk=discs.pk).update(trashed_at=timezone.now())
    second = finished(model, copied, team.people["engineer"], RIGHT)
    assert held_back(second) == held_back(version)
    assert second.split_facts["pinned"]["gone"] == 0
    change = paired(version, second)
    assert change and change.n == 4


def test_another_label_is_measured_on_pictures_of_its_own(
    team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion, pin: Callable[..., Any]
) -> None:
    pin()
    more(discs, "green", 0, 10)
    second = finished(model, discs, team.people["engineer"], np.full((20, 3), 1 / 3, dtype=np.float32))
    assert held_back(second) > held_back(version) and len(held_back(second)) == 6
    assert second.split_facts["pinned"]["uncovered"] == ["green"]


def test_too_little_beside_the_test_set_is_refused_with_the_way_out(
    team: Team, discs: Dataset, model: RegisteredModel, pin: Callable[..., Any], api: Callable[..., Client]
) -> None:
    snapshot = take_named(dataset=discs, user=team.people["engineer"], name="All")
    assert pin(snapshot=snapshot.pk).status_code == 201
    body = {"applications": ["cloud-general"], "data": [{"dataset": discs.pk, "labels": "all"}]}
    answer = api("engineer").post(f"/api/v1/models/{model.pk}/versions", body, "application/json")
    assert (answer.status_code, answer.json()["code"]) == (422, "too-few-pictures")
    assert "red (0), blue (0)" in answer.json()["detail"] and "unpin" in answer.json()["detail"]


def test_one_test_set_at_a_time_and_unpinned_it_is_gone(
    team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion, pin: Callable[..., Any],
    api: Callable[..., Client],
) -> None:  # fmt: skip
    engineer = api("engineer")
    assert api("viewer").get(url(model)).json() is None
    pin()
    assert (pin().status_code, pin().json()["code"]) == (409, "already-pinned")
    assert api("viewer").get(url(model)).json()["version"] == 1
    (waiting,) = asked(model, team.people["engineer"], discs)
    assert engineer.delete(url(model)).status_code == 204
    assert engineer.delete(url(model)).json()["code"] == "nothing-pinned"
    assert api("viewer").get(url(model)).json() is None
    (after,) = asked(model, team.people["engineer"], discs)
    assert waiting.pinned_id and pinned.of_version(waiting) and after.pinned_id is None
    acts = AuditEntry.objects.filter(action__startswith="model.").order_by("pk")
    assert list(acts.values_list("action", flat=True)) == [
        "model.pin", "model.unpin",
    ]  # fmt: skip


def test_what_cannot_be_pinned_is_refused(
    team: Team, discs: Dataset, model: RegisteredModel, pin: Callable[..., Any]
) -> None:
    (queued,) = asked(model, team.people["engineer"], discs)
    assert pin(version=queued.number).json()["code"] == "nothing-to-pin"
    foreign = tagged(team.other, {"red": 5}, name="Elsewhere")
    snapshot = take_named(dataset=foreign, user=team.people["stranger"], name="Theirs")
    assert pin(snapshot=snapshot.pk).status_code == 404
    assert pin(version=99).status_code == 404
    assert pin(version=1, snapshot=1).status_code == 422
    assert not PinnedSet.objects.exists()


def test_the_model_s_page_pins_and_unpins(
    team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion, page: Callable[[str], Client]
) -> None:
    engineer, there = page("engineer"), f"/models/{model.pk}/"
    assert "What version 1 held back (4)" in engineer.get(there).content.decode()
    assert page("labeller").post(f"{there}test-set/pin/", {"source": "version:1"}).status_code == 403
    for wrong in ("", "version:x", "dataset:1", f"version:{'9' * 30}"):
        answer = engineer.post(f"{there}test-set/pin/", {"source": wrong}, follow=True)
        assert "Choose what to pin." in answer.content.decode()
    answer = engineer.post(f"{there}test-set/pin/", {"source": "version:1"}, follow=True)
    assert "4 pictures are pinned as the test set." in answer.content.decode()
    second = finished(model, discs, team.people["engineer"], RIGHT)
    report = engineer.get(f"{there}versions/{second.number}/report/").content.decode()
    assert "pinned test set of 4 pictures" in report
    compared = engineer.get(f"{there}compare/?version=1&version=2").content.decode()
    assert "Both were judged" not in compared  # the first was there before it
    third = finished(model, discs, team.people["engineer"], RIGHT)
    compared = engineer.get(f"{there}compare/?version=2&version={third.number}").content.decode()
    assert "Both were judged on the pinned test set of 4 pictures." in compared
    assert "pinned test set" in page("viewer").get(there).content.decode()
    answer = engineer.post(f"{there}test-set/unpin/", follow=True)
    assert "What version 1 held back (4)" in answer.content.decode()


def test_the_training_page_shows_what_the_test_set_holds_of_each_label_before_the_start(
    team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion, pin: Callable[..., Any],
    page: Callable[[str], Client],
) -> None:  # fmt: skip
    engineer, there = page("engineer"), f"/projects/{team.project.pk}/train/"
    assert "pinned to this model" not in engineer.get(there, {"model": model.pk}).content.decode()
    pin()
    more(discs, "red", 100, 10)
    Image.objects.filter(label__name="blue", sha256__in=held_back(version)).update(label=None)
    shown = engineer.get(there, {"model": model.pk})
    said = shown.content.decode()
    assert "4 pictures are pinned to this model as its test set; 2 of them can be judged on" in said
    assert "They stay out of the training, and so does what looks like them." in said
    labels = {each.name: (*each.sizes, each.pinned) for each in shown.context["preview"].labels}
    assert labels["red"] == (16, 2, 2, 2)  # as the version will have it
    assert (
        labels["blue"][-1] == 0 and sum(labels["blue"]) == 8
    )  # some of its own, as none of the pinned is left
    (asked_for,) = asked(model, team.people["engineer"], discs)
    assert asked_for.split_counts["red"] == {"train": 16, "validation": 2, "held_back": 2}
    new = engineer.get(there, {"model": "new"}).content.decode()
    assert "pinned to this model" not in new
    form = {"sent": "1", "model": str(model.pk), "dataset": str(discs.pk), "applications": "cloud-general"}
    assert "4 pictures are pinned to this model" in engineer.post(f"{there}preview/", form).content.decode()
    engineer.cookies["django_language"] = "zh-hans"
    assert "4 张图片固定为此模型的测试集" in engineer.get(there, {"model": model.pk}).content.decode()


def test_too_little_beside_the_test_set_is_said_before_the_start(
    team: Team, discs: Dataset, model: RegisteredModel, pin: Callable[..., Any], page: Callable[[str], Client]
) -> None:
    pin(snapshot=take_named(dataset=discs, user=team.people["engineer"], name="All").pk)
    shown = page("engineer").get(f"/projects/{team.project.pk}/train/", {"model": model.pk})
    assert "Tag more, or unpin the test set." in shown.content.decode()
    assert "red (0), blue (0)" in str(shown.context["problem"])


def test_what_an_import_wished_for_testing_is_not_counted_to_learn_from_beside_a_test_set(
    team: Team, discs: Dataset, model: RegisteredModel, version: ModelVersion, pin: Callable[..., Any]
) -> None:
    pin()
    known = held_back(version)
    for label in ("red", "blue"):
        rest = Image.objects.filter(label__name=label).exclude(sha256__in=known)
        Image.objects.filter(pk__in=list(rest.values_list("pk", flat=True)[:3])).update(split="test")
    second = finished(model, discs, team.people["engineer"], RIGHT)
    (waiting,) = asked(model, team.people["engineer"], discs, options={"split": "wishes"})
    assert waiting.split_counts["red"] == {"train": 4, "validation": 1, "held_back": 2}
    assert second.number + 1 == waiting.number
