"""Pages: the models of a project, a model with its versions, and the form that starts a training."""

from math import ceil

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.db.models import Max, Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from projects.access import may, project_for
from projects.models import Project, Role
from training import twice, versions, wishes
from training.access import model_for
from training.beside import Beside, beside, must_be_left
from training.extractors import outlook
from training.forms import METRIC_TEXTS, TrainForm
from training.history import rows_of_model
from training.models import Metric, ModelVersion, RegisteredModel
from training.networks import networks_for
from training.pinning import test_set_of
from training.preview import Preview
from training.profiles import PROFILES
from training.registry import NameTaken, create_model
from training.together import PAIR
from training.tradeoff import HEAD_A_PICTURE, START_SECONDS, Times, Tradeoff, times_of, tradeoff_of
from training.views.pinning import about_pinning
from training.warm import must_fit, source_of
from web.sentences import Refusal


@login_required
@require_safe
def models(request: HttpRequest, project_pk: int) -> HttpResponse:
    """The models of a project, each with its newest version."""
    project = project_for(request.user, project_pk)
    newest = Prefetch("versions", ModelVersion.objects.shown().order_by("-number"), to_attr="newest_first")
    found = (
        project.models.annotate(latest=Max("versions__id"))
        .prefetch_related(newest)
        .order_by("-latest", "-id")
    )
    context = {
        "project": project,
        "models": found,
        "may_train": may(request.user, project, at_least=Role.ENGINEER),
        "active": "models",
    }
    return render(request, "training/model_list.html", context)


