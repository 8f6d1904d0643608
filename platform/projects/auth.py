"""How API callers say who they are: a bearer token, or the session of a signed-in page."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from ninja.security import APIKeyCookie, HttpBearer

from projects.access import Caller
from projects.guessing import Tries
from projects.tokens import find_token, was_a_token


class TokenAuth(HttpBearer):
    """`Authorization: Bearer TOKEN`."""

    def authenticate(self, request: HttpRequest, token: str) -> Caller | None:
        return caller_with(request, token)


def caller_with(request: HttpRequest, secret: str) -> Caller | None:
    """Who a token speaks for. Guessing is slowed down; a good token is let in however much others guess."""
    if found := find_token(secret):
        return Caller(found.user, found)
    tries = Tries.at_secrets(request)
    tries.check()
    if not was_a_token(secret):
        tries.failed(secret)
    return None


class SessionAuth(APIKeyCookie):
    """The session cookie of a signed-in person, with CSRF."""

    param_name = settings.SESSION_COOKIE_NAME

    def _get_key(self, request: HttpRequest) -> str | None:
        # Who is not signed in lacks a token (401); only the others have a CSRF check to fail (403).
        return super()._get_key(request) if request.user.is_authenticated else None

    def authenticate(self, request: HttpRequest, key: str | None) -> Any:
        user = request.user
        return Caller(user) if isinstance(user, User) and user.is_active else None


def admits(request: HttpRequest) -> bool:
    """Whether the credentials that a request carries, if any, still open something."""
    header = request.headers.get("Authorization", "")
    secret = header.partition(" ")[2].strip() or request.headers.get("X-Auth-Token", "")
    return find_token(secret) is not None if secret else request.user.is_authenticated


API_AUTH = [TokenAuth(), SessionAuth()]
