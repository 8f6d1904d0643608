"""Pages of data sets as a whole, of imports, and of single pictures."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from datasets.models import Dataset, Image, ImportState, Label
from tests.datasets.makers import begin, colours, make_dataset, make_images, zip_of
from tests.factories import Team, picture
from web import storage

Page = Callable[[str], Client]


@pytest.fixture
def pets(team: Team) -> Dataset:
    """A data set with a label."""
    dataset = make_dataset(team)
    Label.objects.create(dataset=dataset, name="cat")
    return dataset


@pytest.fixture
def image(pets: Dataset) -> Image:
    """A picture with its files."""
    found = make_images(pets, 1)[0]
    found.key = storage.put_bytes("images", picture("red", (2000, 1000)), ".png")
    found.thumbnail_key = storage.put_bytes("thumbnails", picture("red", (320, 160), "JPEG"), ".jpg")
    found.save()
    return found


def test_the_list_shows_each_set_with_its_numbers(page: Page, pets: Dataset, team: Team) -> None:
    make_images(pets, 4, pets.labels.get())
    make_images(pets, 4)
    answer = page("viewer").get(f"/projects/{team.project.pk}/datasets/")
    card = answer.context["cards"][0]
    assert (card["counts"].total, card["share"], card["bytes"], len(card["images"])) == (8, 0.5, 8, 4)


def test_an_empty_list_offers_a_first_set_to_those_who_may(page: Page, team: Team) -> None:
    new = f"/projects/{team.project.pk}/datasets/new/"
    assert new in page("engineer").get(f"/projects/{team.project.pk}/datasets/").content.decode()
    assert new not in page("viewer").get(f"/projects/{team.project.pk}/datasets/").content.decode()


def test_a_new_set_leads_to_its_first_import(page: Page, team: Team) -> None:
    answer = page("engineer").post(f"/projects/{team.project.pk}/datasets/new/", {"name": "秋季相机陷阱"})
    assert answer.headers["Location"] == f"/datasets/{Dataset.objects.get(name='秋季相机陷阱').pk}/import/"


@pytest.mark.parametrize("name", ["", "Pets", "x" * 81])
def test_a_set_without_a_name_of_its_own_is_refused(page: Page, pets: Dataset, team: Team, name: str) -> None:
    answer = page("engineer").post(f"/projects/{team.project.pk}/datasets/new/", {"name": name})
    assert answer.status_code == 200 and answer.context["form"].errors["name"]


def test_only_engineers_make_sets(page: Page, team: Team) -> None:
    assert page("labeller").get(f"/projects/{team.project.pk}/datasets/new/").status_code == 403
    assert page("stranger").get(f"/projects/{team.project.pk}/datasets/new/").status_code == 404
    assert page("stranger").get(f"/projects/{team.project.pk}/datasets/").status_code == 404


def test_a_set_is_renamed_moved_to_the_trash_and_restored(page: Page, pets: Dataset, team: Team) -> None:
    client = page("engineer")
    client.post(f"/datasets/{pets.pk}/settings/", {"name": "Animals", "description": "d"})
    pets.refresh_from_db()
    assert pets.name == "Animals"
    client.post(f"/datasets/{pets.pk}/settings/trash/")
    assert client.get(f"/datasets/{pets.pk}/").status_code == 404
    assert "Animals" in client.get(f"/projects/{team.project.pk}/datasets/").content.decode()
    client.post(f"/datasets/{pets.pk}/restore/")
    assert client.get(f"/datasets/{pets.pk}/").status_code == 200


def test_a_set_whose_name_was_taken_stays_in_the_trash(page: Page, pets: Dataset, team: Team) -> None:
    client = page("engineer")
    client.post(f"/datasets/{pets.pk}/settings/trash/")
    make_dataset(team)
    answer = client.post(f"/datasets/{pets.pk}/restore/", follow=True)
    assert "already" in str(list(answer.context["messages"])[-1])
    assert Dataset.objects.exclude(trashed_at=None).filter(pk=pets.pk).exists()


def test_zips_and_loose_pictures_become_imports_of_their_own(
    page: Page, pets: Dataset, work: Callable[[], None]
) -> None:
    first, second, third, fourth = colours(4)
    files = [
        SimpleUploadedFile("a.zip", zip_of({"dog/1.png": first})),
        SimpleUploadedFile("b.zip", zip_of({"猫/1.png": second, "猫/bad.jpg": b"no picture"})),
        SimpleUploadedFile("3.png", third),
        SimpleUploadedFile("4.png", fourth),
    ]
    sent = {"files": files, "label": "cat"}
    address = f"/datasets/{pets.pk}/import/"
    answer = page("labeller").post(address, sent, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["url"]) == (202, f"/datasets/{pets.pk}/import/")
    work()
    assert [(each.imported, each.rejected) for each in pets.imports.order_by("pk")] == [
        (1, 0),
        (1, 1),
        (2, 0),
    ]
    assert sorted(pets.images.values_list("label__name", flat=True)) == ["cat", "cat", "dog", "猫"]


def test_one_upload_by_the_plain_form_leads_to_its_report(page: Page, pets: Dataset) -> None:
    sent = {"files": SimpleUploadedFile("1.png", picture())}
    answer = page("labeller").post(f"/datasets/{pets.pk}/import/", sent)
    assert answer.headers["Location"] == f"/imports/{pets.imports.get().pk}/"


def test_an_upload_without_files_says_what_to_do(page: Page, pets: Dataset) -> None:
    address = f"/datasets/{pets.pk}/import/"
    answer = page("labeller").post(address, {}, headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["detail"]) == (422, "Choose a zip, or one or more pictures.")
    assert page("labeller").post(address, {}).headers["Location"] == address


def test_the_report_gives_each_refused_file_its_reason(
    page: Page, pets: Dataset, team: Team, work: Callable[[], None]
) -> None:
    found = begin(team, pets, ("1.png", picture()), ("again.png", picture()), ("bad.jpg", b"no picture"))
    client = page("viewer")
    assert "data-poll-url" in client.get(f"/imports/{found.pk}/").content.decode()
    work()
    report = client.get(f"/imports/{found.pk}/").content.decode()
    assert "bad.jpg" in report and "This is not a picture" in report and "= 1 + 1 + 1" in report
    assert f"/datasets/{pets.pk}/?import={found.pk}" in report
    assert client.get(f"/imports/{found.pk}/progress/").headers["HX-Redirect"] == f"/imports/{found.pk}/"
    assert "data-poll-url" not in client.get(f"/imports/{found.pk}/progress/?line").content.decode()


def test_an_empty_bench_is_loaded_anew_when_the_first_pictures_are_there(
    page: Page, pets: Dataset, team: Team, work: Callable[[], None]
) -> None:
    found = begin(team, pets, ("1.png", picture()))
    client, line = page("viewer"), f"/imports/{found.pk}/progress/?line&empty"
    assert line.replace("&", "&amp;") in client.get(f"/datasets/{pets.pk}/").content.decode()
    assert "HX-Redirect" not in client.get(line).headers
    work()
    assert client.get(line).headers["HX-Redirect"] == f"/datasets/{pets.pk}/"


def test_an_import_is_cancelled_while_it_waits(page: Page, pets: Dataset, team: Team) -> None:
    found = begin(team, pets, ("1.png", picture()))
    page("labeller").post(f"/imports/{found.pk}/cancel/")
    found.refresh_from_db()
    assert found.state == ImportState.CANCELLED
    assert "Nothing was taken." in page("viewer").get(f"/imports/{found.pk}/").content.decode()


def test_an_import_is_taken_back_by_an_engineer(
    page: Page, pets: Dataset, team: Team, work: Callable[[], None]
) -> None:
    found = begin(team, pets, ("1.png", picture()))
    answer = page("engineer").post(f"/imports/{found.pk}/undo/", follow=True)
    assert "still running" in str(next(iter(answer.context["messages"])))
    work()
    assert page("labeller").post(f"/imports/{found.pk}/undo/").status_code == 403
    page("engineer").post(f"/imports/{found.pk}/undo/")
    assert not pets.images.live().exists()


@pytest.mark.parametrize("verb", ["", "progress/", "cancel/", "undo/"])
def test_imports_are_closed_to_strangers_and_to_wrong_methods(
    page: Page, pets: Dataset, team: Team, verb: str
) -> None:
    found = begin(team, pets, ("1.png", picture()))
    is_page = verb in ("", "progress/")
    stranger, owner = page("stranger"), page("owner")
    assert (stranger.get if is_page else stranger.post)(f"/imports/{found.pk}/{verb}").status_code == 404
    assert (owner.post if is_page else owner.get)(f"/imports/{found.pk}/{verb}").status_code == 405


def test_a_thumbnail_is_kept_for_ever_by_its_viewer_alone(page: Page, image: Image) -> None:
    answer = page("viewer").get(f"/images/{image.pk}/thumbnail/")
    assert answer.headers["Content-Type"] == "image/jpeg"
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = page("viewer").get(
        f"/images/{image.pk}/thumbnail/", headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304


def test_a_preview_is_encoded_anew_and_at_most_1600_pixels(page: Page, image: Image) -> None:
    from io import BytesIO

    from PIL import Image as Pillow

    answer = page("viewer").get(f"/images/{image.pk}/preview/")
    shown = Pillow.open(BytesIO(answer.content))
    assert (shown.format, shown.size) == ("JPEG", (1600, 800))


def test_a_picture_gone_from_storage_is_a_missing_page(page: Page, image: Image) -> None:
    Image.objects.filter(pk=image.pk).update(key="images/gone", thumbnail_key="thumbnails/gone")
    assert page("viewer").get(f"/images/{image.pk}/thumbnail/").status_code == 404
    assert page("viewer").get(f"/images/{image.pk}/preview/").status_code == 404


def test_a_picture_in_the_trash_is_seen_by_those_who_could_restore_it(page: Page, image: Image) -> None:
    from django.utils import timezone

    Image.objects.filter(pk=image.pk).update(trashed_at=timezone.now())
    assert page("labeller").get(f"/images/{image.pk}/thumbnail/").status_code == 200
    assert page("viewer").get(f"/images/{image.pk}/thumbnail/").status_code == 403


@pytest.mark.parametrize("path", ["", "thumbnail/", "preview/"])
def test_pictures_are_closed_to_strangers(page: Page, image: Image, path: str) -> None:
    assert page("stranger").get(f"/images/{image.pk}/{path}").status_code == 404
    assert page("viewer").post(f"/images/{image.pk}/{path}").status_code == 405


def test_a_picture_s_page_tells_its_history(page: Page, image: Image, pets: Dataset, team: Team) -> None:
    from datasets.tagging import tag_images

    tag_images(dataset=pets, user=team.people["labeller"], chosen=pets.images.all(), label=pets.labels.get())
    whole = page("viewer").get(f"/images/{image.pk}/").content.decode()
    part = (
        page("viewer")
        .get(f"/images/{image.pk}/", headers={"X-Requested-With": "XMLHttpRequest"})
        .content.decode()
    )
    assert "Tagged cat" in whole and "<html" in whole
    assert "Tagged cat" in part and "<html" not in part
