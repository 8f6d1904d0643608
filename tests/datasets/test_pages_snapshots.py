"""The pages of snapshots, exports, copies and moves."""

from collections.abc import Callable

import pytest
from django.test import Client

from datasets.models import Dataset, Export
from datasets.snapshots import take_snapshot
from tests.datasets.makers import Work, make_dataset, make_images, taken
from tests.factories import Team

Page = Callable[[str], Client]


@pytest.fixture
def dataset(team: Team) -> Dataset:
    """Three cats, and one without a label."""
    made = make_dataset(team)
    make_images(made, 3, made.labels.create(name="猫"))
    make_images(made, 1)
    return made


def test_a_snapshot_is_taken_listed_renamed_and_compared(dataset: Dataset, page: Page) -> None:
    engineer, base = page("engineer"), f"/datasets/{dataset.pk}/snapshots/"
    assert "No snapshot yet" in engineer.get(base).content.decode()
    answer = engineer.post(f"{base}take/", {"name": "before"}, follow=True)
    assert "before" in answer.content.decode()
    snapshot = dataset.snapshots.get()
    engineer.post(f"{base}{snapshot.pk}/rename/", {"name": "first"})
    dataset.images.filter(name="0.jpg").update(label=dataset.labels.create(name="狗"))
    shown = engineer.get(f"{base}{snapshot.pk}/compare/").content.decode()
    assert "From “first” to now." in shown and "狗" in shown
    assert engineer.get(f"{base}{snapshot.pk}/compare/?with=99").status_code == 404
    assert engineer.get(f"{base}{snapshot.pk}/compare/?with=x&kind=y&page=z").status_code == 404
    assert engineer.get(f"{base}{snapshot.pk}/compare/?kind=y&page=z").status_code == 200
    bad = engineer.post(f"{base}take/", {"name": " "}, follow=True).content.decode()
    assert "A snapshot needs a name" in bad


def test_a_restore_says_first_what_it_changes_and_is_undone_from_the_list_of_changes(
    dataset: Dataset, page: Page
) -> None:
    engineer, snapshot = page("engineer"), take_snapshot(dataset=dataset, user=None, name="first")
    dataset.images.update(label=None)
    url = f"/datasets/{dataset.pk}/snapshots/{snapshot.pk}/restore/"
    assert "Set 3 pictures back" in engineer.get(url).content.decode()
    assert set(taken(dataset).values()) == {None}
    answer = engineer.post(url, {"others": "keep"}, follow=True)
    assert "3 pictures set back to a snapshot" in answer.content.decode()
    assert taken(dataset)["0.jpg"] == "猫"
    action = dataset.actions.get()
    engineer.post(f"/datasets/{dataset.pk}/undo/", {"action": action.pk, "back": "changes"})
    assert set(taken(dataset).values()) == {None}
    assert page("labeller").get(url).status_code == 403


def test_an_export_is_asked_for_on_its_page_and_downloaded(dataset: Dataset, page: Page, work: Work) -> None:
    engineer, base = page("engineer"), f"/datasets/{dataset.pk}/exports/"
    assert "Pack the zip" in engineer.get(base).content.decode()
    answer = engineer.post(base, {"format": "csv"}, follow=True)
    found = Export.objects.get()
    assert f"{base}{found.pk}/progress/" in answer.content.decode()
    assert engineer.get(f"{base}{found.pk}/download/").status_code == 302
    work()
    assert engineer.get(f"{base}{found.pk}/progress/")["HX-Redirect"] == base
    assert "Download" in engineer.get(base).content.decode()
    answer = engineer.get(f"{base}{found.pk}/download/")
    assert answer["Content-Type"] == "application/zip" and b"".join(answer.streaming_content)[:2] == b"PK"  # type: ignore[attr-defined]
    engineer.post(f"{base}{found.pk}/remove/")
    assert not Export.objects.exists()
    assert "There is no format" in engineer.post(base, {"format": "rar"}, follow=True).content.decode()
    assert engineer.post(base, {"format": "csv", "snapshot": "x"}).status_code == 404
    assert page("labeller").get(base).status_code == 403


def test_a_data_set_is_copied_on_its_page(dataset: Dataset, page: Page) -> None:
    engineer, url = page("engineer"), f"/datasets/{dataset.pk}/copy/"
    assert "Pets (copy)" in engineer.get(url).content.decode()
    engineer.post(url, {"name": "Twin"})
    assert len(taken(Dataset.objects.get(name="Twin"))) == 4
    assert "already" in engineer.post(url, {"name": "Twin"}, follow=True).content.decode()


def test_pictures_are_moved_on_their_page(team: Team, dataset: Dataset, page: Page) -> None:
    engineer, url = page("engineer"), f"/datasets/{dataset.pk}/move/"
    assert "There is no other data set" in engineer.get(url).content.decode()
    other = make_dataset(team, "Other")
    shown = engineer.get(f"{url}?filter=state%3Dunlabelled").content.decode()
    assert "Copy or move 1 picture" in shown
    some = [str(pk) for pk in dataset.images.order_by("id").values_list("pk", flat=True)[:2]]
    assert "Copy or move 2 pictures" in engineer.post(url, {"images": some}).content.decode()
    answer = engineer.post(url, {"images": some, "to": other.pk, "act": "move"}, follow=True)
    assert "2 pictures moved to Other." in answer.content.decode()
    assert taken(other) == {"0.jpg": "猫", "1.jpg": "猫"}
    assert len(taken(dataset)) == 2
    assert engineer.post(url, {"images": ["x"], "to": other.pk}).status_code == 404
    assert engineer.post(url, {"filter": "state=odd", "to": other.pk}, follow=True).status_code == 200
    assert len(taken(dataset)) == 2


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "snapshots/"), ("get", "snapshots/take/"), ("get", "snapshots/{s}/rename/"),
        ("post", "snapshots/{s}/compare/"), ("delete", "snapshots/{s}/restore/"), ("delete", "exports/"),
        ("get", "exports/1/remove/"), ("post", "exports/1/download/"), ("delete", "copy/"), ("delete", "move/"),
    ],
)  # fmt: skip
def test_a_wrong_method_is_405_and_a_stranger_gets_404(
    dataset: Dataset, page: Page, method: str, path: str
) -> None:
    snapshot = take_snapshot(dataset=dataset, user=None)
    url = f"/datasets/{dataset.pk}/{path.format(s=snapshot.pk)}"
    assert getattr(page("owner"), method)(url).status_code == 405
    right = {"get": "post"}.get(method, "get")
    assert getattr(page("stranger"), right)(url).status_code == 404
