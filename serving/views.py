"""Pages about a version on its way to a service, and the list of services."""

from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.text import slugify
from django.views.decorators.http import require_http_methods, require_safe

from projects.access import may, project_for
from projects.models import Role
from serving.access import services_of
from serving.dialects.bodies import stream_of
from serving.forms import PublishForm
from serving.models import Service
from serving.path import newest_usable
from serving.pictures import NoPicture, TooManyPictures
from serving.previews import bars, preview
from serving.publication import BadSlug, SlugTaken, free_slug, request_service
from serving.records import with_calls
from serving.revisions import VersionArchived, VersionUnusable
from serving.sessions import ModelUnavailable
from serving.validation import validate
from training.access import version_for
from training.models import ModelVersion


@login_required
@require_safe
def services(request: HttpRequest, project_pk: int) -> HttpResponse:
    """What is published, and what waits to be."""
    project = project_for(request.user, project_pk)
    rows = with_calls(services_of(request.user).filter(project=project)).order_by("name", "slug")
    context = {
        "project": project,
        "services": rows,
        "newest": newest_usable(project),
        "may_publish": may(request.user, project, at_least=Role.ENGINEER),
        "active": "services",
    }
    return render(request, "serving/service_list.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def validate_version(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Try up to 10 pictures on a version."""
    version = version_for(request.user, model_pk, number, at_least=Role.LABELLER, scope="predict")
    tried: list[dict[str, Any]] = []
    refusal, status = "", 200
    if request.method == "POST":
        files = request.FILES.getlist("images")
        try:
            results = validate(
                version=version,
                pictures=[(file.name or "", stream_of(file)) for file in files],
                by=request.user,
            )
            tried = [shown(result, file) for result, file in zip(results, files, strict=True)]
        except (NoPicture, TooManyPictures, VersionUnusable, ModelUnavailable) as error:
            refusal, status = str(error), error.status
    context = of_version(version) | {
        "tried": tried,
        "refusal": refusal,
    }
    return render(request, "serving/version_validate.html", context, status=status)


def shown(result: dict[str, Any], file: "UploadedFile[Any]") -> dict[str, Any]:
    """One picture's result for the page."""
    return {**result, "preview": preview(stream_of(file)), "bars": bars(result.get("scores", []))}


def of_version(version: ModelVersion) -> dict[str, Any]:
    """What every page about a version shows."""
    return {
        "project": version.model.project,
        "model": version.model,
        "version": version,
        "most": settings.MAX_VALIDATION_IMAGES,
        "limit_mb": settings.MAX_FILE_BYTES // settings.MB,
        "active": "models",
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def publish(request: HttpRequest, model_pk: int, number: int) -> HttpResponse:
    """Ask for a version to become a service."""
    version = version_for(request.user, model_pk, number, at_least=Role.ENGINEER, scope="publish")
    form = PublishForm(request.POST or None, initial={"name": version.model.name, "slug": proposed(version)})
    if request.method == "POST" and form.is_valid():
        try:
            service = request_service(
                project=version.model.project, version=version, by=request.user, **form.cleaned_data
            )
            return redirect("serving:detail", service.slug)
        except (SlugTaken, BadSlug) as error:
            form.add_error("slug", str(error))
        except (VersionUnusable, VersionArchived) as error:
            form.add_error(None, str(error))
    status = 422 if form.is_bound else 200
    return render(request, "serving/service_new.html", of_version(version) | {"form": form}, status=status)


def proposed(version: ModelVersion) -> str:
    """An address made from the model's name, free at this moment; empty where the name gives none."""
    slug = slugify(version.model.name)[:63].replace("_", "-").strip("-")
    if len(slug) < 3:
        return ""
    taken = Service.objects.filter(slug=slug, released_at=None).exists()
    return free_slug(slug) if taken else slug
