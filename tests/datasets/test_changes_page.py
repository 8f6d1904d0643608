"""The pages of a data set's changes, turned by key."""

import re
from collections.abc import Callable

import pytest
from django.test import Client

from datasets.labels import delete_label
from datasets.models import ActionKind, TagAction
from datasets.tagging import tag_images, undo
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team


def numbers(client: Client, url: str) -> tuple[list[int], str | None, str | None]:
    """The acts that a page shows, by their size, and where its neighbours are."""
    text = client.get(url).content.decode()
    links = {rel: re.search(rf'rel="{rel}" href="([^"]+)"', text) for rel in ("prev", "next")}
    shown = [int(each) for each in re.findall(r"(\d+) pictures? tagged", text)]
    return shown, *(link[1] if link else None for link in links.values())  # type: ignore[return-value]


def test_changes_are_turned_in_both_directions_and_an_act_that_comes_meanwhile_moves_nothing(
    team: Team, page: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.views.sets.CHANGES_A_PAGE", 3)
    dataset, engineer = make_dataset(team), page("engineer")

    def act(changed: int) -> None:
        TagAction.objects.create(dataset=dataset, kind=ActionKind.TAG, label_name="a", changed=changed)

    for changed in range(1, 9):
        act(changed)
    act(0)  # changed nothing: not told
    url = f"/datasets/{dataset.pk}/changes/"
    shown, newer, older = numbers(engineer, url)
    assert (shown, newer) == ([8, 7, 6], None)
    act(9)
    shown, newer, older = numbers(engineer, f"{url}{older}")
    assert shown == [5, 4, 3]
    last, back, end = numbers(engineer, f"{url}{older}")
    assert (last, end) == ([2, 1], None)
    assert numbers(engineer, f"{url}{back}")[0] == [5, 4, 3]
    assert numbers(engineer, f"{url}{newer}")[0] == [8, 7, 6]
    first, nothing, _ = numbers(engineer, f"{url}{numbers(engineer, url + str(newer))[1]}")
    assert (first, nothing) == ([9, 8, 7], None)  # a short first page is filled up


@pytest.mark.parametrize("query", ["?before=x", "?after=-1", "?before=9999999999999999999999", "?page=3"])
def test_an_address_that_names_no_place_shows_the_first_page(
    team: Team, page: Callable[[str], Client], query: str
) -> None:
    dataset = make_dataset(team)
    TagAction.objects.create(dataset=dataset, kind=ActionKind.TAG, label_name="a", changed=7)
    assert numbers(page("viewer"), f"/datasets/{dataset.pk}/changes/{query}")[0] == [7]


def test_a_label_that_was_deleted_is_named_for_its_undo_brings_it_back(
    team: Team, page: Callable[[str], Client]
) -> None:
    dataset = make_dataset(team)
    cat = dataset.labels.create(name="猫")
    make_images(dataset, 3, cat)
    action = delete_label(label=cat, user=team.people["engineer"])
    url = f"/datasets/{dataset.pk}/changes/"
    assert "猫 is deleted: 3 pictures are unlabelled now." in page("engineer").get(url).content.decode()
    undo(action=action, user=team.people["engineer"])
    assert "is deleted" not in page("engineer").get(url).content.decode()


def test_labellers_are_offered_the_undo_of_their_own_acts_alone(
    team: Team, page: Callable[[str], Client]
) -> None:
    dataset = make_dataset(team)
    make_images(dataset, 2)
    cat = dataset.labels.create(name="猫")
    acts = {
        role: tag_images(
            dataset=dataset,
            user=team.people[role],
            chosen=dataset.images.filter(pk=dataset.images.order_by("pk")[at].pk),
            label=cat,
        ).pk
        for at, role in enumerate(("engineer", "labeller"))
    }
    shown = page("labeller").get(f"/datasets/{dataset.pk}/changes/").content.decode()
    assert f'name="action" value="{acts["labeller"]}"' in shown
    assert f'name="action" value="{acts["engineer"]}"' not in shown
    every = page("engineer").get(f"/datasets/{dataset.pk}/changes/").content.decode()
    assert all(f'name="action" value="{pk}"' in every for pk in acts.values())
