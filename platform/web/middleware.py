"""What every answer gets: headers, and a page or a problem document for a refusal that no view caught."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from web import dashboard
from web.problems import refusal
from web.sentences import Refusal


class ContentSecurityPolicy:
    """Scripts and styles come from our own files alone; nothing inline runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        is_dashboard = request.path_info.startswith(dashboard.PREFIX)
        policy = dashboard.policy(settings.CSP) if is_dashboard else settings.CSP
        response.headers.setdefault("Content-Security-Policy", policy)
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
        if not isinstance(error, Refusal):
            return None
        if "json" in request.headers.get("Accept", "") or request.path_info.startswith("/api/"):
            return refusal(error)
        template = "403.html" if error.status == HTTPStatus.FORBIDDEN else "400.html"
        return render(request, template, {"exception": str(error)}, status=error.status)
