"""The address under which the world calls a service."""

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse


def predict_url(slug: str, request: HttpRequest) -> str:
    """Absolute: from TAXON_BASE_URL where it is set (also under a sub-path), else as the request came in."""
    path = reverse("api:predict", args=[slug])
    if settings.BASE_URL:
        base = urlsplit(settings.BASE_URL)
        return f"{base.scheme}://{base.netloc}{path}"
    return request.build_absolute_uri(path)
