"""The same picture under two labels: nothing is dropped in silence, one key settles it, and it can be undone."""

from collections.abc import Callable

import pytest
from django.test import Client

from datasets.conflicts import SettledAlready, open_conflicts, reopen, settle
from datasets.imports import undo_import
from datasets.models import Dataset, Import, Label, LabelConflict
from datasets.tagging import tag_images, trash_images, undo
from tests.datasets.makers import Work, begin, colours, make_dataset, outcomes, taken, zip_of
from tests.datasets.test_import_choosing import asked, chosen
from tests.factories import Team, picture

Page = Callable[[str], Client]


@pytest.fixture
def pets(work: Work, team: Team) -> Dataset:
    """A cat that came again as a dog."""
    dataset = make_dataset(team)
    begin(team, dataset, ("1.png", picture()), label_name="cat")
    begin(team, dataset, ("a.zip", zip_of({"dog/2.png": picture()})))
    work()
    return dataset


def one(dataset: Dataset) -> LabelConflict:
    return open_conflicts(dataset).get()


def test_a_picture_that_comes_again_under_another_label_keeps_its_own_and_waits(pets: Dataset) -> None:
    assert taken(pets) == {"1.png": "cat"}
    conflict = one(pets)
    assert (conflict.label.name, conflict.name) == ("dog", "dog/2.png")
    assert conflict.source is not None and outcomes(conflict.source) == {"dog/2.png": "duplicate-other-label"}


def test_the_same_again_is_asked_once(pets: Dataset, work: Work, team: Team) -> None:
    begin(
        team,
        pets,
        ("a.zip", zip_of({"dog/2.png": picture(), "dog/3.png": picture(), "cat/4.png": picture()})),
    )
    work()
    assert open_conflicts(pets).count() == 1


