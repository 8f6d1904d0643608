"""The address under which the world calls a service."""

from django.http import HttpRequest

from web.addresses import link_to


def predict_url(slug: str, request: HttpRequest) -> str:
    """Absolute: from TAXON_BASE_URL where it is set (also under a sub-path), else as the request came in."""
    return link_to("api:predict", slug, request=request)
