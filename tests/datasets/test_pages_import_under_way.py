"""The import page and the page that asks: what goes on stands on top, what cannot be taken says why."""

import re
from collections.abc import Callable

from django.test import Client

from tests.datasets.makers import Work, make_dataset
from tests.datasets.test_import_choosing import asked, files
from tests.factories import Team

Page = Callable[[str], Client]


def test_what_is_under_way_stands_above_the_form_and_not_among_the_earlier_ones(
    work: Work, team: Team, page: Page
) -> None:
    dataset = make_dataset(team)
    found = asked(work, team, dataset, files("a/1.png", "b/2.png"))
    text = page("labeller").get(f"/datasets/{dataset.pk}/import/").content.decode()
    line = text.index(f'href="/imports/{found.pk}/"')
    assert line < text.index("data-dropzone")
    assert "Earlier imports" not in text


def test_before_anything_is_taken_it_says_in_brief_why_some_cannot_be(
    work: Work, team: Team, page: Page
) -> None:
    dataset = make_dataset(team)
    name, content = files("a/1.png", "a/2.png")
    table = "文件名,标签\n1.png,猫\n没有.png,猫\n".encode()
    found = asked(work, team, dataset, (name, content), ("标签.csv", table), ("x.jpg", b""))
    text = re.sub(r"\s+", " ", page("labeller").get(f"/imports/{found.pk}/").content.decode())
    assert "in the list, but not sent: 1" in text and "empty: 1" in text
