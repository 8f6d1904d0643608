"""How jobs are named on pages."""

from django import template

from jobs.models import Job
from jobs.registry import title_of

register = template.Library()


@register.filter
def job_title(job: Job) -> str:
    """What people call this kind of work."""
    return title_of(job.kind)
