"""What every answer gets: headers, and a page or a problem document for a refusal that no view caught."""

import logging
from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render

from web import dashboard
from web.problems import refusal
from web.reading import NO_TEXT, Unreadable, is_text
from web.sentences import Refusal

log = logging.getLogger(__name__)
PLAIN_FORM = "application/x-www-form-urlencoded"


NO_DEVICES = "camera=(), microphone=(), geolocation=()"


class ContentSecurityPolicy:
    """Scripts and styles come from our own files alone; nothing inline runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_dashboard = request.path_info.startswith(dashboard.PREFIX)
        policy = dashboard.policy(settings.CSP) if is_dashboard else settings.CSP
        response.headers.setdefault("Content-Security-Policy", policy)
        response.headers.setdefault("Permissions-Policy", NO_DEVICES)  # the camera's own page opens it
        # What one person sees is kept by no proxy, and asked for anew after signing out.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response


class OperatorsOnly:
    """The administration and the queue's dashboard: for everybody signed in but operators they do not exist.

    Django would let in anybody marked as staff, with rights that somebody else in the administration hands out.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        inside = request.path_info.startswith("/admin/")
        if inside and request.user.is_authenticated and not request.user.is_superuser:
            raise Http404
        return self.get_response(request)


class TextOnly:
    """Addresses and plain forms hold text that every database can keep; `config.api` looks at JSON bodies."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: object, args: object, kwargs: dict[str, object]
    ) -> HttpResponse | None:
        """Look before the view does. Forms with files are left to the views: theirs have limits of their own."""
        sent = [str(value) for value in kwargs.values()] + texts(request.GET)
        if request.content_type == PLAIN_FORM and not request.path_info.startswith("/api/"):
            sent += texts(request.POST)
        return None if is_text(sent) else refused(request, Unreadable(NO_TEXT))


def texts(sent: QueryDict) -> list[str]:
    """All names and values."""
    return [text for name, values in sent.lists() for text in (name, *map(str, values))]


class Refusals:
    """A refusal that no view caught becomes an error page with its sentence; a script gets the problem document.

    The API and the prediction dialects answer for themselves.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django calls this for what a view raised."""
        if isinstance(error, DataError):
            log.exception("%s %s", request.method, request.path)
            return refused(request, Unreadable(NO_TEXT))
        return refused(request, error) if isinstance(error, Refusal) else None


def refused(request: HttpRequest, error: Refusal) -> HttpResponse:
    """The refusal as a page, or for programs as a problem document."""
    if "json" in request.headers.get("Accept", "") or request.path_info.startswith("/api/"):
        return refusal(error)
    template = "403.html" if error.status == HTTPStatus.FORBIDDEN else "400.html"
    return render(request, template, {"exception": str(error)}, status=error.status)
