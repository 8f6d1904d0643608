"""Going on from an earlier version: refused early where it cannot be, and never judged on what it learned from."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from datasets.models import Dataset, Image
from datasets.snapshots import take_snapshot
from tests.factories import Team
from tests.training.makers import add_picture, asked, drawn, model_of, tagged
from training import manifest, tuning, wishes
from training.keeping import NothingLeft, kept_apart
from training.manifest import Entry, Manifest
from training.models import ModelVersion, RegisteredModel
from training.split_words import split_sentences
from training.warm import FINE_TUNED, NoWarmStart, fair
from web import storage

Work = Callable[[], None]
Page = Callable[[str], Client]
PARTS = {"t": "train", "v": "validation", "h": "held_back"}


def dealt(**labels: str) -> Manifest:
    """A manifest in short: red="a:t b:h c+d:v" is picture a to train on, b held back, c and d alike."""
    entries = []
    for label, text in labels.items():
        for group, members in enumerate(text.split()):
            names, part = members.split(":")
            entries += [Entry(0, each, each, each, label, PARTS[part], group) for each in names.split("+")]
    return Manifest(tuple(labels), tuple(entries), ())


def looking(data: Manifest, **looks: int) -> Manifest:
    """The same with difference hashes."""
    return replace(data, entries=tuple(replace(each, look=looks.get(each.sha256)) for each in data.entries))


def parts(found: Manifest) -> dict[str, str]:
    return {entry.sha256: entry.part[0] for entry in found.entries}


def test_what_the_source_knows_stays_where_it_was_and_what_is_new_as_it_was_dealt() -> None:
    source = dealt(red="a:t b:v c:h")
    found = kept_apart(dealt(red="a:h b:h c:t n:t m:h"), source, 3)
    assert parts(found) == {"a": "t", "b": "v", "c": "h", "n": "t", "m": "h"}
    assert found.facts["warm_start"] == {
        "version": 3, "known": 3, "not_judged": 2, "left_out": 0, "copies": 0,
    }  # fmt: skip


def test_what_looks_like_a_learned_picture_is_not_held_back_either() -> None:
    found = kept_apart(dealt(red="a+n:h c+m:t x:h"), dealt(red="a:t c:h"), 1)
    assert parts(found) == {"a": "t", "n": "t", "c": "h", "m": "h", "x": "h"}


def test_a_picture_that_has_another_label_now_was_learned_from_all_the_same() -> None:
    found = kept_apart(dealt(red="x:t y:h", blue="a:h z:t w:h"), dealt(red="a:t"), 1)
    assert parts(found)["a"] == "t"


def test_what_versions_before_the_source_learned_from_counts_too() -> None:
    first = dealt(red="a:t b:t h:h")
    second = kept_apart(dealt(red="b:t h:h"), first, 1)
    assert second.learned_before == ("a",)
    third = kept_apart(dealt(red="a:h b:h h:h n:t"), second, 2)
    assert parts(third) == {"a": "t", "b": "t", "h": "h", "n": "t"}
    assert manifest.Manifest(**vars(third)).learned_before == ()


def test_of_a_test_set_what_was_learned_from_is_left_out_altogether() -> None:
    data = replace(dealt(red="a:h b:h n:t s:v"), facts={"pinned": {"pictures": 2}})
    found = kept_apart(data, dealt(red="a:t s:t"), 1)
    assert parts(found) == {"b": "h", "n": "t", "s": "t"}
    assert found.facts["warm_start"]["left_out"] == 1 and found.facts["pinned"]


def test_a_copy_of_a_deleted_picture_that_was_learned_from_is_not_held_back() -> None:
    source = looking(dealt(red="gone:t out:h c:h t:t"), gone=0b1111, out=-1, c=1 << 40, t=1 << 50)
    new = looking(
        dealt(red="copy:h mate+other:h far:h as-out:h c:h t:t", blue="elsewhere:h b:t x:h"),
        copy=0b1001, other=0b0111, far=0b1111 << 20, **{"as-out": -2}, c=0b1110, elsewhere=0b1111,
    )  # fmt: skip
    found = kept_apart(new, source, 1)
    assert parts(found) == {
        "copy": "t", "mate": "t", "other": "t",  # with its group
        "far": "h", "as-out": "h",  # of no picture that was learned from
        "c": "h", "t": "t",  # known, and held back then, too
        "elsewhere": "t", "b": "t", "x": "h",  # whatever its label
    }  # fmt: skip
    assert found.facts["warm_start"]["copies"] == 3
    says = [str(each) for each in split_sentences(found.facts)]
    assert "Not held back, because they look like deleted pictures that version 1" in says[-1]


def test_what_looks_like_a_picture_that_is_still_there_goes_by_the_groups() -> None:
    source = looking(dealt(red="a:t h:h"), a=0b1, h=1 << 30)
    assert parts(kept_apart(looking(dealt(red="a:t n:h h:h"), a=0b1, n=0b11), source, 1))["n"] == "h"


def test_of_a_test_set_a_copy_of_a_deleted_picture_is_left_out_altogether() -> None:
    data = replace(dealt(red="copy:h b:h n:t"), facts={"pinned": {"pictures": 2}})
    found = kept_apart(looking(data, copy=0b1), looking(dealt(red="gone:t"), gone=0b11), 1)
    assert parts(found) == {"b": "h", "n": "t"}


def test_deleted_pictures_of_versions_before_the_source_are_remembered_by_their_looks() -> None:
    first = looking(dealt(red="gone:t b:t h:h"), gone=0b1, b=1 << 40, h=1 << 50)
    second = kept_apart(looking(dealt(red="b:t h:h"), b=1 << 40, h=1 << 50), first, 1)
    assert second.looks_before == {"gone": 1}
    second = manifest.load(manifest.save(second))
    third = kept_apart(looking(dealt(red="copy:h b:t h:h"), copy=0b11, b=1 << 40, h=1 << 50), second, 2)
    assert parts(third) == {"copy": "t", "b": "t", "h": "h"} and third.looks_before == {"gone": 1}


def test_an_older_manifest_s_looks_are_read_from_the_snapshots_that_are_still_there(
    team: Team, discs: Dataset, source: ModelVersion
) -> None:
    pictures = Image.objects.filter(dataset=discs, label__name="red")
    looks = {pk: (at << 30) - (1 << 62) for at, pk in enumerate(pictures.values_list("pk", flat=True))}
    for pk, look in looks.items():
        Image.objects.filter(pk=pk).update(difference_hash=look)
    snapshot = take_snapshot(dataset=discs, label_names=["red", "blue"], user=None)
    ModelVersion.objects.filter(pk=source.pk).update(snapshots=[snapshot.pk])
    source.refresh_from_db()
    before = manifest.load(source.manifest_key)
    assert all(entry.look is None for entry in before.entries)
    learned = next(e for e in before.entries if e.label == "red" and e.part == "train")
    gone = Image.objects.get(sha256=learned.sha256, dataset=discs)
    copy = add_picture(discs, drawn("red", 900), "red", "copy.png", difference_hash=gone.difference_hash)
    Image.objects.filter(pk=gone.pk).update(trashed_at=timezone.now())
    after = take_snapshot(dataset=discs, label_names=["red", "blue"], user=None)
    data = manifest.build([after], ["red", "blue"])
    entries = tuple(replace(e, part="held_back") if e.sha256 == copy.sha256 else e for e in data.entries)
    found = fair(replace(data, entries=entries), source)
    assert parts(found)[copy.sha256] == "t" and found.facts["warm_start"]["copies"] == 1


def test_a_label_without_a_fair_picture_is_refused() -> None:
    with pytest.raises(NothingLeft, match="red"):
        kept_apart(dealt(red="a:h b:t"), dealt(red="a:t b:t"), 1)


def test_other_parts_are_other_data(settings: Settings) -> None:
    data = dealt(red="a:h b:t c:t")
    assert kept_apart(data, dealt(red="c:h a:t"), 1).content_hash != data.content_hash
    key = manifest.save(kept_apart(data, dealt(red="c:h a:t z:t"), 1))
    assert manifest.load(key).learned_before == ("z",)


@pytest.fixture
def source(version: ModelVersion) -> ModelVersion:
    """A version of mobilenet_v2 with weights."""
    ModelVersion.objects.filter(pk=version.pk).update(
        backbone="mobilenet_v2", weights_key=storage.put_bytes("weights", b"w", ".pth")
    )
    version.refresh_from_db()
    return version


@pytest.mark.parametrize(
    ("changed", "options", "says"),
    [
        ({}, {"warm_start": 9}, "not there"),
        ({"own_file": "x.onnx"}, {}, "made elsewhere"),
        ({"usable": False}, {}, "no model"),
        ({"weights_key": ""}, {}, "before weights were kept"),
        ({"backbone": "resnet18"}, {}, "made of resnet18"),
        ({"report": {"about": {"method": FINE_TUNED}}}, {"fine_tuning": "off"}, "needs fine-tuning"),
    ],
)
def test_what_cannot_be_gone_on_from_is_refused_before_anything_is_queued(
    team: Team,
    discs: Dataset,
    source: ModelVersion,
    settings: Settings,
    tmp_path: Path,
    changed: dict[str, object],
    options: dict[str, object],
    says: str,
) -> None:
    settings.WEIGHTS_DIR = tmp_path
    (tmp_path / "mobilenet_v2.pth").write_bytes(b"w")
    ModelVersion.objects.filter(pk=source.pk).update(**changed)
    with pytest.raises(NoWarmStart, match=says):
        asked(source.model, team.people["engineer"], discs, options={"warm_start": 1} | options)
    assert source.model.versions.count() == 1


@pytest.mark.parametrize("start", ["1", 0, -1, True, 1.5, [1]])
def test_what_is_no_number_of_a_version_is_refused(start: object) -> None:
    with pytest.raises(wishes.BadWish, match="warm_start"):
        wishes.options_of({"warm_start": start})


def test_the_form_offers_the_versions_and_refuses_one_of_another_model(
    team: Team, page: Page, discs: Dataset, source: ModelVersion, settings: Settings, tmp_path: Path
) -> None:
    settings.WEIGHTS_DIR = tmp_path
    (tmp_path / "mobilenet_v2.pth").write_bytes(b"w")
    url, engineer = f"/projects/{team.project.pk}/train/", page("engineer")
    value = f"{source.model_id}.1"
    assert f'value="{value}"' in engineer.get(url).content.decode()
    sent: dict[str, str | int] = {
        "sent": "1", "applications": "cloud-general", "dataset": discs.pk, "max_minutes": "3", "warm_start": value,
    }  # fmt: skip
    other = model_of(team.project, "Other")
    refused = engineer.post(url, sent | {"model": other.pk})
    assert refused.status_code == 422 and "of the same model" in refused.content.decode()
    assert engineer.post(url, sent | {"model": source.model_id}).status_code == 302
    made = source.model.versions.get(number=2)
    assert made.options["warm_start"] == 1
    again = engineer.get(f"/models/{source.model_id}/versions/2/again/")
    assert f"warm_start={value}" in again["Location"]


@pytest.mark.slow
def test_a_head_goes_on_from_a_head_and_the_report_says_so(
    team: Team, work: Work, settings: Settings, weights_dir: Path
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    engineer, dataset = team.people["engineer"], tagged(team.project, {"red": 12, "blue": 12})
    model: RegisteredModel = model_of(team.project)
    (first,) = asked(model, engineer, dataset, options={"fine_tuning": "off"})
    work()
    for number in range(12, 18):
        for label in ("red", "blue", "green"):
            add_picture(dataset, drawn(label, number), label, f"{label}-{number}.png")
    (second,) = asked(model, engineer, dataset, options={"fine_tuning": "off", "warm_start": 1})
    work()
    first.refresh_from_db()
    second.refresh_from_db()
    assert first.usable and second.usable, (str(first.sentence), str(second.sentence))
    before, after = (manifest.load(each.manifest_key) for each in (first, second))
    old = parts(before)
    assert {sha256: part for sha256, part in parts(after).items() if sha256 in old} == old
    about = second.report["about"]
    assert about["went_on_from"] == 1 and about["warm_start"]["known"] == 24 and about["tried"][0]["went_on"]
    assert second.history[0]["metric"] >= 0.5


@pytest.mark.slow
def test_a_fine_tuning_goes_on_from_a_fine_tuning(
    team: Team,
    work: Work,
    settings: Settings,
    weights_dir: Path,
    shared_data: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.WEIGHTS_DIR = weights_dir
    monkeypatch.setattr(tuning, "LEAST_WRONG", 0)
    monkeypatch.setattr("training.learning.spent", lambda learning, done, second, best, data: second)
    dataset = Dataset.objects.create(project=team.project, name="Faces")
    for label in ("angry", "happy"):
        for path in sorted((shared_data / "fer2013-small" / label).iterdir())[:20]:
            add_picture(dataset, path.read_bytes(), label, path.name)
    model, options = model_of(team.project), {"max_epochs": 2}
    for more in ({}, {"warm_start": 1}):
        asked(model, team.people["engineer"], dataset, max_minutes=10.0, options=options | more)
        work()
    first, second = model.versions.order_by("number")
    assert first.usable and second.usable, (str(first.sentence), str(second.sentence))
    assert [each.report["about"]["method"] for each in (first, second)] == [FINE_TUNED, FINE_TUNED]
    assert second.report["about"]["went_on_from"] == 1
    tuned = second.report["about"]["tried"][1]
    assert tuned["went_on"] and tuned["rate"] == 0.3
    assert first.weights_key != second.weights_key
