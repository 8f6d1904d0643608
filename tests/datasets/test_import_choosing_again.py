"""An import that asks, killed at any step, cancelled, tried again: it ends as one that nothing befell."""

import random
from collections.abc import Callable, Mapping

import pytest

from config.verify import findings
from datasets import ahead
from datasets.choosing import choices_from, choose
from datasets.conflicts import open_conflicts
from datasets.models import Dataset, Import, ImportState
from tests.datasets.makers import Work, begin, colours, make_dataset, zip_of
from tests.datasets.test_import_again import Killed, final_set, mixed, place_of, run_once
from tests.factories import Team

CHOICES = {"labels": {"dog": "Hund", "cat": ""}, "left_out": [], "conflicts": "take"}
CHOSEN = [
    CHOICES,
    {"labels": {"dog": "cat"}, "left_out": [], "conflicts": "keep"},
    {"labels": {}, "left_out": ["dog"], "conflicts": "later"},
    {"labels": {"cat": "dog", "dog": "cat"}, "left_out": [], "conflicts": "take"},
    {"labels": {}, "left_out": ["cat", "dog"], "conflicts": "later"},
]


@pytest.fixture(autouse=True)
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "BATCH_FILES", 4)


def prepared(team: Team, work: Work, name: str) -> Dataset:
    """A data set that has some of the pictures already, under a third label."""
    dataset = make_dataset(team, name)
    begin(team, dataset, *[(f"{n}.png", each) for n, each in enumerate(colours(4))], label_name="cow")
    work()
    return dataset


def all_said(dataset: Dataset, found: Import) -> tuple[object, ...]:
    """What is left behind, with the conflicts and the labels of what was there before."""
    labels = dataset.images.order_by("sha256").values_list("sha256", "label__name")
    conflicts = open_conflicts(dataset).order_by("name").values_list("name", "label__name")
    return final_set(found), list(labels), list(conflicts)


def go_through(
    team: Team, dataset: Dataset, choice: Mapping[str, object], between: Callable[[], None]
) -> Import:
    """Read, choose, store, with something happening between the attempts."""
    found = begin(team, dataset, ("a.zip", zip_of(mixed(9))), review="true")
    for _ in range(20):
        between()
        run_once(found)
        found.refresh_from_db()
        if found.state == ImportState.CHOOSING:
            said = choices_from(found, choice["labels"], choice["left_out"], str(choice["conflicts"]))  # type: ignore[arg-type]
            choose(found=found, user=team.people["labeller"], choices=said)
        if found.state == ImportState.READY:
            return found
    raise AssertionError(found.state)


MOMENTS = ["plan_of", "wait_for_choice", "begin", "prepare", "take", "record", "settle_as_chosen", "finish"]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("written", [False, True], ids=["before", "after"])
def test_a_killed_choice_goes_on_and_ends_the_same(
    work: Work, team: Team, monkeypatch: pytest.MonkeyPatch, moment: str, written: bool
) -> None:
    quiet = prepared(team, work, "Quiet")
    expected = all_said(quiet, go_through(team, quiet, CHOICES, lambda: None))
    dataset = prepared(team, work, "Killed")
    original, calls = getattr(place_of(moment), moment), []

    def dies(*args: object, **kwargs: object) -> object:
        calls.append(1)
        if len(calls) != 2 if moment in ("take", "record", "prepare") else len(calls) != 1:
            return original(*args, **kwargs)
        if written:
            original(*args, **kwargs)
        raise Killed

    monkeypatch.setattr(place_of(moment), moment, dies)
    found = go_through(team, dataset, CHOICES, lambda: None)
    assert calls
    assert all_said(dataset, found) == expected
    assert found.total == found.imported + found.duplicates + found.rejected


@pytest.mark.parametrize("seed", range(5))
def test_the_sum_holds_whatever_is_chosen_and_however_often_it_is_killed(
    work: Work, team: Team, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    dataset = prepared(team, work, "Unlucky")
    originals = {moment: getattr(place_of(moment), moment) for moment in MOMENTS}

    def unlucky(moment: str) -> Callable[..., object]:
        def run(*args: object, **kwargs: object) -> object:
            if chance.random() < 0.04:
                raise Killed
            done = originals[moment](*args, **kwargs)
            if chance.random() < 0.04:
                raise Killed
            return done

        return run

    for moment in MOMENTS:
        monkeypatch.setattr(place_of(moment), moment, unlucky(moment))
    found = go_through(team, dataset, CHOSEN[seed], lambda: None)
    assert found.total == found.imported + found.duplicates + found.rejected
    assert found.images.count() == found.imported
    assert found.not_taken.count() == found.duplicates + found.rejected
    assert not [each for each in findings(grace=0) if "import" in each.code or "stranded" in each.code]
