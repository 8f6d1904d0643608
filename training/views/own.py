"""The page that takes in a model file made elsewhere."""

from django.contrib.auth.decorators import login_required
from django.db.models import Exists, OuterRef
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from datasets.models import Image
from projects.models import Role
from training import own_files
from training.access import model_for
from training.models import Application, ModelVersion, RegisteredModel
from training.wishes import BadWish
from web.sentences import Refusal


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def own(request: HttpRequest, pk: int) -> HttpResponse:
    """What the file must be; the file, its labels, and what to judge it on."""
    model = model_for(request.user, pk, at_least=Role.ENGINEER)
    error: Refusal | None = None
    if request.method == "POST":
        try:
            version = brought(request, model)
            return redirect("training:version", model.pk, version.number)
        except Refusal as refusal:
            error = refusal
        except Http404:
            error = BadWish(_("A data set of this form is gone; choose again."))
    tagged = Image.objects.live().filter(dataset=OuterRef("pk")).exclude(label=None)
    context = {
        "project": model.project,
        "model": model,
        "datasets": model.project.datasets.filter(Exists(tagged), trashed_at=None).order_by("-id"),
        "applications": Application.choices,
        "sent": request.POST,
        "chosen": request.POST.getlist("dataset"),
        "megabytes": own_files.LARGEST // 1024**2,
        "error": error,
        "active": "models",
    }
    return render(request, "training/version_own.html", context, status=error.status if error else 200)


def brought(request: HttpRequest, model: RegisteredModel) -> ModelVersion:
    """As the form says."""
    ids = [pk for pk in request.POST.getlist("dataset") if pk.isdecimal() and len(pk) < 19]
    return own_files.bring(
        model=model,
        user=request.user,  # type: ignore[arg-type]
        file=request.FILES.get("file"),
        labels=own_files.labels_from(request.POST.get("labels", "")),
        application=request.POST.get("application", ""),
        data=[{"dataset": int(pk), "labels": "all"} for pk in ids],
    )
