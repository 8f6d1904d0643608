"""Exports: what is packed is what is there, and our own import reads it back the same."""

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image as Picture
from pytest_django.fixtures import Settings

from datasets.exporting import begin_export
from datasets.exports import FORMATS
from datasets.label_changes import Wish, change_label
from datasets.label_looks import PALETTE
from datasets.labels import create_label
from datasets.models import Dataset, Export, ExportState, Image
from datasets.none_of_these import add_none_of_these
from datasets.snapshots import take_snapshot
from tests.datasets.makers import Work, begin, colours, make_dataset, outcomes, zip_of
from tests.factories import Team
from web import storage

LONG = "长" * 64
ODD = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    "'quoted",
    "''twice",
    '"x", y',
    "test",
    "a.",
    "CON",
    "Cat",
    "cat",
    "😀" * 64,
]


def fill(team: Team, work: Work, labels: list[str], *, wishes: Sequence[str] = ("",)) -> Dataset:
    """A data set with two pictures a label (an empty label: without one), under the wishes in turn."""
    dataset = make_dataset(team)
    content = colours(2 * len(labels))
    found = begin(team, dataset, ("all.zip", zip_of({f"{n}.png": each for n, each in enumerate(content)})))
    work()
    found.refresh_from_db()
    assert found.imported == len(content), outcomes(found)
    for at, image in enumerate(dataset.images.order_by("position")):
        name = labels[at // 2]
        image.label = dataset.labels.get_or_create(name=name)[0] if name else None
        image.split = wishes[at % len(wishes)]
        image.save()
    return dataset


def export(team: Team, work: Work, dataset: Dataset, form: str, **more: Any) -> Export:
    made = begin_export(dataset=dataset, user=team.people["engineer"], format=form, **more)
    work()
    made.refresh_from_db()
    assert made.state == ExportState.READY, str(made.sentence)
    return made


def opened(made: Export) -> zipfile.ZipFile:
    """The zip."""
    return zipfile.ZipFile(io.BytesIO(storage.read(made.key)))


def content_of(dataset: Dataset) -> set[tuple[str, str | None, str]]:
    """What counts: which pictures, under which labels, with which wishes."""
    return set(dataset.images.live().values_list("sha256", "label__name", "split"))


def back_again(team: Team, work: Work, made: Export, name: str = "Again") -> Dataset:
    """A new data set with what our import makes of it."""
    again = make_dataset(team, name)
    found = begin(team, again, ("x.zip", storage.read(made.key)))
    work()
    found.refresh_from_db()
    assert (found.state, outcomes(found)) == ("ready", {})
    return again


WISHES: list[list[str]] = [[""], ["train", "test"], ["validation", "", "train", "test"]]


@pytest.mark.parametrize("wishes", WISHES, ids=["no wishes", "all wished", "some wished"])
@pytest.mark.parametrize("form", list(FORMATS))
def test_an_export_is_imported_as_what_it_was(team: Team, work: Work, form: str, wishes: list[str]) -> None:
    dataset = fill(team, work, ["猫", "dog", LONG, ""], wishes=wishes)
    dataset.labels.create(name="nobody yet")
    again = back_again(team, work, export(team, work, dataset, form))
    assert content_of(again) == content_of(dataset)


def looks_of(dataset: Dataset) -> list[tuple[str, str, str, str, bool]]:
    """Its labels in their order, as people see them."""
    return [
        (each.name, each.colour, each.chosen_key, each.description, each.archived_at is not None)
        for each in dataset.labels.all()
    ]


@pytest.mark.parametrize("form", list(FORMATS))
def test_labels_come_back_with_their_looks_those_without_pictures_too(
    team: Team, work: Work, form: str
) -> None:
    dataset = fill(team, work, ["猫", "dog"], wishes=["train", "test"] if form == "imagefolder" else ("",))
    for name in ("=1+1", "train", "taxon-labels.json", "last"):
        create_label(dataset=dataset, name=name, user=None)
    engineer = team.people["engineer"]
    wish = Wish(colour=PALETTE[9], key="q", description="with a tail\nand ears", position=5, archived=True)
    change_label(label=dataset.labels.get(name="dog"), user=engineer, wish=wish)
    change_label(label=dataset.labels.get(name="last"), user=engineer, wish=Wish(position=0, key="z"))
    again = back_again(team, work, export(team, work, dataset, form))
    assert looks_of(again) == looks_of(dataset)
    assert content_of(again) == content_of(dataset)


def test_into_a_data_set_with_labels_come_those_that_it_lacks_behind_its_own(team: Team, work: Work) -> None:
    dataset = fill(team, work, ["dog"])
    for name in ("cat", "owl"):
        create_label(dataset=dataset, name=name, user=None)
    change_label(label=dataset.labels.get(name="cat"), user=team.people["engineer"], wish=Wish(key="c"))
    made = export(team, work, dataset, "csv")
    other = make_dataset(team, "Other")
    for name in ("owl", "cow"):
        create_label(dataset=other, name=name, user=None)
    change_label(label=other.labels.get(name="cow"), user=team.people["engineer"], wish=Wish(key="c"))
    before = looks_of(other)
    begin(team, other, ("x.zip", storage.read(made.key)))
    work()
    assert looks_of(other)[:2] == before
    assert [(name, key) for name, _, key, *_ in looks_of(other)[2:]] == [("dog", ""), ("cat", "")]


@pytest.mark.parametrize("form", list(FORMATS))
def test_the_label_for_pictures_that_are_none_of_these_comes_back_as_such(
    team: Team, work: Work, form: str
) -> None:
    user, dataset = team.people["engineer"], fill(team, work, ["dog", "others"])
    add_none_of_these(dataset=dataset, user=user, name="others")
    again = back_again(team, work, made := export(team, work, dataset, form))
    assert {label.name: label.role for label in again.labels.all()} == {"dog": "", "others": "none_of_these"}
    other = make_dataset(team, "Has one")
    add_none_of_these(dataset=other, user=user, name="nothing")
    begin(team, other, ("x.zip", storage.read(made.key)))
    work()
    assert [each.name for each in other.labels.filter(role="none_of_these")] == ["nothing"]


def test_a_snapshots_zip_names_its_own_labels_alone(team: Team, work: Work) -> None:
    dataset = fill(team, work, ["dog", "cat"])
    create_label(dataset=dataset, name="owl", user=None)
    snapshot = take_snapshot(dataset=dataset, label_names=["dog"], user=None)
    told = json.loads(opened(export(team, work, dataset, "csv", snapshot=snapshot)).read("taxon-labels.json"))
    assert [each["name"] for each in told["labels"]] == ["dog"]


def test_more_labels_than_a_data_set_may_have_are_told(team: Team, work: Work, settings: Settings) -> None:
    dataset = fill(team, work, ["dog"])
    for n in range(4):
        create_label(dataset=dataset, name=f"empty {n}", user=None)
    made, again = export(team, work, dataset, "csv"), make_dataset(team, "Again")
    settings.MAX_LABELS = 3
    found = begin(team, again, ("x.zip", storage.read(made.key)))
    work()
    found.refresh_from_db()
    assert (again.labels.count(), found.imported) == (3, 2)
    assert "2 labels of the zip had no room" in str(found.sentence)


ODD_PAPERS = [
    b"{", b"[]", b'{"taxon": "labels"}', b'{"taxon": "labels", "labels": {}}', b"[" * 9999, b"\xff\xfe\x00",
    b'{"labels": [{"name": "x"}]}',
]  # fmt: skip


@pytest.mark.parametrize("paper", ODD_PAPERS)
def test_a_file_of_that_name_that_is_no_such_paper_is_a_file_like_any(
    team: Team, work: Work, paper: bytes
) -> None:
    dataset = make_dataset(team)
    (red,) = colours(1)
    found = begin(team, dataset, ("x.zip", zip_of({"a/1.png": red, "taxon-labels.json": paper})))
    work()
    found.refresh_from_db()
    assert (found.state, found.total, found.imported, found.rejected) == ("ready", 2, 1, 1)
    assert [label.name for label in dataset.labels.all()] == ["a"]


def test_what_is_no_label_in_a_strangers_paper_is_passed_over(team: Team, work: Work) -> None:
    dataset = make_dataset(team)
    (red,) = colours(1)
    labels: list[object] = [
        7, None, {}, {"name": "a/b"}, {"name": ""}, {"name": "x" * 65}, {"name": ["l"]},
        {"name": "ok", "colour": "url(x)", "key": "<", "description": 5, "archived": "no", "more": 1, "role": "king"},
        {"name": " ok "}, {"name": "long", "description": "d" * 2000},
    ]  # fmt: skip
    paper = json.dumps({"taxon": "labels", "version": 9, "labels": labels}).encode()
    found = begin(team, dataset, ("x.zip", zip_of({"in/a/1.png": red, "in/taxon-labels.json": paper})))
    work()
    found.refresh_from_db()
    assert (found.state, found.total, found.imported) == ("ready", 1, 1)
    told = [(name, key, len(text), archived) for name, _, key, text, archived in looks_of(dataset)]
    assert told == [("ok", "", 0, False), ("long", "", 1000, False), ("a", "", 0, False)]


@pytest.mark.parametrize("form", list(FORMATS))
def test_labels_that_no_folder_can_have_and_formulas_survive(team: Team, work: Work, form: str) -> None:
    dataset = fill(team, work, ODD, wishes=["", "test"])
    again = back_again(team, work, export(team, work, dataset, form))
    assert content_of(again) == content_of(dataset)


@pytest.mark.parametrize("form", list(FORMATS))
def test_names_of_files_that_people_gave_are_made_safe_and_each_is_kept(
    team: Team, work: Work, form: str
) -> None:
    names = [
        "a.png", "A.PNG", "a.png", "=cmd.png", "'n.png", "nul.png", "x" * 255, "../up.png", "a\\b.png", ".DS_Store",
        "labels.csv", "metadata.csv", "._a.png", "猫" * 85, "á.png", "á.png", "a:b?.png", "Thumbs.db", "end. ", "x.jpg",
    ]  # fmt: skip
    dataset = fill(team, work, ["cat", ""] * 5)
    for image, name in zip(dataset.images.order_by("id"), names, strict=True):
        Image.objects.filter(pk=image.pk).update(name=name)
    made = export(team, work, dataset, form)
    with opened(made) as packed:
        paths = [path for path in packed.namelist() if path.endswith((".png", ".PNG"))]
    assert len({path.casefold() for path in paths}) == len(names)
    assert all(len(part.encode()) <= 255 for path in paths for part in path.split("/"))
    assert not any(set(path) & set('<>:"|?*\\') or ".." in path.split("/") for path in paths)
    assert content_of(back_again(team, work, made)) == content_of(dataset)


def test_a_picture_that_was_scaled_down_comes_back_pixel_by_pixel(team: Team, work: Work) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (3000, 4500, 3), dtype=np.uint8)
    out = io.BytesIO()
    Picture.fromarray(noise).save(out, "JPEG", quality=70)
    dataset = make_dataset(team)
    begin(team, dataset, ("big.zip", zip_of({"cat/big.jpg": out.getvalue()})))
    work()
    image = dataset.images.get()
    assert image.key.endswith(".jpg") and storage.read(image.key) != out.getvalue()
    again = back_again(team, work, export(team, work, dataset, "imagefolder")).images.get()
    assert again.label and again.label.name == "cat"
    assert storage.read(again.key) == storage.read(image.key)


