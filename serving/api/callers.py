"""Who asks: the API's authentication puts the caller on the request."""

from django.http import HttpRequest

from projects.access import Caller, caller


def asking(request: HttpRequest) -> Caller:
    """The caller, as a person or with a token."""
    return caller(request.auth)  # type: ignore[attr-defined]
