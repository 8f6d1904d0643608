"""Exports: what is packed is what is there, and our own import reads it back the same."""

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from django.core.files.storage import default_storage
from django.test import Client
from PIL import Image as Picture

from datasets.exporting import begin_export
from datasets.exports import FORMATS
from datasets.models import Dataset, Export, ExportState, Image
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
    assert len(rows) == 5 and {row.split(",")[0] for row in rows[1:]} == names - {"metadata.csv"}


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
