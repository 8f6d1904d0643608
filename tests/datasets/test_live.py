"""What an open bench hears of others, asked by number; nothing is missed, nothing grows without bound."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from datasets import live
from datasets.label_looks import PALETTE
from datasets.labels import create_label, delete_label, rename_label
from datasets.models import Dataset, Happening, Label, Presence
from datasets.tagging import tag_images, trash_images, undo
from datasets.trash import restore_label
from tests.datasets.makers import Work, begin, colours, make_dataset, make_images, zip_of
from tests.factories import Team

Page = Callable[[str], Client]


@pytest.fixture
def pets(team: Team) -> Dataset:
    dataset = make_dataset(team)
    for name in ("cat", "dog"):
        dataset.labels.create(name=name)
    make_images(dataset, 6)
    return dataset


def tag(team: Team, dataset: Dataset, count: int, label: str = "cat", by: str = "labeller") -> Any:
    chosen = dataset.images.filter(pk__in=ids(dataset)[:count])
    return tag_images(
        dataset=dataset, user=team.people[by], chosen=chosen, label=Label.objects.get(name=label)
    )


def ids(dataset: Dataset) -> list[int]:
    return list(dataset.images.order_by("pk").values_list("pk", flat=True))


def ask(client: Client, dataset: Dataset, since: int, query: str = "state=unlabelled", **headers: str) -> Any:
    return client.get(f"/datasets/{dataset.pk}/live/?heard={since}&here=&{query}", headers=headers)


def test_anothers_tags_are_told_with_the_label_and_who_gave_it(page: Page, team: Team, pets: Dataset) -> None:
    since = live.latest(pets)
    tag(team, pets, 2)
    told = ask(page("engineer"), pets, since).json()
    assert [(each["id"], each["label"]["name"], each["who"]) for each in told["images"]] == [
        (pk, "cat", "labeller") for pk in ids(pets)[:2]
    ]
    assert [each["matches"] for each in told["images"]] == [False, False]
    assert (told["counts"]["labelled"], told["counts"]["unlabelled"]) == (2, 4)
    assert told["last"] > since and told["large"] == []


def test_a_picture_that_still_matches_the_grid_says_so(page: Page, team: Team, pets: Dataset) -> None:
    tag(team, pets, 1)
    assert [each["matches"] for each in ask(page("viewer"), pets, 0, "state=labelled").json()["images"]] == [
        True
    ]
    assert [each["matches"] for each in ask(page("viewer"), pets, 0, "label=dog").json()["images"]] == [False]


def test_what_was_heard_is_not_told_again_and_nothing_new_is_an_empty_answer(
    page: Page, team: Team, pets: Dataset
) -> None:
    tag(team, pets, 2)
    client = page("viewer")
    last = ask(client, pets, 0).json()["last"]
    again = client.get(f"/datasets/{pets.pk}/live/?heard={last}&here={team.people['labeller'].pk}")
    assert (again.status_code, again.content) == (204, b"")


def test_an_undo_is_told_with_the_pictures_as_they_are_again(page: Page, team: Team, pets: Dataset) -> None:
    action = tag(team, pets, 2)
    since = live.latest(pets)
    undo(action=action, user=team.people["engineer"])
    told = ask(page("viewer"), pets, since).json()
    assert [(each["label"], each["matches"], each["who"]) for each in told["images"]] == [
        (None, True, "engineer")
    ] * 2


def test_trashed_pictures_are_told(page: Page, team: Team, pets: Dataset) -> None:
    trash_images(dataset=pets, user=team.people["owner"], chosen=pets.images.filter(pk=ids(pets)[0]))
    told = ask(page("viewer"), pets, 0).json()["images"]
    assert [(each["trashed"], each["matches"]) for each in told] == [(True, False)]


def test_a_large_act_is_a_line_with_its_number(
    page: Page, team: Team, pets: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_IMAGES", 4)
    tag(team, pets, 6)
    told = ask(page("viewer"), pets, 0).json()
    assert told["images"] == []
    assert [each["told"] for each in told["large"]] == ["labeller: 6 pictures tagged cat"]


def test_an_answer_is_bounded_and_says_that_there_is_more(
    page: Page, team: Team, pets: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_HAPPENINGS", 3)
    for label in ("cat", "dog", "cat", "dog", "cat"):
        tag(team, pets, 1, label)
    first = ask(page("viewer"), pets, 0).json()
    second = ask(page("viewer"), pets, first["last"]).json()
    assert (first["more"], second["more"]) == (True, False)
    assert second["last"] == live.latest(pets)


def test_labels_that_come_go_or_are_renamed_are_told_once_committed(
    page: Page, team: Team, pets: Dataset, django_capture_on_commit_callbacks: Any
) -> None:
    owner, client = team.people["owner"], page("viewer")
    with django_capture_on_commit_callbacks(execute=True):
        bird = create_label(dataset=pets, name="bird", user=owner)
    with django_capture_on_commit_callbacks(execute=True):
        rename_label(label=bird, name="owl", user=owner)
    with django_capture_on_commit_callbacks(execute=True):
        delete_label(label=bird, user=owner)
    assert pets.happenings.filter(kind="labels").count() == 3
    assert ask(client, pets, 0).json()["labels"] is True


WISHES: list[dict[str, Any]] = [
    {"position": 1}, {"colour": PALETTE[7]}, {"key": "q"}, {"archived": True}, {"archived": False},
    {"description": "with a tail"},
]  # fmt: skip


@pytest.mark.parametrize("wish", WISHES, ids=str)
@pytest.mark.parametrize("door", ["page", "api"])
def test_every_change_of_a_label_is_told(
    page: Page, api: Page, pets: Dataset, wish: dict[str, Any], door: str,
    django_capture_on_commit_callbacks: Any,
) -> None:  # fmt: skip
    cat = pets.labels.get(name="cat")
    since = live.latest(pets)
    with django_capture_on_commit_callbacks(execute=True):
        if door == "api":
            url = f"/api/v1/datasets/{pets.pk}/labels/{cat.pk}"
            assert api("engineer").patch(url, wish, "application/json").status_code == 200
        else:
            form = {key: str(int(value)) if isinstance(value, bool) else value for key, value in wish.items()}
            page("engineer").post(f"/datasets/{pets.pk}/labels/{cat.pk}/change/", form)
    assert ask(page("viewer"), pets, since).json()["labels"] is True


def test_a_label_that_comes_back_is_told_though_no_picture_changes(
    page: Page, team: Team, pets: Dataset, django_capture_on_commit_callbacks: Any
) -> None:
    owner, client = team.people["owner"], page("viewer")
    with django_capture_on_commit_callbacks(execute=True):
        removal = delete_label(label=pets.labels.get(name="cat"), user=owner)
        delete_label(label=pets.labels.get(name="dog"), user=owner)
    since = live.latest(pets)
    with django_capture_on_commit_callbacks(execute=True):
        undo(action=removal, user=owner)
    assert ask(client, pets, since).json()["labels"] is True
    since = live.latest(pets)
    with django_capture_on_commit_callbacks(execute=True):
        restore_label(label=Label.every.get(name="dog", dataset=pets), user=owner)
    assert ask(client, pets, since).json()["labels"] is True


def test_imported_pictures_are_told(work: Work, page: Page, team: Team) -> None:
    dataset = make_dataset(team)
    files = {f"cat/{n}.png": content for n, content in enumerate(colours(3))}
    begin(team, dataset, ("a.zip", zip_of(files)))
    work()
    told = ask(page("viewer"), dataset, 0).json()
    assert [each["told"] for each in told["large"]] == ["labeller imported 3 pictures"]
    assert told["counts"]["total"] == 3


def test_the_labels_of_an_import_are_told_once_a_batch(work: Work, page: Page, team: Team) -> None:
    dataset = make_dataset(team)
    files = {f"label {n}/{n}.png": content for n, content in enumerate(colours(12))}
    begin(team, dataset, ("a.zip", zip_of(files)))
    work()
    assert dataset.labels.count() == 12 and ask(page("viewer"), dataset, 0).json()["labels"] is True
    assert dataset.happenings.filter(kind="labels").count() == 1


def test_who_looked_or_acted_in_the_last_minute_is_here(page: Page, team: Team, pets: Dataset) -> None:
    page("engineer").post(f"/datasets/{pets.pk}/live/")
    tag(team, pets, 1, by="labeller")
    here = ask(page("viewer"), pets, 0).json()["here"]
    assert [each["name"] for each in here] == ["engineer", "labeller"]
    Presence.objects.update(seen_at=timezone.now() - timedelta(seconds=61))
    assert ask(page("viewer"), pets, 0).json()["here"] == []


def test_being_here_is_written_every_twenty_seconds_alone(page: Page, pets: Dataset) -> None:
    client = page("viewer")
    client.post(f"/datasets/{pets.pk}/live/")
    with CaptureQueriesContext(connection) as queries:
        client.post(f"/datasets/{pets.pk}/live/")
    assert not [each for each in queries if each["sql"].startswith(("INSERT", "UPDATE"))]


def test_an_idle_question_is_a_few_small_reads(page: Page, team: Team, pets: Dataset) -> None:
    tag(team, pets, 1)
    client, last = page("viewer"), live.latest(pets)
    with CaptureQueriesContext(connection) as queries:
        client.get(f"/datasets/{pets.pk}/live/?heard={last}&here={team.people['labeller'].pk}")
    assert len(queries) <= 6
    assert not any("datasets_image" in each["sql"] for each in queries)


def test_old_notes_are_swept(team: Team, pets: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    tag(team, pets, 1)
    Happening.objects.update(at=timezone.now() - timedelta(days=2))
    monkeypatch.setattr(live, "SWEEP_EVERY", 1)
    tag(team, pets, 1, "dog")
    assert Happening.objects.count() == 1


@pytest.mark.parametrize("since", ["", "x", "-1", "9" * 30])
def test_a_question_without_a_number_gets_the_one_to_ask_from(
    page: Page, team: Team, pets: Dataset, since: str
) -> None:
    tag(team, pets, 1)
    assert page("viewer").get(f"/datasets/{pets.pk}/live/?heard={since}").json() == {
        "last": live.latest(pets)
    }


def test_a_filter_that_says_nothing_breaks_nothing(page: Page, team: Team, pets: Dataset) -> None:
    tag(team, pets, 1)
    assert ask(page("viewer"), pets, 0, "state=odd&import=x").status_code == 200


def test_a_page_of_somebody_else_hears_nothing_and_changes_nothing(
    page: Page, team: Team, pets: Dataset
) -> None:
    owner_page = {"X-Taxon-Person": str(team.people["owner"].pk)}
    told = ask(page("labeller"), pets, 0, **owner_page)
    assert (told.status_code, told.json()["code"]) == (409, "somebody-else")
    body = {"images": ids(pets)[:1], "label": "cat"}
    sent = page("labeller").post(
        f"/datasets/{pets.pk}/tag/", body, content_type="application/json", headers=owner_page
    )
    assert (sent.status_code, sent.json()["code"]) == (409, "somebody-else")
    assert not pets.images.exclude(label=None).exists()


def test_the_page_learns_who_is_signed_in(page: Page, team: Team, pets: Dataset) -> None:
    found = page("labeller").get(f"/datasets/{pets.pk}/live/who/").json()
    assert (found["user"], found["name"]) == (team.people["labeller"].pk, "labeller")
    assert found["token"]


@pytest.mark.parametrize("where", ["live/", "live/who/"])
def test_strangers_find_nothing(page: Page, pets: Dataset, where: str) -> None:
    assert page("stranger").get(f"/datasets/{pets.pk}/{where}").status_code == 404
    assert page("viewer").put(f"/datasets/{pets.pk}/{where}").status_code == 405


def test_a_pictures_history_tells_its_import_its_tags_and_their_undo(
    work: Work, page: Page, team: Team
) -> None:
    dataset = make_dataset(team)
    begin(team, dataset, ("a.zip", zip_of({"cat/0.png": colours(1)[0], "dog/1.png": colours(2)[1]})))
    work()
    dog, every = dataset.labels.get(name="dog"), dataset.images.all()
    action = tag_images(
        dataset=dataset, user=team.people["engineer"], chosen=every.filter(label__name="cat"), label=dog
    )
    undo(action=action, user=team.people["owner"])
    tag_images(dataset=dataset, user=team.people["engineer"], chosen=every, label=None)
    image = every.get(name="0.png")
    told = " ".join(page("viewer").get(f"/images/{image.pk}/").content.decode().split())
    parts = [
        "Label removed",
        "one of 2 pictures",
        "Tagged dog",
        "undone by owner",
        "Imported as cat",
        "labeller ·",
    ]
    places = [told.index(part, told.index("picture-history")) for part in parts]
    assert places == sorted(places)
