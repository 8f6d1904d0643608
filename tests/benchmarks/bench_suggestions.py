"""How many acts a person needs to bring flowers5 to 98 % right, with and without suggestions: `make bench`.

An act is one key or one click. The person here knows every flower and works through the real functions and the
real queue; docs/suggestions.md holds the figures and says what each way of working does.
"""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.imports import begin_import
from datasets.models import Dataset, Image, Suggestion
from datasets.selection import Filter, Selection, images_matching
from datasets.suggesting import LEAST
from datasets.suggestions import accept, record_of
from datasets.tagging import tag_images
from tests.datasets.makers import Work, make_dataset
from tests.factories import Team

ENOUGH_RIGHT = 0.98
A_LOOK, DOUBTFUL = 40, 20  # pictures looked through at once; the most doubtful ones tagged between two runs
SURE = (0.9, 0.95, 0.99)


@dataclass
class Person:
    """Somebody who tags, and what it cost."""

    team: Team
    dataset: Dataset
    truth: dict[int, str]
    work: Work
    acts: int = 0

    def tag(self, pictures: list[int], name: str, acts: int) -> None:
        self.acts += acts
        chosen = Selection.of(self.dataset, images=pictures)
        label = self.dataset.labels.get(name=name)
        tag_images(dataset=self.dataset, user=self.team.people["labeller"], chosen=chosen, label=label)

    def accept(self, acts: int, *, pictures: list[int] | None = None, at_least: float = 0.0) -> None:
        self.acts += acts
        everything = None if pictures is not None else {"state": "suggested"}
        chosen = Selection.of(self.dataset, images=pictures, filter=everything)
        user = self.team.people["labeller"]
        accept(dataset=self.dataset, user=user, chosen=chosen, at_least=at_least)

    def untagged(self) -> list[int]:
        return list(self.dataset.images.filter(label=None).order_by("pk").values_list("pk", flat=True))

    def suggested(self, order: str, most: int) -> list[Image]:
        wanted = Filter.from_params({"state": "suggested", "order": order})
        return list(images_matching(self.dataset, wanted).select_related("suggestion__label")[:most])

    def right(self) -> float:
        tagged = self.dataset.images.exclude(label=None).values_list("pk", "label__name")
        return sum(self.truth[pk] == name for pk, name in tagged) / len(self.truth)

    def key_by_key(self, until: Callable[[], bool]) -> None:
        """The unlabelled ones in their order: a key tags the picture in focus and moves on."""
        for pk in self.untagged():
            if until():
                return
            self.tag([pk], self.truth[pk], acts=1)

    def seeded(self) -> bool:
        """Whether each label has enough pictures to be suggested."""
        counts = Counter(self.dataset.images.exclude(label=None).values_list("label__name", flat=True))
        return len(counts) == len(set(self.truth.values())) and min(counts.values()) >= LEAST

    def done(self) -> bool:
        return self.right() >= ENOUGH_RIGHT


def without_suggestions(person: Person) -> None:
    """Every picture by its key."""
    person.key_by_key(person.done)


def looking_at_each(person: Person) -> None:
    """Surest first: put right what is wrong on the screen, then Shift+Enter; the next screen knows of it."""
    person.key_by_key(person.seeded)
    person.work()
    person.acts += 1  # the tab
    while not person.done():
        shown = put_right(person)
        if shown:
            person.accept(1, pictures=shown)
        person.work()


def put_right(person: Person) -> list[int]:
    """Tags what is wrong on the screen, and on what moves up in its place; returns what is left there."""
    while True:
        wrong: dict[str, list[int]] = {}
        shown = person.suggested("-confidence", A_LOOK)
        for image in shown:
            if image.suggestion.label.name != person.truth[image.pk]:
                wrong.setdefault(person.truth[image.pk], []).append(image.pk)
        if not wrong:
            return [image.pk for image in shown]
        for name, pictures in wrong.items():
            person.tag(pictures, name, acts=len(pictures) + 1)  # a click each, and the label's key


def accepting_the_sure(person: Person, at_least: float) -> None:
    """Unseen what is sure enough, by key what is most doubtful; then the new suggestions."""
    person.key_by_key(person.seeded)
    person.work()
    person.acts += 2  # the tab, and the order “Most doubtful first”
    person.acts += 1  # how sure
    while person.untagged():
        person.acts += 1  # “Show the new suggestions”
        if Suggestion.objects.filter(image__label=None, confidence__gte=at_least).exists():
            person.accept(1, at_least=at_least)
        for image in person.suggested("confidence", DOUBTFUL):
            person.tag([image.pk], person.truth[image.pk], acts=1)
        person.work()


@pytest.fixture
def person(work: Work, team: Team, shared_data: Path, weights_dir: Path) -> Iterator[Person]:
    """Flowers in no order, untagged, with their embeddings."""
    dataset = make_dataset(team)
    paths = sorted((shared_data / "flowers5").rglob("*.jpg"))
    random.Random(5).shuffle(paths)
    for path in paths:
        dataset.labels.get_or_create(name=path.parent.name)
    uploads = [SimpleUploadedFile(f"{n:04d}.jpg", path.read_bytes()) for n, path in enumerate(paths)]
    begin_import(dataset=dataset, user=team.people["labeller"], files=uploads)
    work()
    names = dataset.images.values_list("pk", "name")
    truth = {pk: paths[int(name.rpartition("/")[2][:4])].parent.name for pk, name in names}
    yield Person(team, dataset, truth, work)


@pytest.mark.django_db(transaction=True)
def test_acts_to_tag_flowers(person: Person) -> None:
    ways: list[tuple[str, Callable[[Person], None]]] = [
        ("without suggestions", without_suggestions),
        ("looking at each suggestion", looking_at_each),
    ]
    ways += [(f"accepting {sure:.0%} unseen", partial(accepting_the_sure, at_least=sure)) for sure in SURE]
    print(f"\n{len(person.truth)} pictures")
    for name, way in ways:
        person.dataset.actions.all().delete()
        person.dataset.suggestions.all().delete()
        person.dataset.images.update(label=None, last_action=None)
        person.acts = 0
        way(person)
        record = record_of(person.dataset)
        told = f"{name}: {person.acts} acts, {person.right():.1%} right"
        print(f"{told}; {record.right} of {record.asked} suggestions right")
        assert person.right() > 0.9