@login_required
@require_safe
def model(request: HttpRequest, pk: int) -> HttpResponse:
    """One model: its versions, newest first. Asked by a script: the table alone, which refreshes itself."""
    found, archived = model_for(request.user, pk), "archived" in request.GET
    rows = rows_of_model(found, archived=archived)
    context = {
        "project": found.project,
        "model": found,
        "rows": rows,
        "archived": archived,
        "put_away": found.versions.exclude(archived_at=None).count(),
        "newest": rows[0].version if rows else None,
        "may_compare": sum(row.accuracy is not None for row in rows) > 1,
        "live": not archived and found.versions.all().active().exists(),
        "may_train": may(request.user, found.project, at_least=Role.ENGINEER),
        "active": "models",
        **about_pinning(found),
    }
    part = "HX-Request" in request.headers
    return render(request, "training/_model_versions.html" if part else "training/model_detail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def train(request: HttpRequest, project_pk: int) -> HttpResponse:
    """What for, with what, how; and the start."""
    project = project_for(request.user, project_pk, at_least=Role.ENGINEER)
    form = TrainForm.read(project, request.POST if request.method == "POST" else request.GET)
    error = None
    if request.method == "POST":
        try:
            return redirect(start(request, form))
        except Refusal as refusal:
            error = refusal
        except Http404:
            error = wishes.BadWish(_("A data set of this form is gone; choose again."))
    context = form_context(project, form) | {"error": error}
    if error and str(context["problem"]) == str(error):  # said once, where the person is sent to read it
        context["problem_said"] = True
    return render(request, "training/train.html", context, status=error.status if error else 200)


def start(request: HttpRequest, form: TrainForm) -> str:
    """Make the versions, and the model where it is new; says where to go. Sent twice, it makes them once."""
    wishes.applications_of(form.applications)  # what is plainly wrong waits for no lock
    wishes.minutes_of(form.minutes)
    wishes.options_of(form.options)
    with transaction.atomic():
        model, made = asked_for(request, form)
    if len(made) > 1:
        return reverse("training:model", args=[model.pk])
    return reverse("training:version", args=[model.pk, made[0].number])


def asked_for(request: HttpRequest, form: TrainForm) -> tuple[RegisteredModel, list[ModelVersion]]:
    """The model and its new versions, or those that the same form asked for a moment ago."""
    user, wanted = request.user, form.wanted
    model = form.existing
    try:
        model = model or create_model(project=form.project, user=user, name=form.name)  # type: ignore[arg-type]
    except NameTaken:
        model = twice.namesake(form.project, user, form.name)  # type: ignore[arg-type]
        if model is None or not twice.made_just_now(model=model, user=user, **wanted):  # type: ignore[arg-type]
            raise
    before = twice.made_just_now(model=model, user=user, **wanted)  # type: ignore[arg-type]
    if before:
        messages.info(request, _("This training was asked for a moment ago; here it is."))
    return model, before or versions.request_versions(model=model, user=user, **wanted)  # type: ignore[arg-type]


@login_required
@require_POST
def preview(request: HttpRequest, project_pk: int) -> HttpResponse:
    """The split that the form as it stands would give; swapped in when a choice changes. Changes nothing."""
    project = project_for(request.user, project_pk, at_least=Role.ENGINEER)
    context = form_context(project, TrainForm.read(project, request.POST))
    return render(request, "training/_train_preview.html", context)


def looked_ahead(form: TrainForm) -> tuple[Preview, Refusal | None]:
    """The split that the form would give, beside the model's pinned test set, and what stands in the way of it."""
    found = wishes.preview_of(form.project, form.chosen, form.options)
    test_set = test_set_of(form.existing) if form.existing and found.labels else None
    if test_set is None:
        return found, problem_of(form, found)
    ahead = beside(test_set, form.chosen, found)
    return ahead.preview, problem_of(form, found, ahead)


def problem_of(form: TrainForm, preview: Preview, ahead: Beside | None = None) -> Refusal | None:
    """What would stand in the way of a start."""
    try:
        wishes.applications_of(form.applications)
        wishes.minutes_of(form.minutes)
        wishes.options_of(form.options)
        wishes.must_be_enough(preview)
        networks = networks_for(wishes.applications_of(form.applications), form.options)
        if form.existing:
            source = source_of(form.existing, form.options)
            for network in networks.values():
                must_fit(source, network)
        if ahead:
            must_be_left(ahead)
    except Refusal as refusal:
        return refusal
    return None


def about_minutes(form: TrainForm, found: Preview) -> int:
    """Roughly how long all versions take together (measured on two cores), never more than their limits."""
    seconds = START_SECONDS + HEAD_A_PICTURE * found.pictures
    return ceil(min(seconds / 60, max(form.minutes, 1))) * max(len(form.applications), 1)


def expected(chosen: list[Tradeoff], found: Preview) -> list[tuple[Tradeoff, Times]]:
    """Of each chosen application that starts from weights, how long it takes."""
    learned = found.total.train + found.total.validation
    return [(each, times_of(each.backbone, learned)) for each in chosen if each.backbone and found.labels]


def together(chosen: list[Tradeoff]) -> list[Tradeoff]:
    """The chosen applications whose versions one training makes; empty where each has its own."""
    pair = [each for each in chosen if each.profile.application in PAIR]
    same = len(pair) > 1 and len({(each.backbone, each.asked, each.profile.size) for each in pair}) == 1
    return pair if same else []


def form_context(project: Project, form: TrainForm) -> dict[str, object]:
    """What the form and its preview show."""
    existing = form.existing
    next_number = 1 + existing.last_number if existing else 1
    tradeoffs = {name: tradeoff_of(profile, form.at_most) for name, profile in PROFILES.items()}
    chosen = [each for name, each in tradeoffs.items() if name in form.applications]
    count, (found, problem) = len(form.applications), looked_ahead(form)
    return {
        "project": project,
        "form": form,
        "models": project.models.order_by("name"),
        "tradeoffs": tradeoffs.values(),
        "metrics": [(value, label, METRIC_TEXTS[Metric(value)]) for value, label in Metric.choices],
        "preview": found,
        "problem": problem,
        "networks": [outlook(each.profile) for each in chosen if not each.backbone],
        "times": expected(chosen, found),
        "chosen": chosen,
        "together": together(chosen),
        "about_minutes": about_minutes(form, found),
        "next_number": next_number,
        "last_number": next_number + count - 1 if count > 1 else None,
        "active": "models",
    }
