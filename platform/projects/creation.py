"""Making a project: its maker owns it."""

from django.contrib.auth.models import User
from django.db import transaction

from projects import audit
from projects.models import Membership, Project, Role


@transaction.atomic
def create_project(*, user: User, name: str, description: str = "") -> Project:
    """A project with its maker as owner."""
    project = Project.objects.create(name=name, description=description, created_by=user)
    Membership.objects.create(project=project, user=user, role=Role.OWNER, added_by=user)
    audit.note(user, "project.create", project=project, target=name)
    return project
