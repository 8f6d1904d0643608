"""A forgotten password without a mail server: a link that the operator hands over."""

from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.http import HttpRequest
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode

from projects import audit
from web.addresses import link_to


def reset_link(user: User, *, by: User | None = None, request: HttpRequest | None = None) -> str:
    """Where this person may choose a new password, once, within a day. It dies when the password changes."""
    audit.note(by or user, "password.reset-link", project=None, target=user.username)
    code = urlsafe_base64_encode(force_bytes(user.pk))
    return link_to("password_reset_confirm", code, default_token_generator.make_token(user), request=request)
