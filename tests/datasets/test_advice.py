"""Advice on a data set: said when it helps, and not otherwise."""

from datasets.advice import ALWAYS, advice
from datasets.models import Dataset
from tests.datasets.makers import make_dataset, make_images
from tests.factories import Team


def told(dataset: Dataset) -> str:
    return " ".join(str(sentence) for sentence in advice(dataset))


def test_an_empty_data_set_gets_no_advice(team: Team) -> None:
    assert advice(make_dataset(team)) == []


def test_one_label_is_too_few(team: Team) -> None:
    dataset = make_dataset(team)
    make_images(dataset, 3, dataset.labels.create(name="cat"))
    assert "two labels" in told(dataset)


def test_labels_are_named_by_how_many_pictures_they_lack(team: Team) -> None:
    dataset = make_dataset(team)
    for name, count in (("few", 4), ("shaky", 19), ("fair", 99), ("good", 100)):
        make_images(dataset, count, dataset.labels.create(name=name))
    make_images(dataset, 2)
    dataset.images.filter(label__name="good").update(grey=True, width=50)
    text = told(dataset)
    assert "(5 needed): few." in text
    assert "Fewer than 20 pictures, so the results will be shaky: shaky." in text
    assert "below it: fair." in text
    assert "“good” has 25 times as many pictures as “few”" in text
    assert "2 pictures have no label" in text
    assert "45 % of the pictures are without colour" in text
    assert "%(" not in text


def test_a_good_data_set_hears_only_what_always_holds(team: Team) -> None:
    dataset = make_dataset(team)
    for name in ("cat", "dog"):
        make_images(dataset, 100, dataset.labels.create(name=name))
    dataset.images.update(width=640, height=480)
    assert advice(dataset) == list(ALWAYS)
