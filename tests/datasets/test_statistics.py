"""The statistics page: what the database counts, and what a person should look at."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from PIL import Image as Picture
from PIL import ImageFilter

from datasets.looks import BLURRED, DARK, measured
from datasets.models import Dataset, Image
from datasets.statistics import statistics_of
from tests.datasets.makers import Work, begin, make_dataset, make_images
from tests.datasets.test_near_duplicates import jpeg, scene
from tests.factories import Team


@pytest.fixture
def dataset(team: Team, work: Work) -> Dataset:
    """Three sharp scenes, a dark one, a blurred one, a long one."""
    found = make_dataset(team)
    sharp = [(f"{n}.jpg", jpeg(scene(n))) for n in (1, 2, 3)]
    dark = ("dark.jpg", jpeg(scene(4).point(lambda value: value // 12)))
    blurred = ("blurred.jpg", jpeg(scene(5).filter(ImageFilter.GaussianBlur(9))))
    long = ("long.png", jpeg(scene(6).resize((300, 110))))
    begin(team, found, *sharp, dark, label_name="cat")
    begin(team, found, blurred, long)
    work()
    return found


def chart(dataset: Dataset, key: str) -> dict[str, int]:
    """One of the charts, by name."""
    return next(
        {bar.name: bar.count for bar in each.bars}
        for each in statistics_of(dataset).charts
        if each.key == key
    )


def test_every_chart_counts_every_picture_once(dataset: Dataset) -> None:
    found = statistics_of(dataset)
    assert (found.total, found.unmeasured) == (6, 0)
    for each in found.charts:
        assert sum(bar.count for bar in each.bars) == 6, each.key
    assert chart(dataset, "labels") == {"cat": 4, "Unlabelled": 2}
    assert chart(dataset, "shapes")["wider than 2 : 1"] == 1 and chart(dataset, "shapes")["about square"] == 5
    assert chart(dataset, "types") == {"JPEG": 6}
    assert list(chart(dataset, "imports").values()) == [4, 2]
    assert chart(dataset, "sizes")["96 – 223"] == 1


def test_dark_and_blurred_pictures_are_told_with_a_way_to_them(
    dataset: Dataset, page: Callable[[str], Client]
) -> None:
    shown = page("viewer").get(f"/datasets/{dataset.pk}/statistics/")
    text = shown.content.decode()
    assert "Very dark pictures: 1." in text and "show a plain surface: 2." in text  # no edges in the dark
    for query, name in (
        (f"max_brightness={DARK - 1}", "dark.jpg"),
        (f"max_sharpness={BLURRED - 1}", "blurred.jpg"),
    ):
        assert f"/datasets/{dataset.pk}/?state=all&amp;{query}" in text
        bench = page("viewer").get(f"/datasets/{dataset.pk}/?state=all&{query}").content.decode()
        assert name in bench and "1.jpg" not in bench


def test_pictures_from_before_are_measured_when_somebody_asks(
    dataset: Dataset, page: Callable[[str], Client], work: Work
) -> None:
    Image.objects.update(brightness=None, sharpness=None)
    address = f"/datasets/{dataset.pk}/statistics/"
    assert "Measure now" in page("labeller").get(address).content.decode()
    assert "Brightness" not in page("labeller").get(address).content.decode()
    assert page("labeller").post(f"/datasets/{dataset.pk}/look/").status_code == 302
    assert "Measure now" not in page("labeller").get(address).content.decode(), "it waits already"
    work()
    assert statistics_of(dataset).unmeasured == 0


def test_a_picture_whose_thumbnail_is_gone_does_not_hold_up_the_others(
    dataset: Dataset, page: Callable[[str], Client], work: Work
) -> None:
    Image.objects.update(brightness=None, sharpness=None)
    Image.objects.filter(name="1.jpg").update(thumbnail_key="thumbnails/none.jpg")
    page("labeller").post(f"/datasets/{dataset.pk}/look/")
    work()
    assert statistics_of(dataset).unmeasured == 1


def test_sharpness_and_brightness_are_what_they_are_called() -> None:
    picture = scene(7)
    blurred = [measured(jpeg(picture.filter(ImageFilter.GaussianBlur(r))))[1] for r in (0, 2, 5)]
    assert blurred == sorted(blurred, reverse=True) and blurred[0] > BLURRED > blurred[2]
    assert measured(jpeg(Picture.new("RGB", (50, 50), "black")))[0] == 0
    assert measured(jpeg(Picture.new("RGB", (50, 50), "white")))[0] == 255


def test_the_number_of_reads_does_not_grow_with_the_pictures(dataset: Dataset) -> None:
    with CaptureQueriesContext(
        connection,
    ) as few:
        statistics_of(dataset)
    make_images(dataset, 300, dataset.labels.get())
    with CaptureQueriesContext(connection) as many:
        assert statistics_of(dataset).total == 306
    assert len(many) == len(few) <= 7


def test_an_empty_data_set_says_what_to_do_next(team: Team, page: Callable[[str], Client]) -> None:
    address = f"/datasets/{make_dataset(team).pk}/statistics/"
    assert "No pictures yet" in page("viewer").get(address).content.decode()
    assert page("viewer").post(address).status_code == 405
    assert page("stranger").get(address).status_code == 404


def test_measuring_is_asked_for_by_labellers(team: Team, page: Callable[[str], Client]) -> None:
    address = f"/datasets/{make_dataset(team).pk}/look/"
    assert page("viewer").post(address).status_code == 403
    assert page("stranger").post(address).status_code == 404
    assert page("labeller").get(address).status_code == 405
