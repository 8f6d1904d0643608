"""Operators can look at every row and change none; the project home knows how far the data is."""

from collections.abc import Callable

import pytest
from django.contrib.admin.sites import site
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from datasets import models
from datasets.snapshots import take_snapshot
from datasets.steps import data_step, tag_step
from tests.datasets.makers import Work, begin, make_dataset, picture
from tests.factories import Team

MODELS = [
    models.Dataset, models.Label, models.Import, models.NotTaken, models.Image, models.TagAction,
    models.TagChange, models.Snapshot, models.FeatureShard, models.Feature,
]  # fmt: skip


def test_every_model_is_listed_searched_and_shown_but_not_changed(
    work: Work, team: Team, client: Client
) -> None:
    client.force_login(User.objects.create_superuser("operator", password="secret-word-1"))
    dataset = make_dataset(team)
    begin(team, dataset, ("1.png", picture()), ("2.png", b"text"), label_name="cat")
    work()
    take_snapshot(dataset=dataset, user=None)
    from datasets.tagging import tag_images

    tag_images(dataset=dataset, user=team.people["owner"], chosen=dataset.images.all(), label=None)
    for model in MODELS:
        assert site.is_registered(model)
        base = f"admin:datasets_{model._meta.model_name}"
        assert client.get(reverse(f"{base}_changelist"), {"q": "1"}).status_code == 200, model
        row = model._default_manager.first()
        assert row is not None, model
        shown = client.get(reverse(f"{base}_change", args=[row.pk]))
        assert shown.status_code == 200
        assert client.post(reverse(f"{base}_change", args=[row.pk]), {}).status_code == 403
        assert client.get(reverse(f"{base}_add")).status_code == 403
        assert client.post(reverse(f"{base}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


@pytest.mark.usefixtures("db")
def test_the_steps_follow_the_data(team: Team, page: Callable[[str], Client]) -> None:
    from tests.datasets.makers import make_images

    assert not data_step(team.project).done and not tag_step(team.project).done
    dataset = make_dataset(team)
    make_images(dataset, 3, dataset.labels.create(name="a"))
    fuller = make_dataset(team, "Fuller")
    make_images(fuller, 2)
    assert data_step(team.project).done
    assert tag_step(team.project).url == reverse("datasets:detail", args=[fuller.pk])
    assert (tag_step(team.project).done, tag_step(team.project).summary) == (False, "3 of 5 tagged")
    fuller.images.update(label=fuller.labels.create(name="b"))
    assert tag_step(team.project).done