def test_torchvision_reads_the_folders(team: Team, work: Work, tmp_path: Any) -> None:
    from training.engine.torchvision_import import torchvision

    dataset = fill(team, work, ["猫", "dog", "Con"])
    with opened(export(team, work, dataset, "imagefolder")) as packed:
        packed.extractall(tmp_path / "out")
    found = torchvision.datasets.ImageFolder(str(tmp_path / "out"))
    assert (sorted(found.classes), len(found)) == (sorted(["猫", "dog", "_Con"]), 6)
    assert found[0][0].size == (64, 48)


def test_hugging_face_finds_its_metadata(team: Team, work: Work) -> None:
    dataset = fill(team, work, ["猫", ""])
    with opened(export(team, work, dataset, "huggingface")) as packed:
        rows = packed.read("metadata.csv").decode("utf-8-sig").splitlines()
        names = set(packed.namelist())
    assert rows[0] == "file_name,label"
    assert len(rows) == 5 and {row.split(",")[0] for row in rows[1:]} == names - {
        "metadata.csv",
        "taxon-labels.json",
    }


def test_a_table_holds_no_formula(team: Team, work: Work) -> None:
    dataset = fill(team, work, ["=1+1", "@x", "'y"])
    with opened(export(team, work, dataset, "csv")) as packed:
        cells = packed.read("labels.csv").decode("utf-8-sig").replace("\r\n", ",").split(",")
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)
    assert {"'=1+1", "'@x", "''y"} <= set(cells)


