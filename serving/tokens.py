"""Access tokens that may predict on one service and nothing else."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from projects import audit
from projects.access import Who, caller
from projects.models import AccessToken
from projects.tokens import make_token
from serving.models import Service
from web.sentences import Refusal


class BadExpiry(Refusal):
    """A token that would be dead at birth."""

    code = "bad-expiry"
    status = 422


@transaction.atomic
def make_service_token(
    *, service: Service, name: str, by: Who, expires_at: datetime | None = None
) -> tuple[AccessToken, str]:
    """A new token and its secret, which cannot be shown again."""
    if expires_at and timezone.is_naive(expires_at):
        expires_at = timezone.make_aware(expires_at)
    if expires_at and expires_at <= timezone.now():
        raise BadExpiry(gettext_noop("The token would have expired already."))
    token, secret = make_token(
        project=service.project,
        user=caller(by).user,
        name=name,
        scopes=["predict"],
        resource=service.resource,
        expires_at=expires_at,
    )
    audit.note(by, "token.make", project=service.project, target=token.prefix, service=service.slug)
    return token, secret


@transaction.atomic
def revoke_service_token(*, token: AccessToken, service: Service, by: Who) -> None:
    """From now on nobody gets in with it."""
    token.revoke()
    audit.note(by, "token.revoke", project=service.project, target=token.prefix, service=service.slug)
