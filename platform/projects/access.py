"""The door to a project, and the rule behind every other door: who may do what.

Pages pass `request.user`, the API passes `request.auth` (a `Caller`, perhaps with a token). A foreign
object is 404, a role or scope too small is 403. Each noun has its own door in its own room
(`datasets.access.dataset_for`, …), all built on `allowed_projects` and `check`.
"""

from dataclasses import dataclass
from typing import TypeAlias

from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, User
from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext_noop

from projects.models import AccessToken, Membership, Project, Role
from web.sentences import Refusal

SCOPES = ("read", "label", "upload", "export", "train", "publish", "predict", "model-read")
# What a role may hand to a program.
SCOPES_OF = {
    Role.VIEWER: {"read"},
    Role.LABELLER: {"read", "label", "upload", "predict", "export"},
    Role.ENGINEER: {"read", "label", "upload", "predict", "export", "train", "model-read"},
    Role.OWNER: set(SCOPES),
}


NO_SCOPE = gettext_noop("This access token does not have the scope “%(scope)s”.")


class Forbidden(Refusal):
    """A known caller without the role or scope for this."""

    code = "forbidden"
    status = 403


@dataclass(frozen=True)
class Caller:
    """Who asks through the API: a person, perhaps by a token that narrows what they may."""

    user: User
    token: AccessToken | None = None

    def has_scope(self, scope: str) -> bool:
        """A signed-in person has every scope; a token the ones written on it."""
        return self.token is None or scope in self.token.scopes


Who: TypeAlias = "Caller | User | AbstractBaseUser | AnonymousUser"


def caller(who: Who) -> Caller:
    """The caller behind either form."""
    if isinstance(who, Caller):
        return who
    if not isinstance(who, User):
        raise Http404
    return Caller(who)


def allowed_projects(who: Who) -> QuerySet[Project]:
    """The projects this caller belongs to; a token sees its own alone."""
    asking = caller(who)
    projects = Project.objects.filter(memberships__user=asking.user, archived_at=None)
    if asking.token:
        # A token bound to one resource opens that resource, not the project around it.
        projects = (
            projects.filter(pk=asking.token.project_id) if not asking.token.resource else projects.none()
        )
    return projects


def listed_projects(who: Who, *, scope: str = "read") -> QuerySet[Project]:
    """`allowed_projects` for a list: Forbidden, rather than nothing, for a token without the scope."""
    asking = caller(who)
    if not asking.has_scope(scope) or (asking.token and asking.token.resource):
        raise Forbidden(NO_SCOPE, scope=scope)
    return allowed_projects(asking)


def role_in(who: Who, project: Project) -> Role | None:
    """The caller's role in the project, read from the database each time: changes act at once."""
    found = (
        Membership.objects.filter(project=project, user=caller(who).user)
        .values_list("role", flat=True)
        .first()
    )
    return Role(found) if found is not None else None


def check(who: Who, project: Project, *, at_least: Role = Role.VIEWER, scope: str = "read") -> None:
    """Raise Http404 for a stranger, Forbidden for a role or a token that does not reach this far."""
    check_role(who, role_in(who, project), at_least=at_least, scope=scope)


def check_role(who: Who, role: Role | None, *, at_least: Role, scope: str) -> None:
    """As `check`, where the caller's role was just read."""
    if role is None:
        raise Http404
    if role < at_least:
        raise Forbidden(
            gettext_noop("This needs the role %(needed)s in the project; yours is %(role)s."),
            needed=str(at_least.label),
            role=str(role.label),
        )
    if not caller(who).has_scope(scope):
        raise Forbidden(NO_SCOPE, scope=scope)


def may(who: Who, project: Project, *, at_least: Role) -> bool:
    """For pages that show or hide a control; the act itself is checked again."""
    role = role_in(who, project)
    return role is not None and role >= at_least


def project_for(who: Who, pk: int, *, at_least: Role = Role.VIEWER, scope: str = "read") -> Project:
    """The door to a project."""
    project = allowed_projects(who).filter(pk=pk).first()
    if project is None:
        raise Http404
    check(who, project, at_least=at_least, scope=scope)
    return project


class ProjectNeeded(Refusal):
    """A caller with several projects did not say which."""

    code = "project-needed"


def default_project(who: Who, pk: int | None, *, at_least: Role, scope: str) -> Project:
    """The project an API call means: the one named, the token's, or the caller's only one."""
    if pk is not None:
        return project_for(who, pk, at_least=at_least, scope=scope)
    token = caller(who).token
    if token and token.resource:
        raise Forbidden(NO_SCOPE, scope=scope)
    found = list(allowed_projects(who)[:2])
    if len(found) != 1:
        raise ProjectNeeded(gettext_noop("Name the project: you do not belong to exactly one."))
    check(who, found[0], at_least=at_least, scope=scope)
    return found[0]