def test_a_snapshot_is_exported_as_it_was(team: Team, work: Work) -> None:
    dataset = fill(team, work, ["猫", "dog"], wishes=["test", "train"])
    before = content_of(dataset)
    snapshot = take_snapshot(dataset=dataset, user=None, name="first")
    dataset.images.update(label=None, split="", trashed_at="2026-01-01T00:00Z")
    made = export(team, work, dataset, "csv", snapshot=snapshot)
    assert content_of(back_again(team, work, made)) == before


def test_a_picture_without_a_file_is_left_out_and_counted(team: Team, work: Work) -> None:
    dataset = fill(team, work, ["猫"])
    default_storage.delete(dataset.images.order_by("id")[0].key)
    made = export(team, work, dataset, "csv")
    assert (made.images, made.left_out) == (1, 1)
    assert "1" in str(made.sentence)


def test_over_the_api_it_is_asked_for_awaited_and_fetched(
    team: Team, work: Work, api: Callable[..., Client]
) -> None:
    dataset, engineer = fill(team, work, ["猫", "dog"]), api("engineer")
    base = f"/api/v1/datasets/{dataset.pk}/exports"
    answer = engineer.post(base, {"format": "imagefolder"}, "application/json")
    assert answer.status_code == 202
    asked = answer.json()
    assert asked["state"] == "queued" and asked["id"] and asked["url"].startswith("http")
    assert engineer.post(base, {"format": "imagefolder"}, "application/json").json()["id"] == asked["id"]
    path = asked["url"].partition("testserver")[2]
    assert (engineer.get(path).status_code, engineer.get(path)["Retry-After"]) == (202, "2")
    work()
    shown = engineer.get(f"{base}/{asked['id']}").json()
    assert (shown["state"], shown["images"], shown["progress"]) == ("ready", 4, 1.0)
    whole = b"".join(engineer.get(path).streaming_content)  # type: ignore[attr-defined]
    assert len(whole) == shown["bytes"]
    assert zipfile.ZipFile(io.BytesIO(whole)).testzip() is None
    assert [each["id"] for each in engineer.get(base).json()["items"]] == [asked["id"]]
    key = Export.objects.get().key
    assert engineer.delete(f"{base}/{asked['id']}").status_code == 204
    assert engineer.get(f"{base}/{asked['id']}").status_code == 404
    assert not default_storage.exists(key)


