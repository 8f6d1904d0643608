"""Imports that ask first: what will happen is shown before it happens, and a person says what the labels are to be."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils import timezone
from pytest_django.fixtures import Settings

from datasets import importing, tidying
from datasets.choices import Choices
from datasets.choosing import KEPT, NotChoosing, choices_from, choose, give_up_abandoned, read_again
from datasets.imports import cancel_import
from datasets.labels import BadLabel
from datasets.models import Dataset, Import, ImportState
from datasets.planning import Plan
from jobs.models import Job, State
from jobs.periodic import queue_due
from tests.datasets.makers import Work, begin, colours, make_dataset, outcomes, raw_zip, taken, zip_of
from tests.factories import Team
from web.sentences import Refusal

Page = Callable[[str], Client]


def files(*names: str) -> tuple[str, bytes]:
    """A zip with a picture of its own under each name."""
    return "a.zip", zip_of(dict(zip(names, colours(len(names)), strict=True)))


def asked(work: Work, team: Team, dataset: Dataset, *sent: tuple[str, bytes], **said: str) -> Import:
    """An import that waits for a choice."""
    found = begin(team, dataset, *sent, **({"review": "true"} | said))
    work()
    found.refresh_from_db()
    assert found.state == ImportState.CHOOSING, (found.state, str(found.sentence))
    return found


def plan_of(found: Import) -> dict[str, str]:
    """Each name with the label proposed for it."""
    return {row.name: row.to for row in Plan.from_json(found.plan).rows}


def chosen(work: Work, team: Team, found: Import, **choices: object) -> Import:
    """The import after somebody chose and the worker did it."""
    labels = choices.pop("labels", {})
    left_out = choices.pop("left_out", [])
    said = choices_from(found, labels, left_out, **choices)  # type: ignore[arg-type]
    choose(found=found, user=team.people["labeller"], choices=said)
    work()
    found.refresh_from_db()
    assert found.state == ImportState.READY, str(found.sentence)
    assert found.total == found.imported + found.duplicates + found.rejected
    return found


def test_an_import_that_asks_takes_nothing_in_and_holds_no_worker(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    found = asked(work, team, dataset, files("cat/1.png", "狗/2.png", "3.png"))
    assert plan_of(found) == {"cat": "cat", "狗": "狗", "": ""}
    assert not dataset.images.exists() and not dataset.labels.exists()
    assert found.job and (found.total, found.job.state) == (3, State.SUCCEEDED)
    assert found.choose_until and abs(found.choose_until - timezone.now() - KEPT) < timedelta(minutes=1)


def test_every_name_becomes_what_was_chosen_and_the_sum_holds(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    names = ("cat/1.png", "Cat/2.png", "junk/3.png", "junk/4.png", "x/5.png", "6.png")
    found = asked(work, team, dataset, files(*names))
    chosen(work, team, found, labels={"Cat": "cat", "x": "", "": "鸟"}, left_out=["junk"])
    assert taken(dataset) == {"1.png": "cat", "2.png": "cat", "5.png": None, "6.png": "鸟"}
    assert (found.total, found.imported, found.rejected) == (6, 4, 2)
    assert outcomes(found) == {"junk/3.png": "left-out", "junk/4.png": "left-out"}
    assert set(dataset.labels.values_list("name", flat=True)) == {"cat", "鸟"}
    assert not any(default_storage.exists(source["key"]) for source in found.sources)


@pytest.mark.parametrize(
    ("existing", "names", "asks"),
    [
        ((), ("cat/1.png", "dog/2.png"), False),  # a first import with plain names
        (("cat",), ("cat/1.png",), False),
        (("cat",), ("cat/1.png", "dog/2.png"), True),  # a new label beside those that are here
        ((), ("Cat/1.png", "cat /2.png"), True),
        ((), ("ｃａｔ/1.png", "cat/2.png"), True),
        ((), ("a:b/1.png", "cat/2.png"), True),  # cannot be a label
        ((), ("0/1.png", "1/2.png"), True),
        (("0", "1"), ("0/1.png", "1/2.png"), False),
        ((), ("1.png", "2.png"), False),
    ],
)
def test_only_what_is_unclear_is_asked_about(
    work: Work, team: Team, existing: tuple[str, ...], names: tuple[str, ...], asks: bool
) -> None:
    dataset = make_dataset(team)
    for name in existing:
        dataset.labels.create(name=name)
    found = begin(team, dataset, files(*names), review="auto")
    work()
    found.refresh_from_db()
    assert found.state == (ImportState.CHOOSING if asks else ImportState.READY)


def test_a_program_that_does_not_ask_is_not_asked(work: Work, team: Team) -> None:
    found = begin(team, make_dataset(team), files("Cat/1.png", "cat/2.png"))
    work()
    found.refresh_from_db()
    assert found.state == ImportState.READY
    assert set(taken(found.dataset).values()) == {"Cat", "cat"}  # distinct, as they came


def test_look_alikes_are_proposed_for_the_label_that_is_here_or_has_most(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    dataset.labels.create(name="Golden Retriever")
    names = (
        "golden_retriever/1.png",
        "ＣＡＴ/2.png",
        "cat/3.png",
        "cat/4.png",
        "直升 机/5.png",
        "直升机/6.png",
    )
    found = asked(work, team, dataset, files(*names), review="auto")
    assert plan_of(found) == {
        "golden_retriever": "Golden Retriever",
        "ＣＡＴ": "cat",
        "cat": "cat",
        "直升 机": "直升 机",
        "直升机": "直升 机",
    }


def test_what_is_here_twice_or_broken_is_counted_beforehand(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    one, two, three = colours(3)
    begin(team, dataset, ("1.png", one), label_name="cat")
    begin(team, dataset, ("2.png", two), label_name="dog")
    work()
    content = {
        "cat/1.png": one,
        "cat/2.png": two,
        "cat/3.png": three,
        "cow/4.png": three,
        "cat/bad.png": b"no",
    }
    found = asked(work, team, dataset, ("a.zip", zip_of(content)))
    cat, cow = Plan.from_json(found.plan).rows
    assert (cat.files, cat.here, cat.refused) == (4, {"cat": 1, "dog": 1}, {"not-an-image": 1})
    assert cow.twice == {"cat": 1}
    assert Plan.from_json(found.plan).conflicts == 2
    chosen(work, team, found)
    assert (found.imported, found.duplicates, found.rejected) == (1, 3, 1)


def test_the_names_are_read_again_in_the_encoding_that_somebody_chose(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    names = ["貓/圖片.png", "狗/照片.png", "鳥/麻雀.png"]
    content = {name.encode("big5"): body for name, body in zip(names, colours(3), strict=True)}
    found = asked(work, team, dataset, ("a.zip", raw_zip(content)), review="auto")
    plan = Plan.from_json(found.plan)
    assert not plan.sure and plan.readings["big5"] == names
    read_again(found=found, user=team.people["labeller"], encoding="big5")
    work()
    found.refresh_from_db()
    assert found.state == ImportState.CHOOSING and plan_of(found) == {"貓": "貓", "狗": "狗", "鳥": "鳥"}
    assert Plan.from_json(found.plan).sure
    chosen(work, team, found)
    assert set(taken(dataset).values()) == {"貓", "狗", "鳥"}


def fer_table(*rows: int) -> bytes:
    lines = [f"{n},{' '.join([str(at)] * 48 * 48)},Training" for at, n in enumerate(rows)]
    return ("emotion,pixels,Usage\n" + "\n".join(lines) + "\n").encode()


@pytest.mark.parametrize("packed", [False, True], ids=["by itself", "in a zip"])
def test_the_numbers_of_fer_2013_get_their_names(work: Work, team: Team, packed: bool) -> None:
    dataset, table = make_dataset(team), fer_table(0, 3, 3, 6)
    sent = ("fer.zip", zip_of({"fer2013/fer2013.csv": table})) if packed else ("fer2013.csv", table)
    found = asked(work, team, dataset, sent, review="auto")
    plan = Plan.from_json(found.plan)
    assert plan.numbers and plan_of(found) == {"0": "angry", "3": "happy", "6": "neutral"}
    assert all(row.samples for row in plan.rows)  # faces say more than numbers
    chosen(work, team, found, labels=plan_of(found))
    assert sorted(name for name in taken(dataset).values() if name) == ["angry", "happy", "happy", "neutral"]
    assert set(dataset.images.values_list("split", flat=True)) == {"train"}


def test_other_numbers_are_not_called_emotions(work: Work, team: Team) -> None:
    found = asked(work, team, make_dataset(team), files("0/1.png", "1/2.png"), review="auto")
    assert plan_of(found) == {"0": "0", "1": "1"}


def test_cancelling_while_it_waits_frees_everything(work: Work, team: Team) -> None:
    dataset = make_dataset(team)
    found = asked(work, team, dataset, files("cat/1.png"))
    assert cancel_import(found)
    found.refresh_from_db()
    assert (found.state, found.plan) == (ImportState.CANCELLED, {})
    assert not default_storage.exists(found.sources[0]["key"])
    with pytest.raises(NotChoosing):
        choose(found=found, user=team.people["labeller"], choices=Choices())
    work()
    assert not dataset.images.exists()


def test_what_nobody_chooses_about_is_forgotten_with_a_sentence(work: Work, team: Team) -> None:
    found = asked(work, team, make_dataset(team), files("cat/1.png"))
    assert give_up_abandoned() == 0
    assert give_up_abandoned(timezone.now() + KEPT + timedelta(minutes=1)) == 1
    found.refresh_from_db()
    assert found.state == ImportState.CANCELLED and "7 days" in str(found.sentence)
    assert not default_storage.exists(found.sources[0]["key"])


def test_within_the_hour_it_is_forgotten_with_nobody_looking(work: Work, team: Team) -> None:
    found, waits = (
        asked(work, team, make_dataset(team, name), files("cat/1.png")) for name in ("Old", "New")
    )
    Import.objects.filter(pk=found.pk).update(choose_until=timezone.now())
    queue_due()
    work()
    states = Import.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [ImportState.CANCELLED, ImportState.CHOOSING]
    assert not default_storage.exists(found.sources[0]["key"])
    assert default_storage.exists(waits.sources[0]["key"])
    assert not Job.objects.told().filter(kind=tidying.KIND).exists()


def test_a_start_of_the_product_forgets_it_too(work: Work, team: Team) -> None:
    from config.sweeping import sweep

    found, waits = (
        asked(work, team, make_dataset(team, name), files("cat/1.png")) for name in ("Old", "New")
    )
    Import.objects.filter(pk=found.pk).update(choose_until=timezone.now())
    sweep()
    states = Import.objects.order_by("pk").values_list("state", flat=True)
    assert list(states) == [ImportState.CANCELLED, ImportState.CHOOSING]
    assert not default_storage.exists(found.sources[0]["key"])
    assert default_storage.exists(waits.sources[0]["key"])


def test_two_people_choose_at_once_and_one_of_them_counts(work: Work, team: Team) -> None:
    found = asked(work, team, make_dataset(team), files("cat/1.png"))
    other = Import.objects.get(pk=found.pk)
    choose(found=found, user=team.people["labeller"], choices=choices_from(found, {"cat": "猫"}, []))
    with pytest.raises(NotChoosing):
        choose(found=other, user=team.people["engineer"], choices=choices_from(other, {"cat": "dog"}, []))
    work()
    assert taken(found.dataset) == {"1.png": "猫"}


def test_the_reading_job_run_again_leaves_a_chosen_import_alone(work: Work, team: Team) -> None:
    from jobs.attempts import Attempt

    found = asked(work, team, make_dataset(team), files("cat/1.png"))
    reading = found.job_id
    assert reading
    choose(found=found, user=team.people["labeller"], choices=Choices())
    Job.objects.filter(pk=reading).update(state=State.QUEUED)
    attempt = Attempt.claim(reading)
    assert attempt is not None
    importing.run(attempt)
    found.refresh_from_db()
    assert found.state == ImportState.QUEUED and not found.dataset.images.exists()


def test_choices_that_cannot_be_are_refused(work: Work, team: Team, settings: Settings) -> None:
    found = asked(work, team, make_dataset(team), files("cat/1.png", "dog/2.png"))
    with pytest.raises(BadLabel, match="a/b"):
        choices_from(found, {"cat": "a/b"}, [])
    with pytest.raises(Refusal, match="cow"):
        choices_from(found, {"cow": "cat"}, [])
    with pytest.raises(Refusal):
        choices_from(found, {}, [], "whatever")
    settings.MAX_LABELS = 1
    with pytest.raises(Refusal, match="at most 1"):
        choices_from(found, {"cat": "cat", "dog": "dog"}, [])


# ---- by the page ------------------------------------------------------------------------


def test_the_page_shows_the_plan_and_takes_the_choice(work: Work, team: Team, page: Page) -> None:
    dataset = make_dataset(team)
    dataset.labels.create(name="cat")
    found = asked(work, team, dataset, files("Cat/1.png", "dog/2.png"), licence="CC0", source_note="Roof")
    address = f"/imports/{found.pk}/"
    shown = page("labeller").get(address).content.decode()
    assert "Looks like “cat”" in shown and 'value="dog"' in shown and "Import 2 files" in shown
    assert "Import 2 files" not in page("viewer").get(address).content.decode()
    sent = {
        "name-0": "Cat",
        "to-0": "cat",
        "name-1": "dog",
        "to-1": "dog",
        "out-1": "on",
        "conflicts": "later",
    }
    answer = page("labeller").post(f"{address}choose/", sent)
    assert (answer.status_code, answer.headers["Location"]) == (302, address)
    assert page("labeller").post(f"{address}choose/", sent).status_code == 302  # sent twice
    work()
    assert taken(dataset) == {"1.png": "cat"}
    report = page("viewer").get(address).content.decode()
    assert (
        "CC0" in report
        and "Roof" in report
        and "was left out" in report
        and "1 label taken otherwise" in report
    )


def test_the_page_says_what_is_here_and_what_lies_in_it_twice(work: Work, team: Team, page: Page) -> None:
    dataset = make_dataset(team)
    one, two, three = colours(3)
    begin(team, dataset, ("1.png", one), label_name="cat")
    begin(team, dataset, ("2.png", two), label_name="dog")
    work()
    content = {"cat/1.png": one, "cat/2.png": two, "cat/3.png": three, "cow/4.png": three, "cow/5.png": three}
    found = asked(work, team, dataset, ("a.zip", zip_of(content | {"6.png": three, "cow/7.png": b"no"})))
    shown = page("labeller").get(f"/imports/{found.pk}/").content.decode()
    for sentence in (
        "1 is here as “dog”.",
        "1 is here already.",
        "2 lie under “cat” too.",
        "1 cannot be taken.",
    ):
        assert sentence in shown
    assert 'name="conflicts" value="take"' in shown


def test_a_refused_choice_comes_back_with_what_was_typed(work: Work, team: Team, page: Page) -> None:
    found = asked(work, team, make_dataset(team), files("cat/1.png"))
    answer = page("labeller").post(f"/imports/{found.pk}/choose/", {"name-0": "cat", "to-0": "a/b"})
    assert answer.status_code == 422
    assert 'value="a/b"' in answer.content.decode() and "cannot become the label" in answer.content.decode()


def test_an_unknown_encoding_is_refused_on_the_page(work: Work, team: Team, page: Page) -> None:
    found = asked(work, team, make_dataset(team), files("cat/1.png"))
    answer = page("labeller").post(f"/imports/{found.pk}/read-again/", {"encoding": "utf-7"}, follow=True)
    assert "Names in a zip are one of" in str(next(iter(answer.context["messages"])))


@pytest.mark.parametrize("verb", ["choose", "read-again"])
def test_choosing_is_closed_to_strangers_viewers_and_wrong_methods(
    work: Work, team: Team, page: Page, verb: str
) -> None:
    found = asked(work, team, make_dataset(team), files("cat/1.png"))
    address = f"/imports/{found.pk}/{verb}/"
    assert page("stranger").post(address).status_code == 404
    assert page("viewer").post(address).status_code == 403
    assert page("owner").get(address).status_code == 405


def test_a_name_with_markup_in_it_is_shown_as_text(work: Work, team: Team, page: Page) -> None:
    names = ("<img src=x onerror=alert(1)>/1.png", "“quotes\" & 'more'/2.png")
    found = asked(work, team, make_dataset(team), files(*names))
    shown = page("labeller").get(f"/imports/{found.pk}/").content.decode()
    assert "<img src=x" not in shown and "&lt;img src=x" in shown
