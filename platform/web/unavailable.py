"""When the database or the storage is away: one more try where that is harmless, then a clean 503."""

import logging
import sys
from collections.abc import Callable
from http import HTTPStatus

from django.db import InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.csrf import requires_csrf_token
from django.views.defaults import server_error
from ninja import NinjaAPI

from web.problems import problem
from web.sentences import Refusal
from web.storage import StorageUnavailable

log = logging.getLogger(__name__)
AWAY = (OperationalError, InterfaceError, StorageUnavailable)
RETRY_AFTER = 5
HARMLESS = {"GET", "HEAD", "OPTIONS"}


class SecondTry:
    """For pages. A connection that the server ended is found out by its first use; a second one may work."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django calls this for what a view raised."""
        if not isinstance(error, AWAY):
            return None
        try:
            return again_or_unavailable(request, error)
        except Refusal as refusal:  # the second try's own answer
            from web.middleware import Refusals

            return Refusals(self.get_response).process_exception(request, refusal)
        except AWAY:
            return unavailable(request)


def install(api: NinjaAPI) -> None:
    """The same for the API."""
    for kind in AWAY:
        api.add_exception_handler(kind, again_or_unavailable)


def again_or_unavailable(request: HttpRequest, error: Exception | type[Exception]) -> HttpResponse:
    """The view once more for a request that changes nothing; else, and the second time, 503."""
    log.warning("%s %s: %s", request.method, request.path_info, " ".join(str(error).split()))
    match, tried = request.resolver_match, getattr(request, "tried_again", False)
    if request.method not in HARMLESS or tried or match is None:
        return unavailable(request)
    request.tried_again = True  # type: ignore[attr-defined]
    leave_broken_connections()
    answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
    return answer


def leave_broken_connections() -> None:
    """Close those that no longer work, so that the next use opens a new one."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def unavailable(request: HttpRequest) -> HttpResponse:
    """503 with Retry-After: a problem document for programs, a page for people."""
    words = _("The database or the file storage does not answer just now. Nothing was lost; try again soon.")
    if "json" in request.headers.get("Accept", "") or request.path_info.startswith("/api/"):
        answer: HttpResponse = problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", words)
    else:
        answer = render(None, "503.html", {"words": words}, status=HTTPStatus.SERVICE_UNAVAILABLE)
    answer["Retry-After"] = str(RETRY_AFTER)
    return answer


@requires_csrf_token
def handler500(request: HttpRequest) -> HttpResponse:
    """Django's last resort: middleware and templates need the database too."""
    return unavailable(request) if isinstance(sys.exc_info()[1], AWAY) else server_error(request)
