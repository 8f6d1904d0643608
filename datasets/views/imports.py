"""Imports: upload pictures, watch them come in, see what was not taken and why."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from datasets.access import dataset_for, import_for
from datasets.archive_names import ENCODINGS
from datasets.archives import looks_like_a_zip
from datasets.choices import Choices
from datasets.choosing import give_up_abandoned
from datasets.conflicts import open_conflicts
from datasets.imports import UNFINISHED, Said, begin_import, cancel_import, said_in, undo_import
from datasets.models import Dataset, Import, ImportState, Outcome, Review
from datasets.preparing import LEAST_SIDE, MOST_BYTES, MOST_RATIO, MOST_SIDE
from datasets.told import told_act
from datasets.views.acknowledging import person
from datasets.views.choosing import choosing_page
from datasets.views.links import begin_if_links
from projects.access import may
from projects.models import Role
from web.problems import refusal
from web.sentences import Refusal

REFUSED_A_PAGE = 50
SHOWN_IMPORTS = 10


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Choose files; each zip becomes an import of its own, loose pictures one together."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER, scope="upload")
    if request.method == "POST":
        return receive(request, dataset)
    give_up_abandoned()
    found = dataset.imports.select_related("job", "created_by").defer("plan")
    shown = list(found.order_by("-id")[:SHOWN_IMPORTS])
    context = {
        "project": dataset.project,
        "active": "data",
        "dataset": dataset,
        "labels": dataset.labels.all(),
        "under_way": [each for each in shown if each.state in UNFINISHED],
        "earlier": [each for each in shown if each.state not in UNFINISHED],
        "encodings": ENCODINGS,
        "reviews": [
            (Review.UNCLEAR, Review.UNCLEAR.label),
            (Review.ALWAYS, Review.ALWAYS.label),
            Review.choices[0],
        ],
        "limits": limits(),
    }
    return render(request, "datasets/import_new.html", context)


def limits() -> dict[str, Any]:
    """What an upload is held to, said before it is hit."""
    return {
        "file": settings.MAX_FILE_BYTES,
        "archive": settings.MAX_ARCHIVE_BYTES,
        "megapixels": settings.MAX_PIXELS // 1_000_000,
        "files": settings.DATA_UPLOAD_MAX_NUMBER_FILES,
        "labels": settings.MAX_LABELS,
        "strict": settings.STRICT_IMAGE_LIMITS,
        "least_side": LEAST_SIDE,
        "most_side": MOST_SIDE,
        "most_bytes": MOST_BYTES,
        "ratio": MOST_RATIO,
    }


def receive(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Begin the imports; a refused one does not take the others with it."""
    begun: list[Import] = []
    refused: list[Refusal] = []
    for files in groups_of(request.FILES.getlist("files")):
        try:
            begun.append(
                begin_if_links(request, dataset, files)
                or begin_import(
                    dataset=dataset,
                    user=person(request),
                    files=files,
                    said=Said(**said_in(request.POST)),
                )
            )
        except Refusal as error:
            refused.append(error)
    by_script = "json" in request.headers.get("Accept", "")
    if not begun and by_script:
        return refusal(refused[0])
    for each in refused:
        messages.error(request, str(each))
    url = reverse("datasets:import", args=[dataset.pk])
    if len(begun) == 1 and not refused:
        url = reverse("datasets:import-detail", args=[begun[0].pk])
    return JsonResponse({"url": url}, status=202) if by_script else redirect(url)


def groups_of(files: Sequence["UploadedFile[bytes]"]) -> list[list["UploadedFile[bytes]"]]:
    """Each zip by itself, then all loose files together; nothing at all is one empty group, to be refused."""
    zips: list[UploadedFile[bytes]] = []
    loose: list[UploadedFile[bytes]] = []
    for each in files:
        (zips if looks_like_a_zip(each.read(4)) else loose).append(each)
        each.seek(0)
    return [[each] for each in zips] + ([loose] if loose or not zips else [])


@login_required
@require_safe
def import_detail(request: HttpRequest, pk: int) -> HttpResponse:
    """The report: how many came in, what did not, and what to do about each."""
    found = import_for(request.user, pk)
    if found.state == ImportState.CHOOSING:
        return choosing_page(request, found)
    context = progress_context(request, found)
    not_taken = found.not_taken.order_by("position")
    refused = not_taken.filter(outcome=Outcome.REJECTED)
    duplicates = not_taken.filter(outcome=Outcome.DUPLICATE)
    context |= {
        "active": "data",
        "refused": Paginator(refused, REFUSED_A_PAGE).get_page(request.GET.get("page")),
        "duplicates": duplicates[:REFUSED_A_PAGE],
        "unlabelled": found.images.live().filter(label=None).count(),
        "conflicts": open_conflicts(found.dataset).filter(source=found).count(),
        "renamed": [(key, name) for key, name in Choices.of(found).labels.items() if key],
    }
    return render(request, "datasets/import_detail.html", context)


@login_required
@require_safe
def progress(request: HttpRequest, pk: int) -> HttpResponse:
    """The bar: in full on its own page, where the end reloads it for the report; a slim line on the bench."""
    found = import_for(request.user, pk)
    if "line" in request.GET:
        empty = "empty" in request.GET  # a bench that waits for its first picture is loaded anew with it
        response = render(request, "datasets/_import_line.html", {"import": found, "bench_is_empty": empty})
        if empty and found.imported:
            response["HX-Redirect"] = reverse("datasets:detail", args=[found.dataset_id])
        return response
    response = render(request, "datasets/_import_progress.html", progress_context(request, found))
    if found.state not in UNFINISHED or found.state == ImportState.CHOOSING:
        response["HX-Redirect"] = reverse("datasets:import-detail", args=[pk])
    return response


def progress_context(request: HttpRequest, found: Import) -> dict[str, Any]:
    """State, counts, files a second and the seconds left."""
    done = found.imported + found.duplicates + found.rejected
    started = found.job.started_at if found.job else None
    seconds = (timezone.now() - started).total_seconds() if started else 0
    rate = done / seconds if done and seconds > 1 else 0
    project = found.dataset.project
    return {
        "project": project,
        "dataset": found.dataset,
        "import": found,
        "running": found.state in UNFINISHED,
        "ready": found.state == ImportState.READY,
        "done": done,
        "rate": rate,
        "left": (found.total - done) / rate if rate else None,
        "may_tag": may(request.user, project, at_least=Role.LABELLER),
        "may_undo": may(request.user, project, at_least=Role.ENGINEER),
    }


@login_required
@require_POST
def cancel(request: HttpRequest, pk: int) -> HttpResponse:
    """End an import; what it has taken so far stays."""
    found = import_for(request.user, pk, at_least=Role.LABELLER, scope="upload")
    cancel_import(found)
    return redirect("datasets:import-detail", pk)


@login_required
@require_POST
def undo(request: HttpRequest, pk: int) -> HttpResponse:
    """Move what an import brought to the trash."""
    found = import_for(request.user, pk, at_least=Role.ENGINEER, scope="upload")
    try:
        messages.success(request, told_act(undo_import(found=found, user=person(request))))
    except Refusal as error:
        messages.error(request, str(error))
    return redirect("datasets:import-detail", pk)
