"""Whether whoever asked for work may still have it done: asked anew when each attempt begins."""

from django.utils.translation import gettext_noop

from jobs.models import Job
from projects.access import may
from projects.models import Role
from web.sentences import Refusal


class NoLongerAllowed(Refusal):
    """What was allowed when the work was asked for is not any more."""

    code = "no-longer-allowed"


def check_right(job: Job, at_least: Role | None) -> None:
    """Raises NoLongerAllowed where the kind of work asks for a role that the asker has not, or not any more."""
    if at_least is None:
        return
    project, asker = job.project, job.created_by
    if project is not None and project.archived_at is not None:
        raise NoLongerAllowed(gettext_noop("The project was deleted before this began."))
    if project is None or asker is None or not asker.is_active or not may(asker, project, at_least=at_least):
        raise NoLongerAllowed(gettext_noop("Whoever asked for this may no longer do so in the project."))
