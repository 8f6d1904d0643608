"""Copies of data sets, and pictures that go from one to another."""

from collections.abc import Callable

import pytest
from django.test import Client

from datasets import copying
from datasets.models import Dataset, Image
from datasets.none_of_these import add_none_of_these, none_label_of
from datasets.tagging import undo
from jobs.models import Job
from projects.models import Membership, Role
from tests.datasets.makers import Work, make_dataset, make_images, taken
from tests.factories import Team


@pytest.fixture
def dataset(team: Team) -> Dataset:
    """Three cats in green, one wished for testing; two without a label; one in the trash."""
    made = make_dataset(team)
    make_images(made, 3, made.labels.create(name="猫", colour="#0d9488"))
    make_images(made, 3)
    made.images.filter(name="0.jpg").update(split="test", group="burst")
    made.images.filter(name="5.jpg").update(trashed_at="2026-01-01T00:00Z")
    return made


def test_a_copy_has_the_labels_and_pictures_and_shares_the_files(
    team: Team, dataset: Dataset, api: Callable[..., Client]
) -> None:
    answer = api("engineer").post(f"/api/v1/datasets/{dataset.pk}/copy", {"name": "Twin"}, "application/json")
    assert answer.status_code == 201
    twin = Dataset.objects.get(pk=answer.json()["id"])
    assert taken(twin) == {"0.jpg": "猫", "1.jpg": "猫", "2.jpg": "猫", "3.jpg": None, "4.jpg": None}
    assert twin.labels.get().colour == "#0d9488"
    first, copy = (each.images.get(name="0.jpg") for each in (dataset, twin))
    assert (copy.split, copy.group, copy.key, copy.sha256) == ("test", "burst", first.key, first.sha256)
    assert taken(dataset)["0.jpg"] == "猫"
    again = api("engineer").post(f"/api/v1/datasets/{dataset.pk}/copy", {"name": "Twin"}, "application/json")
    assert again.json()["code"] == "name-taken"


def test_a_large_copy_goes_on_in_the_background_and_after_a_kill_behind_what_was_copied(
    team: Team, dataset: Dataset, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "AT_ONCE", 3)
    monkeypatch.setattr(copying, "BATCH", 2)
    user = team.people["engineer"]
    twin, job = copying.copy_dataset(dataset=dataset, name="Twin", project=team.project, user=user)
    assert job is not None and taken(twin) == {}
    ids = list(dataset.images.live().values_list("pk", flat=True))
    copying.copy_batch(ids[:2], dataset, twin, user)  # as far as a killed attempt came
    work()
    assert len(taken(twin)) == 5
    done = Job.objects.get(pk=job.pk)
    assert (done.state, done.sentence.values) == ("succeeded", {"copied": 5, "there": 0})


def test_pictures_move_with_their_labels_and_the_move_is_taken_back(
    team: Team, dataset: Dataset, api: Callable[..., Client]
) -> None:
    other = make_dataset(team, "Other")
    url, engineer = f"/api/v1/datasets/{dataset.pk}/move", api("engineer")
    answer = engineer.post(url, {"filter": {"label": "猫"}, "to": other.pk}, "application/json")
    assert (answer.status_code, answer.json()["moved"], answer.json()["there"]) == (200, 3, 0)
    assert taken(other) == {"0.jpg": "猫", "1.jpg": "猫", "2.jpg": "猫"}
    assert taken(dataset) == {"3.jpg": None, "4.jpg": None}
    undo(action=dataset.actions.get(pk=answer.json()["action"]), user=team.people["engineer"])
    assert len(taken(dataset)) == 5 and len(taken(other)) == 3


def test_what_is_there_already_stays_and_is_counted_and_what_lay_in_the_trash_returns(
    team: Team, dataset: Dataset, api: Callable[..., Client]
) -> None:
    other = make_dataset(team, "Other")
    url, engineer = f"/api/v1/datasets/{dataset.pk}/move", api("engineer")
    body = {"filter": {}, "to": other.pk, "copy": True}
    assert engineer.post(url, body, "application/json").json()["moved"] == 5
    tiger = other.labels.create(name="tiger")
    other.images.filter(name="0.jpg").update(label=tiger)
    other.images.filter(name="1.jpg").update(trashed_at="2026-01-01T00:00Z", label=None)
    answer = engineer.post(url, body | {"copy": False}, "application/json").json()
    assert (answer["moved"], answer["there"]) == (1, 4)
    assert taken(other)["0.jpg"] == "tiger" and taken(other)["1.jpg"] == "猫"
    assert sorted(taken(dataset)) == ["0.jpg", "2.jpg", "3.jpg", "4.jpg"]


def test_nothing_goes_into_itself_or_where_the_person_may_not(
    team: Team, dataset: Dataset, api: Callable[..., Client], page: Callable[[str], Client]
) -> None:
    foreign = Dataset.objects.create(project=team.other, name="Foreign")
    ids = [dataset.images.live().first().pk]  # type: ignore[union-attr]

    def move(to: Dataset, by: Client) -> tuple[int, str]:
        body = {"images": ids, "to": to.pk}
        answer = by.post(f"/api/v1/datasets/{dataset.pk}/move", body, "application/json")
        return answer.status_code, answer.json().get("code", "")

    assert move(dataset, api("engineer")) == (409, "same-data-set")
    assert move(foreign, page("engineer"))[0] == 404
    Membership.objects.create(project=team.other, user=team.people["engineer"], role=Role.LABELLER)
    assert move(foreign, page("engineer"))[0] == 403
    Membership.objects.filter(project=team.other, user=team.people["engineer"]).update(role=Role.ENGINEER)
    assert move(foreign, page("engineer"))[0] == 200
    assert move(foreign, api("engineer"))[0] == 404  # a token knows its own project alone
    assert move(make_dataset(team, "Other"), api("labeller"))[0] == 403
    copied = Image.objects.get(dataset=foreign)
    assert copied.label and copied.label.dataset == foreign


def test_the_label_for_pictures_that_are_none_of_these_stays_one_in_a_copy_and_where_it_is_new(
    team: Team, dataset: Dataset
) -> None:
    user = team.people["engineer"]
    make_images(dataset, 2, add_none_of_these(dataset=dataset, user=user, name="others"))
    twin, _ = copying.copy_dataset(dataset=dataset, name="Twin", project=team.project, user=user)
    assert {each.name: each.role for each in twin.labels.all()} == {"猫": "", "others": "none_of_these"}
    new, has_one, has_it = (make_dataset(team, name) for name in ("New", "Has one", "Has it"))
    add_none_of_these(dataset=has_one, user=user, name="nothing")
    has_it.labels.create(name="others")
    for to in (new, has_one, has_it):
        assert copying.send(chosen=dataset.images.live(), source=dataset, to=to, user=user).copied == 7
    assert [getattr(none_label_of(each), "name", None) for each in (new, has_one, has_it)] == [
        "others", "nothing", None,
    ]  # fmt: skip