def test_a_download_goes_on_where_it_stopped(team: Team, work: Work, api: Callable[..., Client]) -> None:
    made, engineer = export(team, work, fill(team, work, ["猫"]), "csv"), api("engineer")
    whole, path = storage.read(made.key), f"/api/v1/datasets/{made.dataset_id}/exports/{made.pk}/file"

    def part(**headers: str) -> tuple[int, str, bytes]:
        answer = engineer.get(path, headers=headers)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content  # type: ignore[attr-defined]
        return answer.status_code, answer.headers.get("Content-Range", ""), body

    tag, size = engineer.head(path)["ETag"], len(whole)
    assert engineer.head(path)["Content-Length"] == str(size)
    assert part(Range="bytes=100-") == (206, f"bytes 100-{size - 1}/{size}", whole[100:])
    assert part(Range="bytes=0-9") == (206, f"bytes 0-9/{size}", whole[:10])
    assert part(Range="bytes=-7") == (206, f"bytes {size - 7}-{size - 1}/{size}", whole[-7:])
    assert part(Range="bytes=5-", **{"If-Range": tag}) == (206, f"bytes 5-{size - 1}/{size}", whole[5:])
    assert part(Range="bytes=5-", **{"If-Range": '"other"'}) == (200, "", whole)
    assert part(Range=f"bytes={size}-")[:2] == (416, f"bytes */{size}")
    assert part(Range="bytes=9-5")[0] == 416
    assert part(Range="lines=1-2") == (200, "", whole)
    assert part(Range="bytes=-") == (200, "", whole)
    assert part(Range="bytes=0-1,4-5") == (200, "", whole)
    assert part(**{"If-None-Match": tag})[0] == 304