def test_one_upload_with_a_picture_under_two_labels_is_asked_about_too(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    begin(team, dataset, ("a.zip", zip_of({"cat/1.png": picture(), "dog/2.png": picture()})))
    work()
    assert taken(dataset) == {"1.png": "cat"} and one(dataset).label.name == "dog"


def test_taking_the_other_label_is_an_act_that_can_be_undone(pets: Dataset, team: Team) -> None:
    person = team.people["labeller"]
    action = settle(conflict=one(pets), user=person, take=True)
    assert action is not None and taken(pets) == {"1.png": "dog"} and not open_conflicts(pets)
    undo(action=action, user=person)  # from the list of changes
    assert taken(pets) == {"1.png": "cat"} and one(pets).label.name == "dog"


@pytest.mark.parametrize("take", [True, False])
def test_a_decision_is_taken_back(pets: Dataset, team: Team, take: bool) -> None:
    conflict, person = one(pets), team.people["labeller"]
    settle(conflict=conflict, user=person, take=take)
    with pytest.raises(SettledAlready):
        settle(conflict=conflict, user=person, take=take)
    conflict.refresh_from_db()
    reopen(conflict=conflict, user=person)
    assert taken(pets) == {"1.png": "cat"} and one(pets).pk == conflict.pk


def test_what_somebody_settled_on_the_bench_is_not_asked_any_more(pets: Dataset, team: Team) -> None:
    person, dog = team.people["engineer"], pets.labels.get(name="dog")
    act = tag_images(dataset=pets, user=person, chosen=pets.images.all(), label=dog)
    assert not open_conflicts(pets)
    undo(action=act, user=person)
    trash_images(dataset=pets, user=person, chosen=pets.images.all())
    assert not open_conflicts(pets)


def test_a_third_label_given_on_the_bench_settles_it(pets: Dataset, team: Team) -> None:
    person, cow = team.people["engineer"], pets.labels.create(name="cow")
    act = tag_images(dataset=pets, user=person, chosen=pets.images.all(), label=cow)
    assert not open_conflicts(pets)
    undo(action=act, user=person)
    assert one(pets).label.name == "dog"


def test_of_three_labels_each_is_asked_about(work: Work, team: Team) -> None:
    dataset, person = make_dataset(team), team.people["labeller"]
    begin(team, dataset, ("a.zip", zip_of({f"{name}/1.png": picture() for name in ("cat", "dog", "cow")})))
    work()
    first, second = open_conflicts(dataset)
    settle(conflict=first, user=person, take=True)
    assert one(dataset).pk == second.pk  # dog or cow?


def test_an_import_that_was_taken_back_asks_nothing(pets: Dataset, team: Team) -> None:
    source = one(pets).source
    assert source is not None
    undo_import(found=source, user=team.people["engineer"])
    assert not open_conflicts(pets)


@pytest.mark.parametrize(
    ("policy", "label", "left"), [("later", "cat", 1), ("keep", "cat", 0), ("take", "dog", 0)]
)
def test_all_of_an_import_are_settled_as_was_chosen(
    work: Work, team: Team, policy: str, label: str, left: int
) -> None:
    dataset, (here, twice) = make_dataset(team), colours(2)
    begin(team, dataset, ("1.png", here), label_name="cat")
    work()
    content = {"dog/2.png": here, "cow/3.png": twice, "pig/4.png": twice}
    found = asked(work, team, dataset, ("a.zip", zip_of(content)))
    chosen(work, team, found, conflicts=policy)
    assert taken(dataset) == {"1.png": label, "3.png": "cow"}
    # Neither of the upload's own two labels is older: a person decides
    assert set(open_conflicts(dataset).values_list("name", flat=True)) == {"pig/4.png"} | (
        {"dog/2.png"} if left else set()
    )
    if policy == "take":
        act = dataset.actions.get()
        undo(action=act, user=team.people["engineer"])
        assert taken(dataset)["1.png"] == "cat"


def test_names_mapped_to_one_label_are_no_conflict(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    found = asked(work, team, dataset, ("a.zip", zip_of({"cat/1.png": picture(), "Cat/2.png": picture()})))
    chosen(work, team, found, labels={"Cat": "cat"})
    assert not open_conflicts(dataset) and taken(dataset) == {"1.png": "cat"}


# ---- by the page ------------------------------------------------------------------------


def test_the_queue_shows_both_labels_settles_and_takes_back(pets: Dataset, page: Page) -> None:
    client, address = page("labeller"), f"/datasets/{pets.pk}/conflicts/"
    conflict = one(pets)
    shown = client.get(address).content.decode()
    assert "cat" in shown and "dog" in shown and f"{conflict.pk}/settle/" in shown
    answer = client.post(f"{address}{conflict.pk}/settle/", {"take": "other"}, follow=True)
    text = answer.content.decode()
    assert taken(pets) == {"1.png": "dog"}
    assert "1.png is dog now." in text and "No picture has two labels" in text
    client.post(f"{address}{conflict.pk}/reopen/")
    assert taken(pets) == {"1.png": "cat"} and one(pets).pk == conflict.pk
    client.post(f"{address}{conflict.pk}/settle/", {"take": "here"})
    assert taken(pets) == {"1.png": "cat"} and not open_conflicts(pets)


def test_the_import_s_report_leads_to_its_conflicts(pets: Dataset, page: Page) -> None:
    source = one(pets).source
    assert isinstance(source, Import)
    shown = page("labeller").get(f"/imports/{source.pk}/").content.decode()
    assert f"/datasets/{pets.pk}/conflicts/" in shown
    bench = page("viewer").get(f"/datasets/{pets.pk}/").content.decode()
    assert "1 picture came again under another label" in bench
    assert (
        f"/datasets/{pets.pk}/conflicts/" not in page("viewer").get(f"/imports/{source.pk}/").content.decode()
    )


def test_a_decision_without_a_label_or_made_twice_is_told(pets: Dataset, page: Page) -> None:
    client, address = page("labeller"), f"/datasets/{pets.pk}/conflicts/{one(pets).pk}/settle/"
    answer = client.post(address, {"take": "both"}, follow=True)
    assert "which of the two" in str(next(iter(answer.context["messages"])))
    client.post(address, {"take": "here"})
    answer = client.post(address, {"take": "other"}, follow=True)
    assert "settled meanwhile" in str(list(answer.context["messages"])[-1])
    assert taken(pets) == {"1.png": "cat"}


@pytest.mark.parametrize("number", ["x", "²", "9" * 30, "-1"])
def test_a_made_up_place_in_the_queue_is_its_beginning(pets: Dataset, page: Page, number: str) -> None:
    answer = page("viewer").get(f"/datasets/{pets.pk}/conflicts/", {"after": number, "done": number})
    assert answer.status_code == 200 and answer.context["conflict"] == one(pets)


@pytest.mark.parametrize("verb", ["", "settle/", "reopen/"])
def test_conflicts_are_closed_to_strangers_and_to_wrong_methods(pets: Dataset, page: Page, verb: str) -> None:
    address = f"/datasets/{pets.pk}/conflicts/" + (f"{one(pets).pk}/{verb}" if verb else "")
    stranger, owner = page("stranger"), page("owner")
    assert (stranger.post if verb else stranger.get)(address).status_code == 404
    assert (owner.get if verb else owner.post)(address).status_code == 405
    if verb:
        assert page("viewer").post(address).status_code == 403
        assert owner.post(f"/datasets/{pets.pk}/conflicts/999999/{verb}").status_code == 404


def test_a_program_lists_and_settles_them(pets: Dataset, api: Callable[..., Client]) -> None:
    client, conflict = api("labeller"), one(pets)
    address = f"/api/v1/datasets/{pets.pk}/conflicts"
    assert conflict.source_id
    [listed] = client.get(address, {"import": conflict.source_id}).json()["items"]
    assert (listed["label"], listed["other"], listed["came_as"]) == ("cat", "dog", "dog/2.png")
    assert client.get(address, {"import": 10**6}).json()["items"] == []
    settled = client.post(
        f"{address}/{conflict.pk}/settle", {"take": True}, content_type="application/json"
    ).json()
    assert settled["changed"] == 1 and taken(pets) == {"1.png": "dog"}
    again = client.post(f"{address}/{conflict.pk}/settle", {"take": True}, content_type="application/json")
    assert (again.status_code, again.json()["code"]) == (409, "conflict-settled")


def test_a_label_that_was_taken_away_is_no_side_of_a_conflict(pets: Dataset, team: Team) -> None:
    from datasets.labels import delete_label

    delete_label(label=Label.objects.get(dataset=pets, name="dog"), user=team.people["engineer"])
    assert not open_conflicts(pets)
