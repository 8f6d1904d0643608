"""Who belongs to a project: joining, changing a role, leaving."""

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_noop

from projects import audit
from projects.models import Membership, Project, Role
from web.sentences import Conflict


class LastOwner(Conflict):
    """A project must keep an owner."""

    code = "last-owner"


class AlreadyMember(Conflict):
    """The person is in already."""

    code = "already-a-member"


@transaction.atomic
def add_member(*, project: Project, user: User, role: int, by: User) -> Membership:
    """Let a person in."""
    membership, created = Membership.objects.get_or_create(
        project=project, user=user, defaults={"role": role, "added_by": by}
    )
    if not created:
        raise AlreadyMember(gettext_noop("%(name)s is a member already."), name=user.username)
    audit.note(by, "member.add", project=project, target=user.username, role=Role(role).name)
    return membership


@transaction.atomic
def change_role(*, membership: Membership, role: int, by: User) -> None:
    """Give a member another role."""
    if role != Role.OWNER:
        keep_an_owner(membership)
    membership.role = role
    membership.save(update_fields=["role"])
    audit.note(
        by, "member.role", project=membership.project, target=membership.user.username, role=Role(role).name
    )


@transaction.atomic
def remove_member(*, membership: Membership, by: User) -> None:
    """Take a member out; their access tokens of this project end with it."""
    keep_an_owner(membership)
    for token in membership.project.tokens.live().filter(user=membership.user):
        token.revoke()
    audit.note(by, "member.remove", project=membership.project, target=membership.user.username)
    membership.delete()


def keep_an_owner(membership: Membership) -> None:
    """Raise LastOwner if the project would be left without one."""
    owners = Membership.objects.select_for_update().filter(project=membership.project, role=Role.OWNER)
    if membership.role == Role.OWNER and not any(owner.pk != membership.pk for owner in owners):
        raise LastOwner(gettext_noop("A project needs an owner: make somebody else owner first."))
