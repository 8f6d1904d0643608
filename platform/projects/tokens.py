"""Making, finding and withdrawing access tokens."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_noop

from projects.access import SCOPES_OF, Forbidden
from projects.models import AccessToken, Membership, Project, Role

PREFIX_LENGTH = 11  # "tx_" and 8 characters: enough to recognise, nothing to guess from
LAST_USED_STEP = timedelta(minutes=1)


def digest_of(secret: str) -> str:
    """A 256-bit random secret needs no slow hash; a database dump still shows nothing usable."""
    return hashlib.sha256(secret.encode()).hexdigest()


def make_token(
    *,
    project: Project,
    user: User,
    name: str,
    scopes: Iterable[str] | None = None,
    resource: str = "",
    expires_at: datetime | None = None,
) -> tuple[AccessToken, str]:
    """A new token and its secret, which is not kept and cannot be shown again.

    Scopes default to all that the person's role allows; asking for more raises Forbidden.
    """
    role = Role(Membership.objects.get(project=project, user=user).role)
    wanted = set(scopes) if scopes is not None else SCOPES_OF[role]
    if not wanted <= SCOPES_OF[role]:
        raise Forbidden(
            gettext_noop("Your role does not allow these scopes: %(scopes)s."),
            scopes=", ".join(sorted(wanted - SCOPES_OF[role])),
        )
    secret = f"tx_{secrets.token_urlsafe(32)}"
    token = AccessToken.objects.create(
        project=project,
        user=user,
        name=name,
        scopes=sorted(wanted),
        resource=resource,
        expires_at=expires_at,
        prefix=secret[:PREFIX_LENGTH],
        digest=digest_of(secret),
    )
    return token, secret


def was_a_token(secret: str) -> bool:
    """It opened something once, so whoever shows it is not guessing."""
    return AccessToken.objects.filter(digest=digest_of(secret)).exists()


def find_token(secret: str) -> AccessToken | None:
    """The live token behind a secret, noting that it was used (at most once a minute)."""
    token = (
        AccessToken.objects.live().select_related("user", "project").filter(digest=digest_of(secret)).first()
    )
    now = timezone.now()
    if token and (token.last_used_at is None or now - token.last_used_at > LAST_USED_STEP):
        AccessToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token
