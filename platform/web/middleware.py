"""What every answer gets: headers, and a page or a problem document for a refusal that no view caught."""

from collections.abc import Callable
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotFound
from django.shortcuts import render

from web.sentences import Refusal
from django.shortcuts import render

from web.problems import problem
from web.sentences import Refusal


class ContentSecurityPolicy:
    """Scripts and styles come from our own files alone; nothing inline runs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", settings.CSP)
        return response


class OperatorsOnly:
    """The queue's dashboard can stop and delete work: staff who are not operators do not get to see it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info.startswith("/admin/django_rq/") and not request.user.is_superuser:
            return HttpResponseNotFound()
        return self.get_response(request)


class RefusedPages:
    """A role too small is a page with its sentence, never a 500; a script gets the problem document.

    The API answers for itself, and other refusals are caught by the view that knows what to say beside them.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django's hook for what a view raised."""
        if not isinstance(error, Refusal) or request.path_info.startswith("/api/"):
            return None
        if "json" in request.headers.get("Accept", ""):
            return problem(error.status, error.code, str(error))
        if error.status == 403:
            return render(request, "403.html", {"exception": str(error)}, status=403)
        return None


class Refusals:
    """A refusal that no page caught itself becomes an error page with its sentence and status."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Django calls this for what a view raised."""
        if not isinstance(error, Refusal):
            return None
        template = "403.html" if error.status == HTTPStatus.FORBIDDEN else "400.html"
        return render(request, template, {"exception": str(error)}, status=error.status)
