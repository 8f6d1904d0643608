"""What pictures are filtered by: every part alone and together, in the address and in JSON, refused with a sentence."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from datasets.filters import BadFilter, Filter
from datasets.grid import page_of
from datasets.models import Dataset, Image, Import, Suggestion
from datasets.selection import Selection, images_matching
from datasets.suggestions import accept
from datasets.tagging import restore_images, tag_images, trash_images, undo
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team

JSON = "application/json"
Program = Callable[..., Client]


@pytest.fixture
def dataset(team: Team) -> Dataset:
    """Six pictures of different sides, sizes, days and uploaders."""
    made = make_dataset(team)
    pictures = make_images(made, 6)
    uploads = [
        Import.objects.create(dataset=made, created_by=team.people[who]) for who in ("labeller", "owner")
    ]
    for number, picture in enumerate(pictures):
        at = timezone.make_aware(datetime(2026, 3, 1, 12)) + timedelta(days=number)
        Image.objects.filter(pk=picture.pk).update(
            width=100 + number, height=200 - number, bytes=1000 * (number + 1), created_at=at,
            source=uploads[number % 2],
        )  # fmt: skip
    return made


def names(dataset: Dataset, **params: Any) -> str:
    """The numbers in the names of what matches, joined."""
    found = images_matching(dataset, Filter.from_params(params))
    return "".join(sorted(name.removesuffix(".jpg") for name in found.values_list("name", flat=True)))


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"name": "3.J"}, "3"),
        ({"since": "2026-03-05"}, "45"),
        ({"until": "2026-03-02"}, "01"),
        ({"since": "2026-03-03", "until": "2026-03-03"}, "2"),
        ({"min_width": "104"}, "45"),
        ({"max_width": "101", "min_height": "200"}, "0"),
        ({"max_height": "196"}, "45"),
        ({"min_bytes": "2 KB", "max_bytes": "4k"}, "23"),
        ({"uploader": "labeller"}, "024"),
        ({"uploader": "owner", "min_width": "103"}, "35"),
        ({"uploader": "nobody"}, ""),
        ({"tagger": "labeller"}, ""),
    ],
)
def test_each_part_finds_its_pictures(dataset: Dataset, params: dict[str, str], expected: str) -> None:
    assert names(dataset, **params) == expected


def test_the_tagger_is_who_gave_the_label_that_a_picture_has(team: Team, dataset: Dataset) -> None:
    cat, dog = (dataset.labels.create(name=name) for name in ("cat", "dog"))
    pictures = list(dataset.images.order_by("pk"))

    def tag(who: str, label: Any, *at: int) -> Any:
        chosen = Selection.of(dataset, images=[pictures[each].pk for each in at])
        return tag_images(dataset=dataset, user=team.people[who], chosen=chosen, label=label)

    tag("labeller", cat, 0, 1, 2)
    again = tag("owner", dog, 1)
    tag("owner", None, 2)
    assert (names(dataset, tagger="labeller"), names(dataset, tagger="owner")) == ("0", "1")
    undo(action=again, user=team.people["owner"])
    assert (names(dataset, tagger="labeller"), names(dataset, tagger="owner")) == ("01", "")
    one = Selection.of(dataset, images=[pictures[0].pk])
    trash_images(dataset=dataset, user=team.people["owner"], chosen=one)
    restore_images(dataset=dataset, user=team.people["owner"], chosen=one)
    assert (names(dataset, tagger="labeller"), names(dataset, tagger="owner")) == ("01", "")


def test_who_accepts_a_suggestion_is_the_tagger(team: Team, dataset: Dataset) -> None:
    suggest(dataset, [0.9] * 6)
    accept(
        dataset=dataset, user=team.people["owner"], chosen=dataset.images.filter(name__in=["0.jpg", "4.jpg"])
    )
    assert names(dataset, tagger="owner") == "04"


def suggest(dataset: Dataset, confidences: list[float]) -> None:
    """A suggestion a picture; the margin falls where the confidence rises, so that the two orders differ."""
    label = dataset.labels.create(name="cat")
    for image, confidence in zip(dataset.images.order_by("pk"), confidences, strict=True):
        Suggestion.objects.create(
            dataset=dataset,
            image=image,
            label=label,
            confidence=confidence,
            margin=1 - confidence,
            source="test",
        )


def test_suggestions_are_found_by_doubt_and_ordered_by_it(dataset: Dataset) -> None:
    suggest(dataset, [0.9, 0.2, 0.5, 0.4, 0.99, 0.3])
    assert names(dataset, state="suggested", confidence_below="0.45") == "135"
    for order, expected in (("confidence", "153204"), ("-confidence", "402351"), ("margin", "402351")):
        seen, cursor = "", ""
        while cursor is not None:
            wanted = Filter(state="suggested", order=order)  # type: ignore[arg-type]
            found, following = page_of(dataset, wanted, limit=2, cursor=cursor)
            seen += "".join(image.name[0] for image in found)
            if following is None:
                break
            cursor = following
        assert seen == expected, order


@pytest.mark.parametrize(
    ("params", "sentence"),
    [
        ({"state": "odd"}, "“odd” is not a state to filter by."),
        ({"order": "colour"}, "“colour” is not an order."),
        ({"import": "x"}, "An import is named by its number."),
        ({"since": "yesterday"}, "“yesterday” is not a day such as 2026-11-22."),
        ({"until": "2026-02-30"}, "“2026-02-30” is not a day such as 2026-11-22."),
        ({"min_width": "wide"}, "“wide” is not a size to filter by."),
        ({"max_bytes": "-1"}, "“-1” is not a size to filter by."),
        ({"name": "a\x00b"}, "A text to filter by has at most 255 characters, all of them printable."),
        ({"name": "n" * 256}, "A text to filter by has at most 255 characters, all of them printable."),
        (
            {"confidence_below": "2", "state": "suggested"},
            "How sure suggestions must be is a number from 0 to 1.",
        ),
        (
            {"confidence_below": "nan", "state": "suggested"},
            "How sure suggestions must be is a number from 0 to 1.",
        ),
        ({"confidence_below": "0.5"}, "Only suggestions are filtered by confidence."),
        ({"order": "margin"}, "Only suggestions are ordered by confidence."),
        ({"order": "similar"}, "Pictures are ordered by likeness where a picture is named."),
        ({"like": "dog"}, "A picture to compare with is named by its number."),
    ],
)
def test_nonsense_is_refused_with_a_sentence(params: dict[str, str], sentence: str) -> None:
    with pytest.raises(BadFilter) as refused:
        Filter.from_params(params)
    assert str(refused.value) == sentence


def test_the_last_of_all_days_ends_no_request(dataset: Dataset) -> None:
    with pytest.raises(BadFilter):
        names(dataset, until="9999-12-31")


def test_a_filter_survives_its_way_through_an_address(dataset: Dataset) -> None:
    said = {
        "label": "狗 & 猫", "state": "suggested", "import": "3", "uploader": "anna", "tagger": "ben", "name": "a b",
        "since": "2026-01-02", "until": "2026-02-03", "min_width": "0", "max_bytes": "2097152",
        "confidence_below": "0.5", "like": "7", "order": "-margin",
    }  # fmt: skip
    assert Filter.from_params(said).params() == said


def test_an_act_refuses_a_filter_that_it_does_not_understand_wholly(
    team: Team, dataset: Dataset, api: Program, page: Callable[[str], Client]
) -> None:
    dataset.labels.create(name="cat")
    path = f"/api/v1/datasets/{dataset.pk}/tag"
    body = {"filter": {"naem": "3"}, "label": "cat"}
    assert api("labeller").post(path, body, content_type=JSON).status_code == 422
    told = page("labeller").post(
        f"/datasets/{dataset.pk}/tag/", {"filter": "naem=3", "label": "cat"}, content_type=JSON
    )
    assert (told.status_code, told.json()["detail"]) == (422, "“naem” is nothing to filter by.")
    assert not dataset.images.exclude(label=None).exists()


def test_the_api_lists_and_tags_by_every_part(team: Team, dataset: Dataset, api: Program) -> None:
    dataset.labels.create(name="cat")
    base = f"/api/v1/datasets/{dataset.pk}"
    wanted = {"uploader": "labeller", "since": "2026-03-02", "min_width": 102, "name": ".jpg"}
    body = api("viewer").get(f"{base}/images", {**wanted, "order": "-width"}).json()
    assert [item["file"] for item in body["items"]] == ["4.jpg", "2.jpg"]
    done = api("labeller").post(f"{base}/tag", {"filter": wanted, "label": "cat"}, content_type=JSON).json()
    assert done["changed"] == 2 and names(dataset, tagger="labeller") == "24"
    for bad in (
        "since=soon",
        "min_width=-1",
        "confidence_below=1.5",
        "like=x",
        "order=similar",
        "like=999999",
    ):
        told = api("viewer").get(f"{base}/images?{bad}")
        assert told.status_code == 422 and told["Content-Type"].startswith("application/problem+json"), bad


def test_a_person_is_named_by_their_user_name_alone(team: Team, dataset: Dataset) -> None:
    User.objects.filter(username="labeller").update(username="ann'a \" %")
    assert names(dataset, uploader="ann'a \" %") == "024"
