"""Letting people in without a mail server: a link to hand over, good for one person and a few days."""

import secrets
from datetime import timedelta

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_noop

from projects import audit
from projects.members import add_member
from projects.models import Invitation, Membership, Project, Role
from projects.tokens import digest_of
from web.sentences import Refusal

GOOD_FOR = timedelta(days=7)


class DeadInvitation(Refusal):
    """A link that opens nothing (any more)."""

    code = "dead-invitation"
    status = 404


def invite(*, project: Project, role: int, by: User, name: str = "") -> tuple[Invitation, str]:
    """A new invitation and the secret of its link, which is not kept and cannot be shown again."""
    secret = f"txi_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        invitation = Invitation.objects.create(
            project=project,
            role=role,
            name=name,
            digest=digest_of(secret),
            created_by=by,
            expires_at=timezone.now() + GOOD_FOR,
        )
        audit.note(by, "invitation.make", project=project, target=name, role=Role(role).name)
    return invitation, secret


def open_invitation(digest: str) -> Invitation:
    """The invitation behind a link; raises DeadInvitation."""
    found = Invitation.objects.open().select_related("project", "created_by").filter(digest=digest).first()
    if found is None:
        raise DeadInvitation(
            gettext_noop(
                "This link was used, withdrawn or is older than a week. Ask who sent it for a new one."
            )
        )
    return found


@transaction.atomic
def accept(*, invitation: Invitation, user: User) -> Membership:
    """Join the project; the link is used up by whoever comes first. A member keeps their role: AlreadyMember."""
    taken = Invitation.objects.open().filter(pk=invitation.pk).update(used_at=timezone.now(), used_by=user)
    if not taken:
        raise DeadInvitation(
            gettext_noop("Somebody else used this link just now. Ask who sent it for a new one.")
        )
    return add_member(project=invitation.project, user=user, role=invitation.role, by=invitation.created_by)


@transaction.atomic
def withdraw(*, invitation: Invitation, by: User) -> None:
    """The link opens nothing from now on."""
    Invitation.objects.filter(pk=invitation.pk, withdrawn_at=None).update(withdrawn_at=timezone.now())
    audit.note(by, "invitation.withdraw", project=invitation.project, target=invitation.name)
