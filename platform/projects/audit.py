"""Writing the audit trail, inside the transaction of the act itself."""

from typing import Any

from projects.access import Who, caller
from projects.models import AuditEntry, Project


def note(who: Who, action: str, *, project: Project | None, target: str = "", **detail: Any) -> None:
    """Keep who did what to which object (`service.approve`, target its slug)."""
    asking = caller(who)
    AuditEntry.objects.create(
        project=project,
        user=asking.user,
        token_prefix=asking.token.prefix if asking.token else "",
        action=action,
        target=target[:200],
        detail=detail,
    )
