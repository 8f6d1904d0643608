"""What pages of imports say of near-duplicates, without their views knowing of them."""

from django import template

from datasets.alike import brought_by
from datasets.models import Import

register = template.Library()


@register.simple_tag
def near_duplicates_of(found: Import) -> int | None:
    """How many of the import's pictures nearly repeat an earlier one; None while nobody looked."""
    return brought_by(found) if found.imported else None
