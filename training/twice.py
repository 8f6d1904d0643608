"""A training form that was sent twice, by an impatient second click: the second finds what the first one asked for."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from projects.models import Project
from training.models import ModelVersion, RegisteredModel
from training.wishes import options_of

WITHIN = timedelta(seconds=30)


def made_just_now(
    *,
    model: RegisteredModel,
    user: User,
    applications: Sequence[str],
    optimise_for: str,
    data: Sequence[dict[str, Any]],
    max_minutes: float,
    options: dict[str, Any],
) -> list[ModelVersion]:
    """The versions that this person asked for with these very words a moment ago, still being made; else none.

    The model's row is locked: a sending at the same time waits, and then sees what the first one made.
    """
    RegisteredModel.objects.select_for_update().get(pk=model.pk)
    wanted, kept = list(dict.fromkeys(applications)), options_of(options)
    last = model.versions.active().filter(created_by=user, created_at__gte=timezone.now() - WITHIN)
    found = sorted(last.order_by("-number")[: len(wanted)], key=lambda each: each.number)
    same = [
        each
        for each in found
        if (each.optimise_for, each.max_minutes) == (optimise_for, max_minutes)
        and words_of(each.data) == words_of(data)
        and {name: each.options.get(name) for name in kept} == kept
    ]
    return same if [each.application for each in same] == wanted else []


def words_of(data: Sequence[dict[str, Any]]) -> list[tuple[int, list[str]]]:
    """Which labels of which data sets, whatever their order."""
    return sorted((item["dataset"], sorted(item["labels"])) for item in data)


def namesake(project: Project, user: User, name: str) -> RegisteredModel | None:
    """The model of this name that the same person made a moment ago."""
    made = project.models.filter(name=name.strip(), created_by=user)
    return made.filter(created_at__gte=timezone.now() - WITHIN).first()
