"""Making and changing the named things that versions belong to."""

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_noop

from projects import audit
from projects.models import Project
from training.models import RegisteredModel
from web.sentences import Conflict, Refusal

LONGEST_NAME = 80


class NameTaken(Conflict):
    """Another model of the project has this name."""

    code = "name-taken"


class BadName(Refusal):
    """No name, or too long a one."""

    code = "invalid"
    status = 422


def create_model(
    *, project: Project, user: User, name: str, contact: str = "", description: str = ""
) -> RegisteredModel:
    """A model without versions yet; raises NameTaken."""
    name = name.strip()
    if not name or len(name) > LONGEST_NAME:
        raise BadName(
            gettext_noop("Give the model a name of at most %(most)s characters."), most=LONGEST_NAME
        )
    try:
        with transaction.atomic():
            model = RegisteredModel.objects.create(
                project=project,
                created_by=user,
                name=name,
                contact=contact.strip(),
                description=description.strip(),
            )
            audit.note(user, "model.create", project=project, target=name)
    except IntegrityError as error:
        raise NameTaken(gettext_noop("There is a model called “%(name)s” already."), name=name) from error
    return model
