"""Labels: which names there can be, how many, and what becomes of their pictures."""

import pytest
from pytest_django.fixtures import Settings

from datasets.labels import (
    BadLabel,
    LabelExists,
    TooManyLabels,
    UnknownLabel,
    clean_name,
    create_label,
    delete_label,
    find_label,
    find_or_create,
    label_named,
    labels_with_counts,
    merge_labels,
    rename_label,
)
from datasets.models import Label
from projects.models import AuditEntry
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team
from web.sentences import Conflict


@pytest.mark.parametrize(
    "name", ["狗", "golden retriever", "A&B <i>", "x" * 64, "naïve", "🐈", "a.b", "100%"]
)
def test_any_printable_text_is_a_name(name: str) -> None:
    assert clean_name(f"  {name} ") == name


@pytest.mark.parametrize(
    "name", ["", "  ", "a/b", "a\\b", "a:b", "a\nb", "a\tb", "x" * 65, "a\x7fb", "a\u2028b"]
)
def test_these_are_not(name: str) -> None:
    with pytest.raises(BadLabel):
        clean_name(name)


def test_names_that_look_alike_are_one(team: Team) -> None:
    dataset = make_dataset(team)
    label = create_label(dataset=dataset, name="café", user=team.people["owner"])
    assert find_or_create(dataset=dataset, name=" cafe\u0301", user=None) == label
    with pytest.raises(LabelExists):
        create_label(dataset=dataset, name="cafe\u0301", user=None)
    with pytest.raises(UnknownLabel):
        label_named(dataset, "Café")


def test_there_are_at_most_as_many_as_the_limit_says(team: Team, settings: Settings) -> None:
    settings.MAX_LABELS = 2
    dataset = make_dataset(team)
    for name in ("a", "b"):
        create_label(dataset=dataset, name=name, user=None)
    with pytest.raises(TooManyLabels):
        create_label(dataset=dataset, name="c", user=None)
    delete_label(label=dataset.labels.get(name="a"), user=team.people["owner"])
    assert create_label(dataset=dataset, name="c", user=None).name == "c"


def test_neighbours_have_different_colours(team: Team) -> None:
    dataset = make_dataset(team)
    made = [create_label(dataset=dataset, name=str(n), user=None) for n in range(16)]
    assert len({label.colour for label in made}) == 16


def test_counts_leave_out_the_trash(team: Team) -> None:
    dataset = make_dataset(team)
    label = dataset.labels.create(name="a")
    make_images(dataset, 3, label)
    dataset.images.filter(name="0.jpg").update(trashed_at="2026-01-01T00:00Z")
    assert [(each.name, each.images_count) for each in labels_with_counts(dataset)] == [("a", 2)]


def test_a_name_that_is_taken_cannot_be_given(team: Team) -> None:
    dataset = make_dataset(team)
    first, _ = dataset.labels.create(name="a"), dataset.labels.create(name="b")
    with pytest.raises(LabelExists):
        rename_label(label=first, name="b", user=team.people["owner"])
    assert (
        rename_label(label=Label.objects.get(pk=first.pk), name="a ", user=team.people["owner"]).name == "a"
    )


def test_a_deleted_label_s_pictures_move_where_they_are_told_those_in_the_trash_too(team: Team) -> None:
    dataset = make_dataset(team)
    first, second = dataset.labels.create(name="a"), dataset.labels.create(name="b")
    make_images(dataset, 2, first)
    dataset.images.filter(name="0.jpg").update(trashed_at="2026-01-01T00:00Z")
    assert delete_label(label=first, user=team.people["owner"], move_to=second).changed == 2
    assert dataset.images.filter(label=second).count() == 2
    assert AuditEntry.objects.filter(action="label.merge", target="a").exists()


def test_a_label_is_not_merged_into_itself_or_into_another_data_set(team: Team) -> None:
    label = make_dataset(team).labels.create(name="a")
    other = make_dataset(team, "Other").labels.create(name="b")
    for into in (label, other):
        with pytest.raises(Conflict):
            merge_labels(label=label, into=into, user=team.people["owner"])


def test_marks_that_turn_the_direction_of_a_sentence_do_not_get_into_a_name(team: Team) -> None:
    dataset = make_dataset(team)
    label = create_label(dataset=dataset, name="\u202eabc\u202c", user=None)
    assert label.name == "abc"
    assert find_label(dataset, "\u202eabc") == label
    with pytest.raises(BadLabel):
        clean_name("\u2066\u2069")
    assert clean_name("👩‍🌾") == "👩‍🌾"  # joined by a mark that turns nothing
