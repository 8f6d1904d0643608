"""What a data set takes in storage is said where people look for it."""

from collections.abc import Callable

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasets.embeddings import current_extractor, ensure_features
from datasets.models import Image
from datasets.storage_used import bytes_in_project, used_by
from tests.datasets.makers import colours, make_dataset, make_images
from tests.factories import Team
from web import storage


def test_pictures_trash_thumbnails_and_embeddings_are_counted(team: Team) -> None:
    dataset = make_dataset(team)
    for n, content in enumerate(colours(4)):
        key = storage.put_bytes("images", content, ".png")
        Image.objects.create(
            dataset=dataset, name=f"{n}.png", sha256=storage.promised_hash(key), key=key,
            thumbnail_key=storage.put_bytes("thumbnails", bytes([n]) * 100, ".jpg"),
            format="PNG", bytes=1000, width=64, height=48,
        )  # fmt: skip
    extractor = current_extractor()
    ensure_features(extractor, list(dataset.images.values_list("sha256", "key")))
    Image.objects.filter(name="0.png").update(trashed_at=timezone.now())
    used = used_by(dataset)
    assert (used.images, used.pictures, used.trash, used.thumbnails) == (4, 3000, 1000, 400)
    assert used.embeddings == 4 * 2 * extractor.dimensions
    assert used.total == 4400 + used.embeddings
    assert bytes_in_project(team.project) == 4000


def test_an_empty_data_set_takes_nothing(team: Team) -> None:
    assert used_by(make_dataset(team)).total == 0


def test_the_sum_goes_by_the_index_that_holds_the_bytes(team: Team) -> None:
    dataset = make_dataset(team)
    make_images(dataset, 3)
    with CaptureQueriesContext(connection) as seen:
        used_by(dataset)
    if connection.vendor != "sqlite":
        return
    sql = next(query["sql"] for query in seen if "SUM" in query["sql"] and "IS NULL" in query["sql"])
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
        assert "INDEX image_by_bytes (dataset_id=? AND bytes>?)" in str(cursor.fetchall())


def test_settings_list_and_project_say_it(team: Team, page: Callable[[str], Client]) -> None:
    dataset = make_dataset(team)
    make_images(dataset, 2)
    Image.objects.update(bytes=3 * 1024 * 1024)
    assert "6.0" in page("engineer").get(f"/datasets/{dataset.pk}/settings/").text
    assert "6.0" in page("viewer").get(f"/projects/{team.project.pk}/datasets/").text
    assert "6.0" in page("viewer").get(f"/projects/{team.project.pk}/").text
