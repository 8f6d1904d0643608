"""Pages about a version: what it learned from, what produced it; and the form filled in as it was."""

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from projects.access import may
from projects.models import Role
from training import removing, training_set
from training.access import version_for
from training.again import query_of
from training.models import ModelVersion
from training.networks import sentences_of
from training.option_words import method_in_words, options_in_words
from training.provenance import provenance_of
from training.splitting import HELD_BACK, TRAIN, VALIDATION
from training.together import others_of

A_PAGE = 60
PART_NAMES = {
    TRAIN: _("Pictures to learn from"),
    VALIDATION: _("To choose the best by"),
    HELD_BACK: _("Held back for the report"),
}


@login_required
@require_safe
def again(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """The training form as it was filled in for this version."""
    version = version_for(request.user, model_pk, number, at_least=Role.ENGINEER)
    return redirect(f"{reverse('training:train', args=[version.model.project_id])}?{query_of(version)}")


@login_required
@require_safe
def training_set_page(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Labels with counts and effect, the data sets they came from, and the pictures."""
    version = version_for(request.user, model_pk, number)
    label, part = request.GET.get("label", ""), request.GET.get("part", "")
    part = part if part in PART_NAMES else ""
    entries = training_set.entries_of(version, label, part)
    page = Paginator(entries, A_PAGE).get_page(request.GET.get("page"))
    context = about(request, version) | {
        "labels": training_set.label_lines(version),
        "sources": training_set.sources(version),
        "label": label,
        "part": part,
        "parts": PART_NAMES.items(),
        "page": page,
        "shown": training_set.shown(version, list(page)),
        "gone": training_set.gone(version, entries),
        "query": urlencode({"label": label, "part": part}),
    }
    return render(request, "training/version_training_set.html", context)


@login_required
@require_safe
def details(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """What produced it, its notes, and what can be done with it as a whole."""
    version = version_for(request.user, model_pk, number)
    made = provenance_of(version)
    context = about(request, version) | {
        "made": made,
        "options": options_in_words(version.options),
        "method": method_in_words(made["network"]["method"]),
        "uses": removing.uses_of(version),
        "frees": removing.frees(version),
    }
    return render(request, "training/version_details.html", context)


def about(request: HttpRequest, version: ModelVersion) -> dict[str, object]:
    """What all pages of a version show."""
    return {
        "project": version.model.project,
        "model": version.model,
        "version": version,
        "others": others_of(version),
        "passed_over": sentences_of(version.choice.get("passed_over", [])),
        "may_train": may(request.user, version.model.project, at_least=Role.ENGINEER),
        "active": "models",
    }
