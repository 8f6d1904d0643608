"""The trash: what is in it, the way back, the thirty days, and release."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import transaction
from django.test import Client
from django.utils import timezone

from datasets import purging
from datasets.embeddings import current_extractor, ensure_features
from datasets.labels import LabelExists, create_label, delete_label, merge_labels
from datasets.models import Dataset, Feature, FreedFile, Image, Label, TagAction
from datasets.purging import members
from datasets.snapshots import rows_of, take_snapshot
from datasets.tagging import tag_images, trash_images, undo
from datasets.trash import Place, days_left, everything_in, restore, with_who
from jobs import queue
from tests.datasets.makers import Work, colours, make_dataset, make_images
from tests.factories import Team
from training.models import ModelVersion, RegisteredModel
from web import storage

Page = Callable[[str], Client]


def stored(dataset: Dataset, count: int, label: Label | None = None) -> list[Image]:
    """Pictures with files."""
    made = []
    for n, content in enumerate(colours(count)):
        key = storage.put_bytes("images", content, ".png")
        thumbnail = storage.put_bytes("thumbnails", content + b"t", ".jpg")
        made.append(
            Image.objects.create(
                dataset=dataset, name=f"{n}.png", sha256=storage.promised_hash(key), key=key, label=label,
                thumbnail_key=thumbnail, format="PNG", bytes=len(content), width=64, height=48,
            )
        )  # fmt: skip
    return made


def there(images: list[Image]) -> list[bool]:
    """Which of their files are still stored."""
    return [storage.size_of(image.key) is not None for image in images]


def purge(work: Work) -> None:
    """As the reconciler asks for it."""
    with transaction.atomic():
        queue.enqueue(purging.KIND, {})
    work()


def thrown(team: Team, dataset: Dataset, images: list[Image], days: int = 0) -> None:
    """Into the trash, so many days ago."""
    chosen = dataset.images.filter(pk__in=[image.pk for image in images])
    trash_images(dataset=dataset, user=team.people["engineer"], chosen=chosen)
    Image.objects.filter(pk__in=[image.pk for image in images]).update(
        trashed_at=timezone.now() - timedelta(days=days)
    )


def test_the_trash_says_who_when_and_for_how_long_yet(team: Team) -> None:
    dataset = make_dataset(team)
    thrown(team, dataset, make_images(dataset, 1), days=12)
    (image,) = with_who(Place(team.project).images())
    assert (image.trashed_by, days_left(image.trashed_at)) == ("engineer", 18)  # type: ignore[attr-defined, arg-type]
    assert days_left(timezone.now()) == 30
    assert days_left(timezone.now() - timedelta(days=31)) == 0


def test_pictures_labels_and_data_sets_come_back_together(team: Team) -> None:
    dataset = make_dataset(team)
    cat, dog = (create_label(dataset=dataset, name=name, user=None) for name in ("cat", "dog"))
    images = make_images(dataset, 3, dog)
    merge_labels(label=dog, into=cat, user=team.people["engineer"])
    thrown(team, dataset, images[:1])
    place = Place(team.project, dataset)
    count = restore(user=team.people["engineer"], chosen=everything_in(place))
    assert count == 2
    assert not place.images().exists()
    assert dataset.images.filter(label__name="dog").count() == 2, (
        "the one restored after the merge was changed since"
    )


def test_a_label_whose_name_was_taken_meanwhile_stays_in_the_trash(team: Team) -> None:
    dataset = make_dataset(team)
    delete_label(label=create_label(dataset=dataset, name="cat", user=None), user=team.people["engineer"])
    create_label(dataset=dataset, name="cat", user=None)
    place = Place(team.project, dataset)
    with pytest.raises(LabelExists):
        restore(user=team.people["engineer"], chosen=everything_in(place))
    assert place.labels().count() == 1


def test_after_thirty_days_rows_and_files_go_and_nothing_else(team: Team, work: Work) -> None:
    dataset = make_dataset(team)
    images = stored(dataset, 4)
    ensure_features(current_extractor(), [(image.sha256, image.key) for image in images])
    thrown(team, dataset, images[:2], days=31)
    thrown(team, dataset, images[2:3], days=29)
    delete_label(label=create_label(dataset=dataset, name="old", user=None), user=team.people["engineer"])
    Label.every.update(removed_at=timezone.now() - timedelta(days=31))
    purge(work)
    assert list(dataset.images.order_by("pk").values_list("pk", flat=True)) == [
        each.pk for each in images[2:]
    ]
    assert there(images) == [False, False, True, True]
    assert Feature.objects.count() == 2
    assert not FreedFile.objects.exists()
    assert not Label.every.exists()


def test_a_file_that_another_data_set_uses_stays(team: Team, work: Work) -> None:
    dataset, other = make_dataset(team), make_dataset(team, "Other")
    images, same = stored(dataset, 2), stored(other, 1)
    thrown(team, dataset, images, days=31)
    purge(work)
    assert not dataset.images.exists()
    assert there(same) == [True]
    assert there(images) == [True, False]


def test_what_a_snapshot_holds_is_not_purged_by_itself(team: Team, work: Work) -> None:
    dataset = make_dataset(team)
    cat = create_label(dataset=dataset, name="cat", user=None)
    images = stored(dataset, 3, cat)
    snapshot = take_snapshot(dataset=dataset, user=team.people["engineer"])
    assert sorted(members(snapshot.key).tolist()) == sorted(row.image for row in rows_of(snapshot))
    (more,) = make_images(dataset, 1)
    thrown(team, dataset, [*images, more], days=31)
    Dataset.objects.filter(pk=dataset.pk).update(trashed_at=timezone.now() - timedelta(days=31))
    purge(work)
    assert dataset.images.count() == 3
    assert there(images) == [True] * 3
    snapshot.delete()
    purge(work)
    assert there(images) == [False] * 3
    assert not Dataset.objects.filter(pk=dataset.pk).exists()


def test_a_whole_data_set_goes_after_thirty_days(team: Team, work: Work) -> None:
    dataset = make_dataset(team)
    images = stored(dataset, 2)
    Dataset.objects.filter(pk=dataset.pk).update(trashed_at=timezone.now() - timedelta(days=31))
    purge(work)
    assert not Dataset.objects.filter(pk=dataset.pk).exists()
    assert there(images) == [False, False]


def purged_cat(team: Team, work: Work) -> tuple[Dataset, TagAction]:
    """Two cats and a dog become mice by one act; then the cats' label leaves the trash for good."""
    dataset = make_dataset(team)
    cat, dog, mouse = (
        create_label(dataset=dataset, name=name, user=None) for name in ("cat", "dog", "mouse")
    )
    make_images(dataset, 2, cat)
    make_images(dataset, 1, dog)
    engineer = team.people["engineer"]
    act = tag_images(dataset=dataset, user=engineer, chosen=dataset.images.all(), label=mouse)
    delete_label(label=cat, user=engineer)
    Label.every.filter(pk=cat.pk).update(removed_at=timezone.now() - timedelta(days=31))
    purge(work)
    return dataset, act


