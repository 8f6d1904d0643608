"""RFC 9457 problem documents: every error of the API, with a stable `code`."""

import logging
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, TooManyFilesSent
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from web.sentences import Refusal

log = logging.getLogger(__name__)
TYPE = "application/problem+json"


def problem(status: int, code: str, detail: str, **more: Any) -> JsonResponse:
    """One problem document; `more` adds members such as `errors`."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": code,
        "detail": detail,
    }
    return JsonResponse(
        body | more, status=status, content_type=TYPE, json_dumps_params={"ensure_ascii": False}
    )


def refusal(error: Refusal) -> JsonResponse:
    """The document of a refusal."""
    answer = problem(error.status, error.code, str(error))
    if error.retry_after is not None:
        answer["Retry-After"] = str(error.retry_after)
    return answer


def unauthenticated() -> JsonResponse:
    """No token, or one that does not count."""
    answer = problem(
        401, "unauthenticated", _("A valid access token is needed: missing, unknown, expired or revoked.")
    )
    answer["WWW-Authenticate"] = "Bearer"
    return answer


def not_to_be_kept(request: HttpRequest) -> JsonResponse:
    """A value that no check refused and no column holds: the caller's mistake, and for the log ours."""
    log.exception("%s %s", request.method, request.path)
    return problem(400, "not-to-be-kept", _("A text or number in the request is nothing that can be kept."))


def field_error(error: dict[str, Any]) -> dict[str, str]:
    """pydantic's account of one field, in the contract's words."""
    where = [
        str(part) for part in error["loc"] if part not in ("body", "query", "path", "form", "file", "header")
    ]
    # ninja puts the argument's own name first: a client never sent it.
    return {
        "field": ".".join(where[1:] if len(where) > 1 else where),
        "code": error["type"],
        "message": error["msg"],
    }


def install(api: NinjaAPI) -> None:
    """Make every way out of the API a problem document."""

    @api.exception_handler(Refusal)
    def refused(request: HttpRequest, error: Refusal) -> HttpResponse:
        return refusal(error)

    @api.exception_handler(AuthenticationError)
    def nobody(request: HttpRequest, error: AuthenticationError) -> HttpResponse:
        return unauthenticated()

    @api.exception_handler(Http404)
    def not_found(request: HttpRequest, error: Http404) -> HttpResponse:
        return problem(404, "not-found", _("There is no such thing in your projects."))

    @api.exception_handler(PermissionDenied)
    def denied(request: HttpRequest, error: PermissionDenied) -> HttpResponse:
        return problem(403, "forbidden", str(error) or _("This is not allowed."))

    @api.exception_handler(ValidationError)
    def invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
        fields = [field_error(each) for each in error.errors]
        return problem(422, "invalid", _("Some fields are missing or wrong."), errors=fields)

    @api.exception_handler(RequestDataTooBig)
    def too_big(request: HttpRequest, error: RequestDataTooBig) -> HttpResponse:
        return problem(413, "too-many-bytes", _("The request is too large."))

    @api.exception_handler(TooManyFilesSent)
    def too_many(request: HttpRequest, error: TooManyFilesSent) -> HttpResponse:
        return problem(
            413, "too-many-files", _("The request holds too many files; send them in several, or as a zip.")
        )

    @api.exception_handler(MultiPartParserError)
    def not_multipart(request: HttpRequest, error: MultiPartParserError) -> HttpResponse:
        return problem(400, "bad-multipart", _("The multipart body cannot be read."))

    @api.exception_handler(HttpError)
    def http_error(request: HttpRequest, error: HttpError) -> HttpResponse:
        if isinstance(error.__cause__, Refusal):  # of the body's parser
            return refusal(error.__cause__)
        code = HTTPStatus(error.status_code).phrase.lower().replace(" ", "-")
        return problem(error.status_code, code, str(error))

    @api.exception_handler(DataError)
    def beyond_the_database(request: HttpRequest, error: DataError) -> HttpResponse:
        return not_to_be_kept(request)

    @api.exception_handler(Exception)
    def bug(request: HttpRequest, error: Exception) -> HttpResponse:
        log.exception("%s %s", request.method, request.path)
        return problem(
            500, "error", _("Something went wrong on our side. The operator can find it in the log.")
        )
