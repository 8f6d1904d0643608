"""The bytes of one picture for the eye: its thumbnail, and a preview that fits a screen."""

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified
from django.views.decorators.http import require_safe

from datasets import thumbnails
from datasets.access import image_for
from datasets.models import Image
from datasets.pixels import UnreadableImage
from datasets.thumbnails import MIDDLE_SIDE, PREVIEW_SIDE
from projects.models import Role
from web import storage


def picture_for(request: HttpRequest, pk: int) -> Image:
    """The door, a little narrower for the trash: only who could restore a picture sees it there."""
    image = image_for(request.user, pk)
    return image_for(request.user, pk, at_least=Role.LABELLER) if image.trashed_at else image


@login_required
@require_safe
def thumbnail(request: HttpRequest, pk: int) -> HttpResponse:
    """The small picture that the import made."""
    image = picture_for(request, pk)
    tag = f'"{image.thumbnail_key.rpartition("/")[2]}"'
    if request.headers.get("If-None-Match") == tag:
        return for_ever(HttpResponseNotModified(), tag)
    try:
        small = storage.read(image.thumbnail_key)
    except FileNotFoundError as error:  # a missing page, not an error of ours
        raise Http404 from error
    return for_ever(HttpResponse(small, content_type="image/jpeg"), tag)


@login_required
@require_safe
def preview(request: HttpRequest, pk: int) -> HttpResponse:
    """The picture anew as a JPEG of at most 1600 (or `side=640`) pixels a side: upright, never the uploaded bytes."""
    image = picture_for(request, pk)
    side = MIDDLE_SIDE if request.GET.get("side") == str(MIDDLE_SIDE) else PREVIEW_SIDE
    tag = f'"{image.sha256}-{side}"'
    if request.headers.get("If-None-Match") == tag:
        return for_ever(HttpResponseNotModified(), tag)
    try:
        small = thumbnails.preview(image.key, side=side)
    except (FileNotFoundError, UnreadableImage) as error:
        raise Http404 from error
    return for_ever(HttpResponse(small, content_type="image/jpeg"), tag)


def for_ever(response: HttpResponse, tag: str) -> HttpResponse:
    """A picture never changes; only the person who may see it keeps it, and nothing in it can run."""
    response["Cache-Control"] = "private, max-age=31536000, immutable"
    response["ETag"] = tag
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response
