"""An import of links: pasted, or in a file."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext_noop
from django.views.decorators.http import require_http_methods

from datasets.access import dataset_for
from datasets.formats import ENDINGS
from datasets.formats.documents import Said
from datasets.imports import MAX_MANIFEST_BYTES, ManifestTooLarge, said_in
from datasets.links.beginning import begin_import_of_links
from datasets.links.lists import MOST_LINKS, holds_links, links_in
from datasets.models import Dataset, Import
from datasets.views.acknowledging import person
from projects.models import Role
from web.sentences import Refusal

LISTS = (*ENDINGS, ".txt")
MOST_LIST_BYTES = 8 * 1024**2


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def import_links(request: HttpRequest, pk: int) -> HttpResponse:
    """The form, on a page of its own; the import page has it too."""
    dataset = dataset_for(request.user, pk, at_least=Role.LABELLER, scope="upload")
    context: dict[str, Any] = {"project": dataset.project, "active": "data", "dataset": dataset}
    context |= {"labels": dataset.labels.all(), "most_links": MOST_LINKS, "links_on": settings.LINKS}
    status = 200
    if request.method == "POST":
        try:
            return begin(request, dataset)
        except Refusal as error:
            status = error.status
            context |= {"error": str(error), "text": request.POST.get("links", "")}
            context |= {"label": request.POST.get("label", "")}
    return render(request, "datasets/import_links.html", context, status=status)


def begin(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Read what was sent and queue it."""
    links, name = sent(request)
    begun = begin_import_of_links(
        dataset=dataset, user=person(request), links=links, name=name, **said_in(request.POST)
    )
    return redirect("datasets:import-detail", begun.pk)


def begin_if_links(
    request: HttpRequest, dataset: Dataset, files: Sequence["UploadedFile[bytes]"]
) -> Import | None:
    """A lone list of links among what was dropped on the import page; None for anything else."""
    if len(files) != 1 or not (files[0].name or "").lower().endswith(LISTS):
        return None
    if (files[0].size or 0) > MOST_LIST_BYTES:  # larger ones hold the pictures themselves
        return None
    name, content = files[0].name or "", files[0].read()
    files[0].seek(0)
    if not holds_links(name, content):
        return None
    return begin_import_of_links(
        dataset=dataset,
        user=person(request),
        links=links_in(name, content),
        name=name,
        **said_in(request.POST),
    )


def sent(request: HttpRequest) -> tuple[list[Said], str]:
    """The links of the file, or else of the text."""
    for file in request.FILES.getlist("list"):
        if (file.size or 0) > MAX_MANIFEST_BYTES:
            raise ManifestTooLarge(
                gettext_noop("A file of labels may have at most %(mb)s MB."), mb=MAX_MANIFEST_BYTES // 1024**2
            )
        return links_in(file.name or "", file.read()), file.name or ""
    return links_in("", request.POST.get("links", "").encode()), ""
