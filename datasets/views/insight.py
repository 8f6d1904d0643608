"""What a data set's pictures are like: the page of statistics."""

from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from datasets.access import dataset_for
from datasets.advice import advice
from datasets.near_duplicates import KIND, search_soon
from datasets.statistics import statistics_of
from datasets.views.acknowledging import person
from jobs.models import WAITING, Job, State
from projects.access import may
from projects.models import Role


@login_required
@require_safe
def statistics(request: HttpRequest, pk: int) -> HttpResponse:
    """Small charts, and what to look at."""
    dataset = dataset_for(request.user, pk)
    found = statistics_of(dataset)
    context = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "found": found,
        "advice": advice(dataset) if found.total else [],
        "job": search_of(dataset.pk),
        "may_tag": may(request.user, dataset.project, at_least=Role.LABELLER),
    }
    return render(request, "datasets/dataset_statistics.html", context)


@login_required
@require_POST
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """Measure and search now; each import asks for it by itself."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER)
    with transaction.atomic():
        search_soon(dataset, user=person(request), asked=True)
    back = (
        "datasets:near-duplicates" if request.POST.get("back") == "near-duplicates" else "datasets:statistics"
    )
    return redirect(back, pk)


def search_of(dataset: int) -> Job | None:
    """The search that waits or runs."""
    waiting = Job.objects.filter(kind=KIND, payload__dataset=dataset, state__in=(*WAITING, State.RUNNING))
    return waiting.order_by("-pk").first()