def test_an_unknown_format_an_empty_set_and_a_strangers_snapshot_are_refused(
    team: Team, work: Work, api: Callable[..., Client]
) -> None:
    dataset = make_dataset(team)
    base = f"/api/v1/datasets/{dataset.pk}/exports"
    engineer = api("engineer")
    assert engineer.post(base, {"format": "rar"}, "application/json").json()["code"] == "unknown-format"
    assert engineer.post(base, {"format": "csv"}, "application/json").json()["code"] == "nothing-to-export"
    assert engineer.post(base, {"format": "csv", "snapshot": 99}, "application/json").status_code == 404


@pytest.mark.parametrize(
    ("role", "setting", "status"),
    [("viewer", 30, 403), ("viewer", 10, 200), ("labeller", 20, 200), ("labeller", 30, 403)],
)
def test_who_may_export_is_a_setting_of_the_project(
    team: Team, page: Callable[[str], Client], role: str, setting: int, status: int
) -> None:
    dataset = make_dataset(team)
    team.project.exports_from = setting
    team.project.save()
    assert page(role).get(f"/api/v1/datasets/{dataset.pk}/exports").status_code == status


def test_an_export_that_is_too_old_says_so(team: Team, work: Work, api: Callable[..., Client]) -> None:
    from datasets.exporting import forget_expired

    made = export(team, work, fill(team, work, ["猫"]), "csv")
    Export.objects.update(expires_at="2026-01-01T00:00Z")
    path = f"/api/v1/datasets/{made.dataset_id}/exports/{made.pk}/file"
    assert api("engineer").get(path).status_code == 410
    assert forget_expired() == 1
    assert not default_storage.exists(made.key)
    assert api("engineer").get(path).json()["code"] == "export-expired"


def test_digests_of_originals_are_kept(team: Team, work: Work) -> None:
    dataset = fill(team, work, ["猫"])
    made = export(team, work, dataset, "csv")
    with opened(made) as packed:
        found = {
            hashlib.sha256(packed.read(name)).hexdigest()
            for name in packed.namelist()
            if name.startswith("images/")
        }
    assert found == set(dataset.images.values_list("sha256", flat=True))
