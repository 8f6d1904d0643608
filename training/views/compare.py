"""The page that holds two versions of a model against each other."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from datasets.models import Image
from training import comparing, differing
from training.access import model_for
from training.comparing import Pair
from training.models import ModelVersion, RegisteredModel

A_PAGE = 48
KINDS = ("won", "lost", "other")


@login_required
@require_safe
def compare(request: HttpRequest, pk: int) -> HttpResponse:
    """The two versions that were ticked: numbers, labels, settings, and the pictures they name differently."""
    model = model_for(request.user, pk)
    chosen = versions_of(model, request.GET.getlist("version"))
    if len(chosen) != 2:
        messages.info(request, _("Tick two versions that have a report, then compare them."))
        return redirect("training:model", model.pk)
    one, other = chosen
    pairs = comparing.pairs(one, other)
    kind = request.GET.get("only", "")
    shown = [pair for pair in pairs if (pair.kind == kind if kind in KINDS else pair.kind != "same")]
    change = comparing.paired(one, other)
    page = Paginator(shown, A_PAGE).get_page(request.GET.get("page"))
    query = urlencode([("version", one.number), ("version", other.number)])
    context = {
        "project": model.project,
        "model": model,
        "one": one,
        "other": other,
        "pair_of": [one, other],
        "paired": change,
        "judged": len(pairs),
        "kinds": counted(pairs),
        "only": kind,
        "page": page,
        "pairs": with_pictures(list(page), model),
        "pair_query": query,
        "query": f"{query}&only={kind}" if kind in KINDS else query,
        "numbers": differing.numbers(one, other),
        "labels": differing.labels(one, other),
        "settings": differing.settings(one, other),
        "active": "models",
    }
    return render(request, "training/version_compare.html", context)


def versions_of(model: RegisteredModel, numbers: list[str]) -> list[ModelVersion]:
    """The evaluated versions of these numbers, the older first."""
    wanted = {int(number) for number in numbers if number.isdecimal() and len(number) < 10}
    found = model.versions.filter(usable=True, number__in=wanted).select_related("model", "created_by")
    return [version for version in found.order_by("number") if version.report]


def counted(pairs: list[Pair]) -> dict[str, int]:
    """How many pictures of each kind."""
    found = [pair.kind for pair in pairs]
    return {kind: found.count(kind) for kind in KINDS} | {"all": len(found) - found.count("same")}


def with_pictures(pairs: list[Pair], model: RegisteredModel) -> list[dict[str, object]]:
    """For the grid; a picture that is gone since has no thumbnail."""
    ids = [pair.other.image for pair in pairs]
    there = Image.objects.live().filter(pk__in=ids, dataset__project=model.project_id)
    have = set(there.values_list("pk", flat=True))
    return [{"pair": pair, "there": pair.other.image in have} for pair in pairs]
