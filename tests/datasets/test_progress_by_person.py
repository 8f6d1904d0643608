"""Who tagged how much; owners and engineers see everybody, labellers themselves."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from datasets.labels import delete_label
from datasets.models import Dataset, Label, Suggestion, TagAction
from datasets.progress_by_person import progress_of, tagged_today
from datasets.suggestions import accept
from datasets.tagging import tag_images, trash_images, undo
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team


@pytest.fixture
def pets(team: Team) -> Dataset:
    dataset = make_dataset(team)
    dataset.labels.create(name="cat")
    make_images(dataset, 10)
    return dataset


def tag(team: Team, dataset: Dataset, by: str, first: int, count: int) -> TagAction:
    ids = list(dataset.images.order_by("pk").values_list("pk", flat=True))[first : first + count]
    return tag_images(
        dataset=dataset,
        user=team.people[by],
        chosen=dataset.images.filter(pk__in=ids),
        label=Label.objects.get(),
    )


def test_each_persons_tags_are_summed_by_day_and_week(team: Team, pets: Dataset) -> None:
    old, older = tag(team, pets, "labeller", 0, 1), tag(team, pets, "labeller", 1, 2)
    tag(team, pets, "labeller", 3, 3)
    tag(team, pets, "owner", 6, 1)
    now = timezone.now()
    TagAction.objects.filter(pk=old.pk).update(created_at=now - timedelta(days=3))
    TagAction.objects.filter(pk=older.pk).update(created_at=now - timedelta(days=30))
    found = progress_of(pets)
    told = [(str(each.person), each.today.tagged, each.week.tagged, each.ever.tagged) for each in found]
    assert told == [("labeller", 3, 4, 6), ("owner", 1, 1, 1)]
    assert [str(each.person) for each in progress_of(pets, only=team.people["owner"])] == ["owner"]


def test_undone_and_agreed_pictures_are_counted(team: Team, pets: Dataset) -> None:
    image = pets.images.earliest("pk")
    Suggestion.objects.create(
        dataset=pets, image=image, label=Label.objects.get(), confidence=0.9, source="x"
    )
    accept(dataset=pets, user=team.people["labeller"], chosen=pets.images.all())
    mine = tag(team, pets, "labeller", 1, 4)
    tag(team, pets, "owner", 0, 10)
    undo(action=mine, user=team.people["owner"])
    (found,) = progress_of(pets, only=team.people["labeller"])
    assert (found.ever.tagged, found.ever.agreed, found.ever.asked, found.ever.undone) == (5, 1, 1, 4)
    assert found.ever.agreed_percent == 100
    assert tagged_today(pets, team.people["labeller"]) == 1


def test_what_went_to_the_trash_is_no_tag(team: Team, pets: Dataset) -> None:
    trash_images(dataset=pets, user=team.people["owner"], chosen=pets.images.all())
    assert progress_of(pets) == []


@pytest.mark.parametrize(
    ("role", "names"), [("viewer", []), ("labeller", ["labeller"]), ("engineer", ["labeller", "owner"])]
)
def test_the_page_shows_as_many_people_as_the_role_may_see(
    team: Team, pets: Dataset, page: Callable[[str], Client], role: str, names: list[str]
) -> None:
    tag(team, pets, "labeller", 0, 2)
    tag(team, pets, "owner", 2, 1)
    answer = page(role).get(f"/datasets/{pets.pk}/changes/")
    assert [str(each.person) for each in answer.context["progress"]] == names


def test_taking_labels_away_is_no_tagging(team: Team, pets: Dataset) -> None:
    tag(team, pets, "engineer", 0, 4)
    engineer = team.people["engineer"]
    tag_images(
        dataset=pets, user=engineer, chosen=pets.images.filter(pk__in=pets.images.all()[:1]), label=None
    )
    delete_label(label=pets.labels.get(name="cat"), user=engineer)
    assert tagged_today(pets, engineer) == 4
    assert [each.ever.tagged for each in progress_of(pets)] == [4]