def test_after_a_label_was_purged_an_undo_says_what_it_could_not_put_back(
    team: Team, work: Work, page: Page
) -> None:
    dataset, act = purged_cat(team, work)
    assert not Place(team.project).labels().exists()
    form = {"action": act.pk, "back": "changes"}
    said = page("engineer").post(f"/datasets/{dataset.pk}/undo/", form, follow=True).content.decode()
    assert "Undone for 1 picture. 2 had the label cat, which is gone for good, and stay as they are." in said
    assert list(dataset.images.order_by("pk").values_list("label__name", flat=True)) == [
        "mouse",
        "mouse",
        "dog",
    ]
    assert not dataset.labels.filter(name="cat").exists()


def test_over_the_api_an_undo_names_the_labels_that_are_gone(
    team: Team, work: Work, api: Callable[..., Client]
) -> None:
    dataset, act = purged_cat(team, work)
    answer = api("engineer").post(f"/api/v1/datasets/{dataset.pk}/tag-actions/{act.pk}/undo")
    assert answer.json() == {"changed": 1, "skipped": 2, "lost": {"cat": 2}}


def test_a_new_label_of_the_purged_ones_name_serves(team: Team, work: Work) -> None:
    dataset, act = purged_cat(team, work)
    create_label(dataset=dataset, name="cat", user=None)
    done = undo(action=act, user=team.people["engineer"])
    assert (done.changed, done.skipped, done.lost) == (3, 0, {})
    assert list(dataset.images.order_by("pk").values_list("label__name", flat=True)) == ["cat", "cat", "dog"]


def test_a_released_label_is_remembered_by_acts_alone_and_goes_with_the_last_of_them(
    team: Team, work: Work, page: Page
) -> None:
    dataset = make_dataset(team)
    cat, dog = (create_label(dataset=dataset, name=name, user=None) for name in ("Wildkatze", "dog"))
    images = make_images(dataset, 1, cat)
    for label in (cat, dog):
        delete_label(label=label, user=team.people["engineer"])
    form = {"labels": [cat.pk, dog.pk], "confirmed": "1"}
    page("owner").post(f"/projects/{team.project.pk}/trash/release/", form)
    work()
    assert list(Label.every.filter(dataset=dataset).values_list("name", flat=True)) == ["Wildkatze"]
    shown = page("owner").get(f"/projects/{team.project.pk}/trash/").content.decode()
    assert "Wildkatze" not in shown
    page("owner").post(f"/projects/{team.project.pk}/trash/restore/", {"labels": [cat.pk]})
    assert not dataset.labels.exists()
    images[0].delete()
    Label.every.update(removed_at=timezone.now() - timedelta(days=31))
    purge(work)
    assert not Label.every.filter(dataset=dataset).exists()


def test_files_wait_while_an_import_may_want_them_again(team: Team, work: Work) -> None:
    dataset = make_dataset(team)
    images = stored(dataset, 1)
    thrown(team, dataset, images, days=31)
    running = dataset.imports.create(state="storing")
    purge(work)
    assert there(images) == [True] and FreedFile.objects.exists()
    running.delete()
    purge(work)
    assert there(images) == [False] and not FreedFile.objects.exists()


def version_of(team: Team, *snapshots: int) -> ModelVersion:
    """A version that learned from these."""
    model = RegisteredModel.objects.create(project=team.project, name="Pets")
    return ModelVersion.objects.create(
        model=model, number=3, application="cloud-general", snapshots=list(snapshots)
    )


def test_a_release_names_size_and_versions_then_frees_at_once(team: Team, work: Work, page: Page) -> None:
    dataset = make_dataset(team)
    images = stored(dataset, 3, create_label(dataset=dataset, name="cat", user=None))
    snapshot = take_snapshot(dataset=dataset, user=team.people["engineer"])
    version_of(team, snapshot.pk)
    thrown(team, dataset, images[:2])
    address = f"/projects/{team.project.pk}/trash/release/"
    sent = {"dataset": dataset.pk, "images": [image.pk for image in images[:2]]}
    said = page("owner").post(address, sent)
    assert "2 pictures" in said.text and "Pets 3" in said.text
    assert dataset.images.count() == 3
    page("owner").post(address, sent | {"confirmed": "1"})
    work()
    assert dataset.images.count() == 1
    assert there(images) == [False, False, True]
    snapshot.refresh_from_db()
    assert snapshot.released == 2
    assert page("viewer").get(f"/images/{images[0].pk}/").status_code == 404


def test_a_data_set_is_released_with_its_name_typed(team: Team, work: Work, page: Page) -> None:
    dataset = make_dataset(team)
    images = stored(dataset, 2)
    Dataset.objects.filter(pk=dataset.pk).update(trashed_at=timezone.now())
    address = f"/projects/{team.project.pk}/trash/release/"
    sent = {"datasets": [dataset.pk], "confirmed": "1"}
    refused = page("owner").post(address, sent | {"typed": "Cats"})
    assert "Type the name" in refused.text
    page("owner").post(address, sent | {"typed": "Pets"})
    work()
    assert not Dataset.objects.filter(pk=dataset.pk).exists()
    assert there(images) == [False, False]


def test_the_whole_trash_is_emptied_but_for_what_came_later(team: Team, work: Work, page: Page) -> None:
    dataset = make_dataset(team)
    images = stored(dataset, 3)
    thrown(team, dataset, images[:2])
    address = f"/projects/{team.project.pk}/trash/release/"
    assert "2 pictures" in page("owner").post(address, {"all": "1"}).text
    page("owner").post(address, {"all": "1", "confirmed": "1"})
    thrown(team, dataset, images[2:])
    work()
    assert list(dataset.images.values_list("pk", flat=True)) == [images[2].pk]


def test_only_what_lies_in_the_trash_is_released(team: Team, page: Page) -> None:
    (image,) = make_images(make_dataset(team), 1)
    address = f"/projects/{team.project.pk}/trash/release/"
    answer = page("owner").post(address, {"images": [image.pk], "confirmed": "1"}, follow=True)
    assert "Nothing was ticked" in answer.text
    assert Image.objects.filter(pk=image.pk).exists()


def test_who_may_look_restore_and_release(team: Team, page: Page) -> None:
    dataset = make_dataset(team)
    (image,) = make_images(dataset, 1)
    thrown(team, dataset, [image])
    base = f"/projects/{team.project.pk}/trash/"
    assert [page(who).get(base).status_code for who in ("stranger", "viewer", "labeller")] == [404, 403, 200]
    sent = {"images": [image.pk]}
    assert [page(who).post(f"{base}restore/", sent).status_code for who in ("stranger", "labeller")] == [
        404,
        403,
    ]
    assert page("engineer").post(f"{base}release/", sent).status_code == 403
    assert page("engineer").get(f"{base}restore/").status_code == 405
    assert (
        page("engineer")
        .post(f"{base}restore/", sent | {"dataset": dataset.pk})["Location"]
        .endswith(f"/datasets/{dataset.pk}/trash/")
    )
    image.refresh_from_db()
    assert image.trashed_at is None


def test_pages_show_what_lies_there_and_bad_input_does_no_harm(team: Team, page: Page) -> None:
    dataset = make_dataset(team)
    images = make_images(dataset, 2)
    assert "The trash is empty" in page("labeller").get(f"/datasets/{dataset.pk}/trash/").text
    thrown(team, dataset, images, days=28)
    delete_label(label=create_label(dataset=dataset, name="猫", user=None), user=team.people["engineer"])
    gone = make_dataset(team, "Gone")
    page("engineer").post(f"/datasets/{gone.pk}/settings/trash/")
    text = page("owner").get(f"/projects/{team.project.pk}/trash/").text
    assert all(word in text for word in ("2 days left", "猫", "Gone", "engineer", "Release what is ticked"))
    answer = page("owner").post(
        f"/projects/{team.project.pk}/trash/restore/", {"images": ["x", "9" * 30], "dataset": "9" * 18}
    )
    assert answer.status_code == 404
